// What the routes and the stream ask the service for. The daemon gives it; a test gives its own.
import type { DnsTransport } from '../model/dns-facts.ts'
import type { Epoch, ReportInterface, ReportLeak, Stats, Verdict } from '../model/report.ts'
import type { StoreReader } from '../store/reader.ts'

/** How the store does. */
export interface StoreHealth {
  readonly paused: boolean
  /** Why it is paused. */
  readonly reason?: string
  /** Records waiting for it. */
  readonly waiting: number
  /** Records it could not take. */
  readonly lost: number
  /** Records folded into one that still waited. */
  readonly folded: number
}

/** What was asked of one resolver in this run. */
export interface ResolverTotals {
  readonly server: string
  readonly transport: DnsTransport
  readonly interface: string
  readonly side: 'tunnel' | 'outside'
  readonly queries: number
  readonly answered: number
  readonly failed: number
  /** Counts by LATENCY_BOUNDS_MS, the last one above all of them. */
  readonly latency: readonly number[]
  /** Their sum. */
  readonly latencyMicros: number
}

/** What one interface carried in this run. */
export interface InterfaceTotals {
  readonly interface: string
  readonly packets: number
  readonly bytes: number
}

/** What one program leaked since the service started. */
export interface LeakTotal {
  readonly app: string
  readonly questions: number
  /** Added up over the questions. */
  readonly outsideMs: number
}

/** What counts for the verdict of this run, the last ones first. */
export interface LeaksSeen {
  readonly leaks: readonly ReportLeak[]
  /** Older ones that are not kept any more. */
  readonly forgotten: number
}

export interface ServiceState {
  readonly version: string
  /** ISO 8601, when the service started. */
  readonly started: string
  /** The reader of the store now in use. */
  reader(): StoreReader
  /** The last number of the stream that was stored and handed to the stream. */
  lastSeq(): number
  epoch(): Epoch | undefined
  /** The epoch with which the verdict begins. */
  firstEpoch(): number
  verdict(): Verdict | undefined
  stats(): Stats | undefined
  store(): StoreHealth
  /** By program, in the order they were met. */
  leaked(): readonly LeakTotal[]
  leaks(limit: number): LeaksSeen
  interfaces(): ReportInterface[]
  resolverTotals(): readonly ResolverTotals[]
  interfaceTotals(): readonly InterfaceTotals[]
}
