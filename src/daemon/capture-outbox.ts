// What leaves the capturing thread, and how often.
import type { Analyzer } from '../analysis/analyzer-interface.ts'
import type { ReportOverview } from '../analysis/build-report.ts'
import type { LiveSource } from '../capture/source.ts'
import type { Finding } from '../model/finding.ts'
import { utcTime } from '../text/timestamp.ts'
import type { FromCaptureWorker } from './capture-messages.ts'
import { createCaptureTallies } from './capture-tally.ts'
import type { DnsRollups } from './dns-rollups.ts'

/** Findings leave at most so often: a person sees no difference, and a finding that grows is worded once. */
const FLUSH_MILLIS = 5

/** A machine that visits more of them at once tells the rest a second later: some 10 ms of work. */
const SITES_PER_MESSAGE = 500

/** The same for what left outside the tunnel. */
const LEAKS_PER_MESSAGE = 500

const NONE: readonly Finding[] = []

/** What leaves the thread, and when. */
export class CaptureOutbox {
  #analyzer: Analyzer
  readonly #source: LiveSource
  readonly #tell: (message: FromCaptureWorker) => void
  #rollups: DnsRollups
  readonly #tallies = createCaptureTallies()
  #flushedAt = 0
  #firstEpoch = 1
  #verdict = ''
  #packets = 0
  #bytes = 0
  #countedAt = performance.now()

  constructor(analyzer: Analyzer, source: LiveSource, rollups: DnsRollups, tell: (message: FromCaptureWorker) => void) {
    this.#rollups = rollups
    this.#tell = tell
    this.#analyzer = analyzer
    this.#source = source
  }

  /** From now on it is this analyzer's word; what the other one had to say has been sent. */
  startAnew(analyzer: Analyzer, rollups: DnsRollups): void {
    this.#analyzer = analyzer
    this.#rollups = rollups
    this.#tallies.startAnew()
    this.#firstEpoch = 1
    this.#verdict = ''
  }

  /** Everything the analyzer has to say at its end; gives back the findings. */
  end(): readonly Finding[] {
    const findings = this.#analyzer.takeFindings()
    if (findings.length > 0) this.#tell({ type: 'findings', findings })
    this.statistics()
    this.overview()
    this.leakService()
    while (this.sites());
    while (this.leaks());
    return findings
  }

  /** Sends what is new, unless something left a moment ago, and gives it back. `now`: performance.now(). */
  findings(now: number): readonly Finding[] {
    if (now - this.#flushedAt < FLUSH_MILLIS) return NONE
    const findings = this.#analyzer.takeFindings()
    if (findings.length === 0) return NONE
    this.#flushedAt = now
    this.#tell({ type: 'findings', findings })
    return findings
  }

  /** The network and the verdict as they are now. */
  overview(): void {
    this.#tellOverview(this.#currentOverview())
  }

  /** With all epochs that are new, or have changed since they were told. */
  #currentOverview(): ReportOverview {
    this.#firstEpoch = Math.min(this.#firstEpoch, this.#analyzer.takeJudgedFrom())
    return this.#analyzer.overview(this.#firstEpoch)
  }

  #tellOverview(overview: ReportOverview): void {
    const last = overview.epochs.at(-1)
    if (last !== undefined) this.#firstEpoch = last.id
    this.#verdict = JSON.stringify(overview.verdict)
    this.#tell({ type: 'overview', overview })
  }

  /** What leaked by program and day since the last time. */
  leakService(): void {
    const changes = this.#analyzer.takeLeakService()
    if (changes.length > 0) this.#tell({ type: 'leak-service', changes })
  }

  /** What is new of sites, so many at a time; true when there is more. */
  sites(): boolean {
    const sites = this.#analyzer.takeSites(SITES_PER_MESSAGE)
    if (sites.length > 0) this.#tell({ type: 'sites', sites })
    return sites.length === SITES_PER_MESSAGE
  }

  /** What left outside the tunnel, so many at a time; true when there is more. */
  leaks(): boolean {
    const leaks = this.#analyzer.takeLeaks(LEAKS_PER_MESSAGE)
    if (leaks.length > 0) this.#tell({ type: 'leaks', leaks })
    return leaks.length === LEAKS_PER_MESSAGE
  }

  /** Once a second and at the end: the kernel's counters, what flowed and was asked, and the verdict when it is another one. */
  statistics(): void {
    const { dropped } = this.#source.statistics()
    const { packets, bytes } = this.#source.inputs[0]!
    const now = performance.now()
    const seconds = (now - this.#countedAt) / 1000
    const overview = this.#currentOverview()
    const { verdict, epochs, interfaces } = overview
    const epoch = epochs.at(-1)
    const resolver = epoch?.resolvers[0]
    this.#tell({
      type: 'stats',
      stats: {
        time: utcTime(Date.now() * 1000),
        packets,
        packetsPerSecond: Math.round((packets - this.#packets) / seconds),
        bytesPerSecond: Math.round((bytes - this.#bytes) / seconds),
        dropped,
        tunnel: epoch === undefined || !epoch.connected ? 'none' : epoch.tunnelUp ? 'up' : 'down',
        ...(resolver === undefined ? {} : { resolver }),
      },
    })
    this.#packets = packets
    this.#bytes = bytes
    this.#countedAt = now
    if (JSON.stringify(verdict) !== this.#verdict) this.#tellOverview(overview)
    const tallies = this.#tallies.take(this.#source.caughtUpMicros, interfaces, dropped)
    if (tallies.length > 0) this.#tell({ type: 'tallies', tallies })
    this.#rollups.flush()
    this.sites()
    this.leaks()
  }
}
