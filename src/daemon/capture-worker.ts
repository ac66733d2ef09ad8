// The thread that captures: ring to columns to facts to findings, in one place and without a copy. It speaks only with
// capture-thread.ts, which started it; what it has to say leaves in batches.
import { parentPort, workerData } from 'node:worker_threads'
import { createAnalyzer } from '../analysis/analyzer.ts'
import type { Analyzer } from '../analysis/analyzer-interface.ts'
import { createNetworkHistory } from '../analysis/trackers/network-history.ts'
import { CapSource } from '../capture/cap-source.ts'
import type { NetworkWatch } from '../capture/context-watch.ts'
import { openNetworkWatch } from '../capture/open-watch.ts'
import { RingSource } from '../capture/ring-source.ts'
import type { LiveSource } from '../capture/source.ts'
import { MAX_LIVE_FLOWS } from '../constants/limits.ts'
import type { OwnerLookup } from '../model/address-owner.ts'
import type { InputSummary } from '../model/capture-interface.ts'
import type { NetworkContext } from '../model/network-context.ts'
import { OperatorError } from '../model/operator-error.ts'
import type { PacketBatch } from '../model/packet-batch.ts'
import { clockWords } from '../text/duration.ts'
import { openAsDatabase } from './as-database.ts'
import { CaptureFile } from './capture-file.ts'
import type { CaptureOptions, FromCaptureWorker, ToCaptureWorker } from './capture-messages.ts'
import { CaptureOutbox } from './capture-outbox.ts'
import { createDnsRollups } from './dns-rollups.ts'
import { EvidenceKeeper } from './evidence.ts'
import { drain } from './pipeline.ts'
import { PLATFORM } from './platform.ts'

const STATS_MILLIS = 1000

const options = workerData as CaptureOptions
const port = parentPort!
const tell = (message: FromCaptureWorker) => port.postMessage(message)

async function capture(): Promise<void> {
  const watch = openNetworkWatch()
  try {
    checkChosen(watch.current, options.interfaces)
    const source = await openSource(watch)
    try {
      await captureFrom(source, watch)
    } finally {
      await source.close()
    }
  } finally {
    watch.close()
  }
}

async function openSource(watch: NetworkWatch): Promise<LiveSource> {
  const { interfaces: chosen, expression, snapLen, ringLen, socket } = options
  const settings = {
    links: watch,
    ...(chosen === undefined ? {} : { interfaces: chosen }),
    ...(expression === undefined ? {} : { expression }),
    ...(snapLen === undefined ? {} : { snapLen }),
    ...(ringLen === undefined ? {} : { ringLen }),
    ...(socket === undefined ? {} : { socket }),
  }
  if (options.backend !== 'cap') return new RingSource(settings)
  const source = new CapSource(settings, (sentence) => tell({ type: 'trouble', sentence }))
  await source.opened()
  return source
}

function openEvidence(): EvidenceKeeper | undefined {
  if (options.evidence === undefined) return undefined
  const application = `tunnelscope ${options.version}`
  return new EvidenceKeeper(options.evidence, application, (sentence) => tell({ type: 'trouble', sentence }))
}

async function captureFrom(source: LiveSource, watch: NetworkWatch): Promise<void> {
  const chosen = options.interfaces
  const ownerOf = options.asDatabase === undefined ? undefined : openAsDatabase(options.asDatabase)
  let { network, rollups, analyzer } = createAnalysis(source, ownerOf)
  const file = new CaptureFile(
    options,
    (sentence) => tell({ type: 'trouble', sentence }),
    () => source.stop(),
  )
  const evidence = openEvidence()
  const outbox = new CaptureOutbox(analyzer, source, rollups, tell)
  const summary = source.inputs[0]!
  let isStopping = false
  let told = 0

  /** Nothing that was counted from a moment on can go on: what is known is told, and everything begins anew. */
  const startAnew = (stepMillis: number): void => {
    analyzer.end()
    evidence?.note(outbox.end(), source.caughtUpMicros)
    evidence?.startAnew(source.interfaces)
    tell({ type: 'clock-set', byMillis: stepMillis })
    ;({ network, rollups, analyzer } = createAnalysis(source, ownerOf))
    outbox.startAnew(analyzer, rollups)
    told = 0
    watch.startAnew(source.caughtUpMicros, clockWords(stepMillis))
  }
  const followNetwork = (): void => {
    for (const context of watch.takeChanges()) {
      const seen = chosen === undefined ? context : { ...context, watched: chosen }
      network.add(seen)
      file.context(seen)
      evidence?.noteNetwork(seen)
    }
  }
  const consume = (batch: PacketBatch, out: Parameters<Analyzer['consume']>[1]): void => {
    const stepMillis = source.takeClockStep()
    if (stepMillis !== 0) startAnew(stepMillis)
    followNetwork()
    if (options.packetCount !== undefined) isStopping = cutAt(options.packetCount, batch, summary) || isStopping
    file.packets(batch, source)
    evidence?.add(batch, out)
    analyzer.consume(batch, out)
    analyzer.tick(source.caughtUpMicros)
  }
  const between = (): boolean => {
    const findings = outbox.findings(performance.now())
    evidence?.note(findings, source.caughtUpMicros)
    evidence?.tick(source.caughtUpMicros, source.interfaces)
    if (network.version !== told) {
      told = network.version
      outbox.overview()
    }
    return !isStopping
  }

  followNetwork()
  port.on('message', (message: ToCaptureWorker) => {
    if (message.type === 'stop') source.stop()
    else if (message.type === 'evidence') {
      if (evidence !== undefined) evidence.limits = message.limits
    } else tell({ type: 'report', json: JSON.stringify(analyzer.report()) })
  })
  const everySecond = setInterval(() => {
    outbox.statistics()
    outbox.leakService()
    file.flush()
  }, STATS_MILLIS)
  tell({
    type: 'ready',
    interfaces: network.interfacesUp().map(({ name, role, isWatched }) => ({ name, role, isWatched })),
    shortage: source.shortage,
  })

  await drain(source, consume, between)

  clearInterval(everySecond)
  const { dropped } = source.statistics()
  const endMicros = Math.max(source.caughtUpMicros, summary.lastMicros ?? 0)
  analyzer.tick(endMicros)
  analyzer.end()
  file.close(source, endMicros, dropped)
  evidence?.note(outbox.end(), endMicros)
  evidence?.close(source.interfaces)
  tell({
    type: 'ended',
    json: JSON.stringify(analyzer.report()),
    packets: summary.packets,
    dropped,
    isFileCut: file.isCut,
  })
}

/** Everything that knows of times. */
function createAnalysis(source: LiveSource, ownerOf: OwnerLookup | undefined) {
  const network = createNetworkHistory(true)
  const rollups = createDnsRollups(source.interfaces, ownerOf, (told) => tell({ type: 'dns', rollups: told }))
  const analyzer = createAnalyzer(source.interfaces, source.inputs, {
    ...options,
    ...PLATFORM,
    maxFlows: MAX_LIVE_FLOWS,
    network,
    listeners: [rollups.handlers],
    ...(ownerOf === undefined ? {} : { ownerOf }),
  })
  return { network, rollups, analyzer }
}

/** Rows beyond the count are not looked at; true when the count is reached. */
function cutAt(packetCount: number, batch: PacketBatch, summary: InputSummary): boolean {
  const surplus = summary.packets - packetCount
  if (surplus < 0) return false
  for (let i = 0; i < surplus; i++) summary.bytes -= batch.wireLen[--batch.count]!
  summary.packets = packetCount
  if (batch.count > 0) summary.lastMicros = batch.timeMicros[batch.count - 1]!
  return true
}

/** A name that does not exist would silently watch nothing. */
function checkChosen(context: NetworkContext, chosen: readonly string[] | undefined): void {
  const names = context.interfaces.map((one) => one.link.name)
  for (const name of chosen ?? []) {
    if (names.includes(name)) continue
    throw new OperatorError(
      'no-such-interface',
      `-i ${name}: there is no such interface; there are ${names.join(', ')}`,
    )
  }
}

try {
  await capture()
} catch (error) {
  if (!(error instanceof OperatorError)) throw error
  tell({ type: 'refused', code: error.code, sentence: error.message })
}
port.close()
