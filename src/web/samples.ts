// The last minutes by the second, for the chart: packets, and the DNS questions inside and outside the tunnel. Totals go in,
// what was new in each second comes out.

/** One second. */
export interface Sample {
  /** The daemon's time in milliseconds. */
  readonly atMillis: number
  readonly packetsPerSecond: number
  readonly inside: number
  /** Outside, counted as leaked. */
  readonly leaked: number
  /** Outside for a legitimate reason. */
  readonly expected: number
}

/** Counted since the daemon began. `leaked` may be unknown; then all that is outside counts as leaked or expected. */
export interface QuestionTotals {
  readonly inside: number
  readonly outside: number
  readonly leaked: number | undefined
}

export interface Samples {
  add(atMillis: number, packetsPerSecond: number, totals: QuestionTotals): void
  /** What follows has nothing to do with what was before: another connection, another run. */
  interrupt(): void
  all(): readonly Sample[]
}

/** The time that the chart shows. */
export const SHOWN_SECONDS = 300

export function createSamples(): Samples {
  let samples: Sample[] = []
  let before: QuestionTotals | undefined

  return {
    add(atMillis, packetsPerSecond, totals) {
      const last = samples.at(-1)
      // The daemon's clock was set back: times would run over each other.
      if (last !== undefined && atMillis <= last.atMillis) samples = []
      const outside = more(before?.outside, totals.outside)
      const leaked = Math.min(outside, more(before?.leaked, totals.leaked ?? 0))
      const inside = more(before?.inside, totals.inside)
      samples.push({ atMillis, packetsPerSecond, inside, leaked, expected: outside - leaked })
      if (samples.length > SHOWN_SECONDS + 1) samples.shift()
      before = totals
    },
    interrupt() {
      before = undefined
    },
    all: () => samples,
  }
}

/** Without a total from before nothing is known to be new; a smaller total is another run's. */
function more(before: number | undefined, now: number): number {
  return before === undefined ? 0 : Math.max(0, now - before)
}
