// The service: takes what the engine says, stores it, and only then hands it to the stream, the routes and the event
// log. The daemon gives it findings; it never looks at a packet.

import { loadToken } from '../api/access.ts'
import { readPageFiles } from '../api/page-files.ts'
import { type Door, openLoopbackDoor, openSocketDoor, SERVER_LIMITS } from '../api/server.ts'
import type { ServiceState } from '../api/service-state.ts'
import { createStream, STREAM_LIMITS, type StreamLimits } from '../api/stream.ts'
import type { Finding } from '../model/finding.ts'
import type { Epoch, LeakServiceChange, ReportInterface, ReportLeak, Stats, Verdict } from '../model/report.ts'
import type { SiteObservation } from '../model/site.ts'
import { openReader, type StoredMessage, type StoreReader } from '../store/reader.ts'
import {
  type CaptureTally,
  type DnsRollup,
  epochRecord,
  findingRecord,
  leakServiceRecord,
  type StoredPlace,
  type StoreRecord,
  siteRecord,
  verdictRecord,
} from '../store/records.ts'
import type { RetentionLimits } from '../store/retention.ts'
import { durationText } from '../text/duration.ts'
import { findingLine } from '../text/event-writer.ts'
import { utcTime } from '../text/timestamp.ts'
import type { EventLog } from './event-log.ts'
import { createLeakTotals } from './leak-totals.ts'
import { createRecentLeaks } from './recent-leaks.ts'
import { storePaused, storeResumed } from './service-findings/store-paused.ts'
import { createServiceTotals } from './service-totals.ts'
import { inStoreNumbers } from './store-numbers.ts'
import { createStoreQueue } from './store-queue.ts'
import { type SetAside, startStoreThread } from './store-thread.ts'

/** Seven days and 500 MB, as the product promises unless configured. */
export const DEFAULT_RETENTION: RetentionLimits = Object.freeze({
  maxAgeMicros: 7 * 86_400_000_000,
  maxBytes: 500_000_000,
})
const RETENTION_EVERY_MS = 60_000
/** Epochs whose last state is remembered. */
const MAX_REMEMBERED = 1000
/** How long a stop waits for a store that cannot write. */
const CLOSE_WAIT_MS = 5_000
const SOCKET_GROUP = 'tunnelscope'

export interface ServiceOptions {
  readonly version: string
  readonly storePath: string
  readonly retention?: RetentionLimits
  /** Absent: no UNIX socket. */
  readonly socketPath?: string
  /** Absent: nothing on loopback. */
  readonly loopback?: { readonly host: string; readonly port: number; readonly tokenPath: string }
  readonly eventLog?: EventLog
  /** Of the stream, where other ones than STREAM_LIMITS are wanted. */
  readonly streamLimits?: Partial<StreamLimits>
  interfaces(): ReportInterface[]
  /** One line for the operator: a file set aside, a paused store. */
  tell(level: 'info' | 'warn' | 'error', message: string): void
  /** A bug of ours ended the store's thread: the daemon should stop. */
  onFatal(error: Error): void
}

/** Epoch numbers given here count from 1 in each run; the store's go on where the last run ended. */
export interface Service {
  /** Where clients find it, socket first. */
  readonly addresses: readonly string[]
  /** The finding as it now stands, with its whole count: the same (epoch, id, key) replaces what was said before. */
  publish(finding: Finding): void
  publishEpoch(epoch: Epoch): void
  /** What is published from here on counts its epochs from 1 again. */
  startEpochsAnew(): void
  publishVerdict(verdict: Verdict): void
  /** What was seen of sites, each as it now stands: the same (epoch, host) replaces what was said before. */
  publishSites(sites: readonly SiteObservation[]): void
  /** What left outside and counts for the verdict, each as it now stands; not stored. */
  publishLeaks(leaks: readonly ReportLeak[]): void
  /** Figures of the moment, once a second; not stored. */
  publishStats(stats: Stats): void
  publishDns(rollup: DnsRollup): void
  publishStatistics(tally: CaptureTally): void
  /** What leaked by program and day since the last call. */
  publishLeakService(changes: readonly LeakServiceChange[]): void
  /** URL with a one-time code for a browser; undefined without loopback. */
  browserUrl(): string | undefined
  /** What the store still has to take. */
  state: ServiceState
  /** Stores what waits, tells the clients, ends. */
  close(): Promise<void>
}

/**
 * Opens store and doors; resolves when clients can come.
 * @throws OperatorError of the store, the socket, the port or the token file
 */
export async function startService(options: ServiceOptions): Promise<Service> {
  const started = utcTime(Date.now() * 1000)
  let reader: StoreReader
  let epochBase = 0
  let lastSeq = 0
  let epoch: Epoch | undefined
  let verdict: Verdict | undefined
  let stats: Stats | undefined

  const thread = await startStoreThread({
    path: options.storePath,
    retention: options.retention ?? DEFAULT_RETENTION,
    retentionEveryMs: RETENTION_EVERY_MS,
    onReplaced(setAside) {
      tellSetAside(setAside)
      reader.close()
      lastSaid.clear()
      openNewReader()
      // Another store, other numbers: clients see it in the next hello.
      stream.restart()
    },
    onDeath: options.onFatal,
  })
  openNewReader()
  if (thread.setAside !== undefined) tellSetAside(thread.setAside)
  epochBase = reader!.lastEpoch()

  const leaked = createLeakTotals()
  const leaks = createRecentLeaks()
  const queue = createStoreQueue({ write: thread.write, onStored, onPaused, onResumed })
  const totals = createServiceTotals()
  const state: ServiceState = {
    version: options.version,
    started,
    reader: () => reader,
    lastSeq: () => lastSeq,
    epoch: () => epoch,
    firstEpoch: () => epochBase + 1,
    verdict: () => verdict,
    stats: () => stats,
    store: () => queue.state(),
    leaked: leaked.all,
    leaks: leaks.last,
    interfaces: () => options.interfaces(),
    resolverTotals: totals.resolvers,
    interfaceTotals: totals.interfaces,
  }
  const stream = createStream(state, { ...STREAM_LIMITS, ...options.streamLimits })
  let pause: Finding | undefined
  let pausedAt = 0

  const lastSaid = new Map<string, string>()
  const doors: Door[] = []
  const browserUrl = () => doors.map((door) => door.browserUrl()).find((url) => url !== '')
  const doorOptions = { service: state, stream, limits: SERVER_LIMITS, browserUrl }
  try {
    if (options.socketPath !== undefined) {
      doors.push(await openSocketDoor(options.socketPath, SOCKET_GROUP, doorOptions))
    }
    if (options.loopback !== undefined) {
      const { host, port, tokenPath } = options.loopback
      doors.push(await openLoopbackDoor(host, port, loadToken(tokenPath), readPageFiles(), doorOptions))
    }
  } catch (error) {
    stream.close()
    for (const door of doors) await door.close()
    reader!.close()
    await thread.close()
    throw error
  }

  /** Whether this is not what was said last of the same thing; a new number for old news would be noise to every client. */
  function isNews(name: string, body: string): boolean {
    if (lastSaid.get(name) === body) return false
    lastSaid.delete(name)
    lastSaid.set(name, body)
    if (lastSaid.size > MAX_REMEMBERED) lastSaid.delete(lastSaid.keys().next().value!)
    return true
  }

  function openNewReader(): void {
    reader = openReader(options.storePath)
    lastSeq = reader.lastSeq()
  }

  function tellSetAside({ path, reason }: SetAside): void {
    options.tell('warn', `The store ${options.storePath} was moved to ${path}, because ${reason}; a new one is begun.`)
  }

  /** Stored: now it may be seen. */
  function onStored(records: readonly StoreRecord[], places: readonly StoredPlace[]): void {
    const messages: StoredMessage[] = []
    for (let index = 0; index < records.length; index++) {
      const message = storedMessage(records[index]!, places[index]!)
      if (message !== undefined) messages.push(message)
    }
    if (messages.length === 0) return
    lastSeq = messages.at(-1)!.seq
    stream.publish(messages)
    if (options.eventLog === undefined) return
    for (const { kind, body } of messages) {
      if (kind === 'finding') options.eventLog.write(findingLine(JSON.parse(body) as Finding))
    }
  }

  function onPaused(code: string, message: string): void {
    const reason = code === 'SQLITE_FULL' ? 'the disk is full' : message
    options.tell('error', `The store ${options.storePath} cannot be written (${reason}); findings wait in memory.`)
    const now = utcTime(Date.now() * 1000)
    pausedAt = performance.now()
    pause = storePaused({ time: now, epoch: epoch?.id ?? epochBase, path: options.storePath, reason, code })
    queue.push(findingRecord(pause), true)
    if (stats !== undefined) stream.publishStats()
  }

  function onResumed(): void {
    const { lost, waiting } = queue.state()
    const micros = (performance.now() - pausedAt) * 1000
    // The clock may have been set meanwhile.
    const last = utcTime(Math.max(Date.now(), Date.parse(pause!.time)) * 1000)
    options.tell(
      'info',
      `The store is written again after ${durationText(micros)}; ${waiting} records wait, ${lost} were lost.`,
    )
    queue.push(findingRecord(storeResumed(pause!, last, lost)), true)
    pause = undefined
  }

  return {
    addresses: doors.map((door) => door.address),
    state,
    publish: (finding) => queue.push(findingRecord(inStoreNumbers(finding, epochBase))),
    publishEpoch(next) {
      const numbered = { ...next, id: next.id + epochBase }
      if (numbered.id >= (epoch?.id ?? 0)) epoch = numbered
      const record = epochRecord(numbered)
      if (isNews(`epoch ${numbered.id}`, record.body)) queue.push(record)
    },
    startEpochsAnew() {
      epochBase = epoch?.id ?? epochBase
      leaks.clear()
    },
    publishVerdict(next) {
      verdict = next
      const record = verdictRecord(next)
      if (isNews('verdict', record.body)) queue.push(record)
    },
    publishSites(sites) {
      for (const site of sites) queue.push(siteRecord({ ...site, epoch: site.epoch + epochBase }))
    },
    publishLeaks(told) {
      for (const leak of told) leaks.add({ ...leak, epoch: leak.epoch + epochBase })
    },
    publishStats(next) {
      stats = next
      stream.publishStats()
    },
    publishDns(rollup) {
      totals.dns(rollup)
      queue.push({ kind: 'dns', ...rollup, epoch: rollup.epoch + epochBase })
    },
    publishStatistics(tally) {
      totals.capture(tally)
      queue.push({ kind: 'statistics', ...tally })
    },
    publishLeakService(changes) {
      for (const change of changes) {
        leaked.add(change)
        queue.push(leakServiceRecord(change))
      }
    },
    browserUrl,
    async close() {
      const isStored = await queue.drain(CLOSE_WAIT_MS)
      if (!isStored) options.tell('error', `${queue.state().waiting} records could not be stored before the end.`)
      stream.close()
      await Promise.all(doors.map((door) => door.close()))
      reader.close()
      await thread.close()
      await options.eventLog?.close()
    },
  }
}

/** The stream's form of a record; undefined for what is not of the stream. */
function storedMessage(record: StoreRecord, { seq, number }: StoredPlace): StoredMessage | undefined {
  if (seq === 0) return undefined
  if (record.kind === 'finding') {
    const { body, severity, id, site } = record
    return { seq, kind: 'finding', number, body, severity, id, interface: record.interface, site }
  }
  if (record.kind !== 'epoch' && record.kind !== 'verdict') return undefined
  return { seq, kind: record.kind, number, body: record.body, severity: -1, id: '', interface: null, site: null }
}
