// The chart's geometry: samples in, path data of SVG out. One second is one unit wide, the right edge is now.
import { type Sample, SHOWN_SECONDS } from './samples.ts'

export interface Chart {
  /** The packets' line, and the area below it. */
  readonly line: string
  readonly area: string
  readonly packetsTop: number
  /** Bars above and below the middle: questions inside, leaked, and outside for a legitimate reason. */
  readonly inside: string
  readonly leaked: string
  readonly expected: string
  readonly questionsTop: number
}

/** Heights of the two drawings. */
export const PACKETS_HEIGHT = 60
export const QUESTIONS_HEIGHT = 60

/** A second without a sample is a gap, not a zero; a late one is late by less than this. */
const GAP_MILLIS = 2500
const BAR_WIDTH = 0.7
const MIN_PACKETS_TOP = 10
const MIN_QUESTIONS_TOP = 4

/** `nowMillis` is the daemon's time at the right edge. */
export function chartOf(samples: readonly Sample[], nowMillis: number): Chart {
  const inSight = samples.filter(({ atMillis }) => nowMillis - atMillis <= SHOWN_SECONDS * 1000)
  const packetsTop = niceTop(
    greatest(inSight, (one) => one.packetsPerSecond),
    MIN_PACKETS_TOP,
  )
  const questionsTop = niceTop(
    greatest(inSight, (one) => Math.max(one.inside, one.leaked + one.expected)),
    MIN_QUESTIONS_TOP,
  )
  const xOf = (atMillis: number) => rounded(SHOWN_SECONDS - (nowMillis - atMillis) / 1000)
  let line = ''
  let area = ''
  for (const run of unbroken(inSight)) {
    const points = run.map(
      (one) => `${xOf(one.atMillis)} ${rounded(PACKETS_HEIGHT * (1 - one.packetsPerSecond / packetsTop))}`,
    )
    const path = `M${points.join('L')}`
    line += path
    area += `${path}V${PACKETS_HEIGHT}H${xOf(run[0]!.atMillis)}Z`
  }
  const middle = QUESTIONS_HEIGHT / 2
  const bar = (one: Sample, from: number, to: number) =>
    from === to ? '' : `M${xOf(one.atMillis)} ${rounded(from)}V${rounded(to)}h${-BAR_WIDTH}V${rounded(from)}Z`
  const y = (count: number) => middle + (count / questionsTop) * middle
  return {
    line,
    area,
    packetsTop,
    questionsTop,
    inside: inSight.map((one) => bar(one, middle, y(-one.inside))).join(''),
    leaked: inSight.map((one) => bar(one, middle, y(one.leaked))).join(''),
    expected: inSight.map((one) => bar(one, y(one.leaked), y(one.leaked + one.expected))).join(''),
  }
}

/** Runs of samples that follow each other by the second. */
function unbroken(samples: readonly Sample[]): Sample[][] {
  const runs: Sample[][] = []
  let last: Sample | undefined
  for (const one of samples) {
    if (last === undefined || one.atMillis - last.atMillis > GAP_MILLIS) runs.push([])
    runs.at(-1)!.push(one)
    last = one
  }
  return runs
}

function greatest(samples: readonly Sample[], measure: (sample: Sample) => number): number {
  return samples.reduce((most, one) => Math.max(most, measure(one)), 0)
}

/** The next number above that people count in: 1, 2 or 5 with zeros. */
export function niceTop(most: number, least: number): number {
  if (most <= least) return least
  const power = 10 ** Math.floor(Math.log10(most))
  return [1, 2, 5, 10].map((factor) => factor * power).find((top) => top >= most)!
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
