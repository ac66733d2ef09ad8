// What the analysis is given beside the packets, and what it can be asked.
import type { OwnerLookup } from '../model/address-owner.ts'
import type { DecodedBatch } from '../model/decoded-batch.ts'
import type { FactHandlers } from '../model/facts.ts'
import type { Finding } from '../model/finding.ts'
import type { PacketBatch } from '../model/packet-batch.ts'
import type { LeakServiceChange, Report, ReportLeak } from '../model/report.ts'
import type { SiteObservation } from '../model/site.ts'
import type { ReportOverview } from './build-report.ts'
import type { Ciphers } from './ciphers.ts'
import type { KeyLog } from './key-log.ts'
import type { JudgementOptions } from './known-network.ts'
import type { RoleOptions } from './roles.ts'
import type { Inflate } from './trackers/compressed-payloads.ts'
import type { NetworkHistory } from './trackers/network-history.ts'
import type { ProbeChoice } from './trackers/sites.ts'

export interface AnalyzerOptions extends RoleOptions, JudgementOptions {
  version: string
  /** Addresses of the VPN's own resolvers, where the operator names them. */
  vpnResolvers: readonly string[]
  /** Encrypted resolvers beside the known ones, names or addresses. */
  encryptedResolvers?: readonly string[]
  /** For QUIC's first packets; without it QUIC stays closed, and TLS too. */
  crypto?: Ciphers
  /** Secrets of TLS connections that the operator handed over; without them TLS stays closed. */
  keyLog?: KeyLog
  /** For IPComp; without it compressed packets stay closed. */
  inflate?: Inflate
  /** What the kernel tells of the network; without it the times of the tunnel are read from the capture. */
  network?: NetworkHistory
  /** Who runs an address, from a database the operator gave. */
  ownerOf?: OwnerLookup
  /** Names that were asked for are sites without a connection too: for `compare`. */
  namesAreSites?: boolean
  /** Flows followed at once; MAX_FLOWS unless given. */
  maxFlows?: number
  /** Further listeners to facts (event lines, the store). */
  listeners?: readonly FactHandlers[]
}

export interface Analyzer {
  /** Analyses one decoded batch; afterwards its memory may be released. */
  consume(batch: PacketBatch, out: DecodedBatch): void
  /** Time has reached `timeMicros` (never back): what waited for a deadline before it is decided. */
  tick(timeMicros: number): void
  /** All input has been read. Call once. */
  end(): void
  /** Findings that are new or have grown since the last call. */
  takeFindings(): Finding[]
  /** What was seen of sites that are new or have changed since the last call, at most `limit` of them. */
  takeSites(limit: number): SiteObservation[]
  /** What was seen of some of our own probes (`ownProbes`), after end(). */
  observe(choice: ProbeChoice): SiteObservation | undefined
  /** What leaked by program and day since the last call. */
  takeLeakService(): LeakServiceChange[]
  /** What counts for the verdict and is new or was counted again since the last call, at most `limit` of them. */
  takeLeaks(limit: number): ReportLeak[]
  /**
   * The earliest epoch with a question that was judged since the last call, Infinity when none was: what leaves while the
   * tunnel is lost is judged when it is back, epochs later.
   */
  takeJudgedFrom(): number
  /** The verdict, the epochs from `firstEpoch` on and the interfaces as a report has them, at little cost. */
  overview(firstEpoch: number): ReportOverview
  /** The report as of now; complete after end(). */
  report(): Report
}
