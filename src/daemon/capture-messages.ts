// What the capturing thread and the one that started it say to each other.
import type { Finding } from '../model/finding.ts'
import type { Epoch, LeakServiceChange, ReportInterface, ReportLeak, Stats, Verdict } from '../model/report.ts'
import type { SiteObservation } from '../model/site.ts'
import type { CaptureTally, DnsRollup } from '../store/records.ts'
import type { EvidenceLimits, EvidenceOptions } from './evidence.ts'

export interface CaptureOptions {
  readonly version: string
  /** Names chosen with -i; absent = all. */
  readonly interfaces?: readonly string[]
  /** tcpdump's filter language. */
  readonly expression?: string
  /** Bytes kept of a packet. */
  readonly snapLen?: number
  /** Ends the capture after so many packets. */
  readonly packetCount?: number
  /** A pcapng of everything that is captured. */
  readonly writePath?: string
  /** What the operator called it. */
  readonly writeName?: string
  readonly ringLen?: number
  /** `cap`: npm cap in child processes. */
  readonly backend?: 'ring' | 'cap'
  /** A packet socket opened before the rights were dropped. */
  readonly socket?: number
  /** Absent: no packets of findings are kept. */
  readonly evidence?: EvidenceOptions
  /** An AS-number database that says who runs an address. */
  readonly asDatabase?: string
  readonly tunnels: readonly string[]
  readonly physicals: readonly string[]
  readonly vpnResolvers: readonly string[]
  /** VPN servers that the operator names. */
  readonly endpoints?: readonly string[]
  /** Encrypted resolvers that the operator names. */
  readonly encryptedResolvers?: readonly string[]
}

/** What changed of the machine's network, and the verdict with it. */
export interface Overview {
  readonly verdict: Verdict
  /** Those that are new or have changed since the last overview. */
  readonly epochs: readonly Epoch[]
  readonly interfaces: readonly ReportInterface[]
}

export type ToCaptureWorker =
  | { readonly type: 'report' }
  | { readonly type: 'stop' }
  | { readonly type: 'evidence'; readonly limits: EvidenceLimits }

export type FromCaptureWorker =
  /** Packets from now on are seen. */
  | { readonly type: 'ready'; readonly interfaces: readonly WatchedInterface[]; readonly shortage: string | undefined }
  | { readonly type: 'refused'; readonly code: string; readonly sentence: string }
  | { readonly type: 'findings'; readonly findings: readonly Finding[] }
  | { readonly type: 'overview'; readonly overview: Overview }
  /** What is new of sites, each as it now stands. */
  | { readonly type: 'sites'; readonly sites: readonly SiteObservation[] }
  /** What left outside and counts for the verdict, each as it now stands. */
  | { readonly type: 'leaks'; readonly leaks: readonly ReportLeak[] }
  /** Once a second, when there is any. */
  | { readonly type: 'leak-service'; readonly changes: readonly LeakServiceChange[] }
  | { readonly type: 'stats'; readonly stats: Stats }
  | { readonly type: 'dns'; readonly rollups: readonly DnsRollup[] }
  | { readonly type: 'tallies'; readonly tallies: readonly CaptureTally[] }
  /** Somebody set the clock, forward positive: what comes from here on is of a new analysis, its epochs count from 1. */
  | { readonly type: 'clock-set'; readonly byMillis: number }
  /** The file of -w cannot be written any more; the capture goes on. */
  | { readonly type: 'trouble'; readonly sentence: string }
  /** JSON of the report. */
  | { readonly type: 'report'; readonly json: string }
  | {
      readonly type: 'ended'
      readonly json: string
      readonly packets: number
      readonly dropped: number
      readonly isFileCut: boolean
    }

/** One interface as it is at the start. */
export interface WatchedInterface {
  readonly name: string
  readonly role: string
  readonly isWatched: boolean
}
