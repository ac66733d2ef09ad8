// Starts the capturing thread and speaks with it; what it says arrives as calls.
import { type ResourceLimits, Worker } from 'node:worker_threads'
import type { Finding } from '../model/finding.ts'
import { OperatorError } from '../model/operator-error.ts'
import type { LeakServiceChange, ReportLeak, Stats } from '../model/report.ts'
import type { SiteObservation } from '../model/site.ts'
import type { CaptureTally, DnsRollup } from '../store/records.ts'
import type {
  CaptureOptions,
  FromCaptureWorker,
  Overview,
  ToCaptureWorker,
  WatchedInterface,
} from './capture-messages.ts'
import type { EvidenceLimits } from './evidence.ts'

/** Compiled code runs in the thread, whatever runs here. */
const WORKER_FILE = './capture-worker.js'

export interface CaptureHandlers {
  /** Findings that are new or have grown, as they now stand. */
  findings(findings: readonly Finding[]): void
  overview(overview: Overview): void
  /** What is new of sites, each as it now stands. */
  sites(sites: readonly SiteObservation[]): void
  /** What left outside and counts for the verdict, each as it now stands. */
  leaks(leaks: readonly ReportLeak[]): void
  /** Once a second. */
  stats(stats: Stats): void
  /** What was asked since the last time. */
  dns(rollups: readonly DnsRollup[]): void
  /** What the interfaces carried since the last time. */
  tallies(tallies: readonly CaptureTally[]): void
  /** What leaked by program and day since the last call. */
  leakService(changes: readonly LeakServiceChange[]): void
  /** Somebody set the clock, forward positive: the epochs of what follows count from 1 again. */
  clockSet(byMillis: number): void
  /** One sentence about something that works no more while the rest goes on. */
  trouble(sentence: string): void
}

/** How a capture ended. `json` is the report. */
export interface CaptureEnd {
  readonly json: string
  readonly packets: number
  readonly dropped: number
  /** The file of -w could not be written to its end. */
  readonly isFileCut: boolean
}

export interface CaptureThread {
  /** The interfaces that are up at the start. */
  readonly interfaces: readonly WatchedInterface[]
  /** One sentence when the ring is smaller than it should be. */
  readonly shortage: string | undefined
  /** The handlers are called from now on, first with what came since the start. */
  begin(): void
  /** The report as of now, as JSON. */
  report(): Promise<string>
  /** Takes effect with the next file. */
  setEvidence(limits: EvidenceLimits): void
  /** What arrived up to now is still analysed; then `ended` is resolved. */
  stop(): void
  /** Rejected with a bug of ours. */
  readonly ended: Promise<CaptureEnd>
}

/**
 * Room for what is made new between two collections. Little of it survives, so that more would only be more memory: V8
 * doubles it now and then, up to 48 MiB, and in half an hour's load the last doubling came after 25 minutes.
 */
const LIMITS: ResourceLimits = Object.freeze({ maxYoungGenerationSizeMb: 12 })

/**
 * Opens the ring; resolves when every packet from now on is seen.
 * @throws OperatorError as openPacketRing, openNetWatch and PcapngWriter do, `no-such-interface`
 */
export async function startCapture(options: CaptureOptions, handlers: CaptureHandlers): Promise<CaptureThread> {
  const worker = new Worker(new URL(WORKER_FILE, import.meta.url), { workerData: options, resourceLimits: LIMITS })
  const waiting: { resolve(json: string): void; reject(error: Error): void }[] = []
  let resolveReady: (message: FromCaptureWorker & { type: 'ready' }) => void
  let resolveEnded: (end: CaptureEnd) => void
  let fail: (error: Error) => void
  const ready = new Promise<FromCaptureWorker & { type: 'ready' }>((resolve, reject) => {
    resolveReady = resolve
    fail = reject
  })
  const ended = new Promise<CaptureEnd>((resolve, reject) => {
    resolveEnded = resolve
    const failReady = fail
    fail = (error) => {
      failReady(error)
      reject(error)
      for (const one of waiting.splice(0)) one.reject(error)
    }
  })
  // Who only waits for `ready` hears of the failure there.
  ended.catch(() => {})
  /** From being ready until begin(): what has happened meanwhile. */
  let early: (() => void)[] | undefined
  const inTurn = (action: () => void): void => {
    if (early === undefined) action()
    else early.push(action)
  }
  worker.on('message', (message: FromCaptureWorker) => inTurn(() => receive(message)))

  function receive(message: FromCaptureWorker): void {
    switch (message.type) {
      case 'ready':
        early = []
        resolveReady(message)
        break
      case 'refused':
        fail(new OperatorError(message.code, message.sentence))
        break
      case 'findings':
        handlers.findings(message.findings)
        break
      case 'overview':
        handlers.overview(message.overview)
        break
      case 'sites':
        handlers.sites(message.sites)
        break
      case 'leaks':
        handlers.leaks(message.leaks)
        break
      case 'stats':
        handlers.stats(message.stats)
        break
      case 'dns':
        handlers.dns(message.rollups)
        break
      case 'tallies':
        handlers.tallies(message.tallies)
        break
      case 'leak-service':
        handlers.leakService(message.changes)
        break
      case 'clock-set':
        handlers.clockSet(message.byMillis)
        break
      case 'trouble':
        handlers.trouble(message.sentence)
        break
      case 'report':
        waiting.shift()?.resolve(message.json)
        break
      case 'ended':
        for (const one of waiting.splice(0)) one.resolve(message.json)
        resolveEnded(message)
        break
    }
  }

  worker.on('error', (error) => inTurn(() => fail(error)))
  worker.on('exit', (code) => inTurn(() => fail(new Error(`the capturing thread ended with code ${code}`))))
  const post = (message: ToCaptureWorker) => worker.postMessage(message)
  const { interfaces, shortage } = await ready
  return {
    interfaces,
    shortage,
    begin() {
      const actions = early ?? []
      early = undefined
      for (const action of actions) action()
    },
    report: () =>
      new Promise((resolve, reject) => {
        waiting.push({ resolve, reject })
        post({ type: 'report' })
      }),
    stop: () => post({ type: 'stop' }),
    setEvidence: (limits) => post({ type: 'evidence', limits }),
    ended,
  }
}
