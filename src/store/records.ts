// What the store is given: rows ready to be bound, made where the engine's objects are still at hand. The finding's
// body is serialised once, here; the same text is stored, streamed and served.
import type { AddressOwner } from '../model/address-owner.ts'
import type { DnsTransport } from '../model/dns-facts.ts'
import { type Finding, SEVERITY_RANK } from '../model/finding.ts'
import type { Epoch, LeakServiceChange, Verdict } from '../model/report.ts'
import type { SiteObservation } from '../model/site.ts'

/** Upper bounds of the latency histogram, milliseconds; one more bucket holds what is above the last. */
export const LATENCY_BOUNDS_MS: readonly number[] = Object.freeze([
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000,
])
export const LATENCY_BUCKETS = LATENCY_BOUNDS_MS.length + 1

export interface FindingRecord {
  readonly kind: 'finding'
  readonly id: string
  readonly key: string
  readonly epoch: number
  /** SEVERITY_RANK. */
  readonly severity: number
  readonly interface: string | null
  /** The site or name it is about, lower case. */
  readonly site: string | null
  /** Microseconds since 1970. */
  readonly firstMicros: number
  readonly lastMicros: number
  readonly count: number
  /** JSON of the Finding. */
  readonly body: string
}

export interface EpochRecord {
  readonly kind: 'epoch'
  readonly id: number
  readonly startMicros: number
  readonly endMicros: number | null
  /** JSON of the Epoch. */
  readonly body: string
}

/** What was seen of one site in one epoch, as it now stands: it replaces what was said of them before. */
export interface SiteRecord {
  readonly kind: 'site'
  readonly epoch: number
  readonly host: string
  readonly lastMicros: number
  /** JSON of the SiteObservation. */
  readonly body: string
}

export interface VerdictRecord {
  readonly kind: 'verdict'
  /** JSON of the Verdict. */
  readonly body: string
}

/** What was asked of one resolver about one (name, type) since the last such record: numbers are added to the store's. */
export interface DnsRollup {
  readonly epoch: number
  readonly server: string
  readonly port: number
  readonly transport: DnsTransport
  readonly interface: string
  readonly side: 'tunnel' | 'outside'
  readonly name: string
  /** DNS record type by number; 0, and no name, when the transport hides the question. */
  readonly type: number
  readonly queries: number
  readonly answered: number
  /** Answered with an rcode other than NOERROR and NXDOMAIN. */
  readonly failed: number
  readonly firstMicros: number
  readonly lastMicros: number
  /** LATENCY_BUCKETS counts. */
  readonly latency: readonly number[]
  /** Sum of the answers' latencies; for the counters of a run, not stored. */
  readonly latencyMicros: number
  /** Who runs the server, where a database says so. */
  readonly owner?: AddressOwner
}

export interface DnsRecord extends DnsRollup {
  readonly kind: 'dns'
}

/** What one interface carried within one minute since the last such record: numbers are added to the store's. */
export interface CaptureTally {
  /** Microseconds of the minute's start. */
  readonly minuteMicros: number
  readonly interface: string
  readonly packets: number
  readonly bytes: number
  readonly dropped: number
}

export interface StatisticsRecord extends CaptureTally {
  readonly kind: 'statistics'
}

/** What one program leaked on one day since the last such record: numbers are added to the store's, names are told apart. */
export interface LeakServiceRecord {
  readonly kind: 'leak-service'
  /** Microseconds of the day's start, UTC. */
  readonly dayMicros: number
  readonly app: string
  readonly questions: number
  /** Names that no earlier record of the day and program had. */
  readonly names: readonly string[]
  readonly outsideMicros: number
}

export type StoreRecord =
  | FindingRecord
  | EpochRecord
  | SiteRecord
  | VerdictRecord
  | DnsRecord
  | StatisticsRecord
  | LeakServiceRecord

/** What the store gave a record: its place in the stream, and for a finding its number for `export`. 0 = none. */
export interface StoredPlace {
  readonly seq: number
  readonly number: number
}

export function leakServiceRecord({ day, app, questions, newNames, outsideMs }: LeakServiceChange): LeakServiceRecord {
  return {
    kind: 'leak-service',
    dayMicros: isoMicros(`${day}T00:00:00Z`),
    app,
    questions,
    names: newNames,
    outsideMicros: Math.round(outsideMs * 1000),
  }
}

/** The finding as a row. A time that is no ISO 8601 time counts as 1970, so that retention takes it first. */
export function findingRecord(finding: Finding): FindingRecord {
  return {
    kind: 'finding',
    id: finding.id,
    key: finding.key,
    epoch: finding.epoch,
    severity: SEVERITY_RANK[finding.severity],
    interface: finding.interface ?? null,
    site: siteOf(finding),
    firstMicros: isoMicros(finding.time),
    lastMicros: isoMicros(finding.last),
    count: finding.count,
    body: JSON.stringify(finding),
  }
}

export function epochRecord(epoch: Epoch): EpochRecord {
  return {
    kind: 'epoch',
    id: epoch.id,
    startMicros: isoMicros(epoch.start),
    endMicros: epoch.end === undefined ? null : isoMicros(epoch.end),
    body: JSON.stringify(epoch),
  }
}

export function siteRecord(site: SiteObservation): SiteRecord {
  return {
    kind: 'site',
    epoch: site.epoch,
    host: site.host,
    lastMicros: isoMicros(site.last),
    body: JSON.stringify(site),
  }
}

export function verdictRecord(verdict: Verdict): VerdictRecord {
  return { kind: 'verdict', body: JSON.stringify(verdict) }
}

/** Lower-case host or name a finding is about, without the final dot; null when it is about none. */
function siteOf(finding: Finding): string | null {
  const site = finding.data.host ?? finding.data.name
  return typeof site === 'string' && site !== '' ? site.toLowerCase().replace(/\.$/, '') : null
}

/** Microseconds since 1970 of an ISO 8601 UTC time with up to six decimals; 0 when it is none. */
export function isoMicros(time: string): number {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6})\d*)?(?:Z|\+00:?00)$/.exec(time)
  if (match === null) return 0
  const millis = Date.parse(`${match[1]}Z`)
  return Number.isNaN(millis) ? 0 : millis * 1000 + Number((match[2] ?? '').padEnd(6, '0'))
}
