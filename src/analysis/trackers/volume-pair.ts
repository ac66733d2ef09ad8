// HOT PATH. How closely the volume of one outer flow follows that of one tunnel interface, moment by moment: the
// fallback of the inner/outer join for transports that pad, cut or join packets (rules.md part 5).

/** Moments with traffic inside before anything is said, and when there are many. */
const MIN_MOMENTS = 16
const MANY_MOMENTS = 40
/** Of the moments with traffic inside so many must have some outside, and of the bytes outside so many must fall there. */
const MIN_FOLLOWED = 0.95
const MIN_AT_SUCH_MOMENTS = 0.9
/** Correlation that is asked for in each direction, of few and of many moments, and below which a claim is withdrawn. */
const MIN_CORRELATION_OF_FEW = 0.95
const MIN_CORRELATION = 0.9
const KEEP_CORRELATION = 0.8
/** A tunnel's transport carries more than what is inside. The image of a flow by address translation has the same bytes. */
const MIN_GROWTH = 1.002
/** Inner flows that were alone at some moment and yet outside: what forwards one flow does not carry the others. */
const MIN_FLOWS = 3

/** What is added up, in one array: numbers in fields would be objects. Series first, with their squares behind them. */
const UP = 0
const DOWN = 1
const LOWER = 2
const HIGHER = 3
const SQUARES = 4
/** Products of two series. */
const UP_LOWER = 8
const DOWN_HIGHER = 9
const UP_HIGHER = 10
const DOWN_LOWER = 11
/** Bytes, each counted once. */
const BYTES = 12
/** Bytes outside around moments, all and those with traffic inside. */
const OUTER_BYTES = 16
const OUTER_BYTES_THEN = 17
const CORRELATION = 18
const SUMS_LEN = 19

/** Up is what this machine sends inside; lower and higher are the outer ends. */
export class VolumePair {
  /** The flow has what a tunnel's transport has. */
  isProven = false
  /** As the last judgement found it: the outer flow's lower end is this machine. */
  machineIsLower = true
  moments = 0
  #followed = 0
  #rows = 0
  #flows = 0
  readonly #sums = new Float64Array(SUMS_LEN)

  /** Another flow takes its place. */
  reset(): void {
    this.isProven = false
    this.machineIsLower = true
    this.moments = 0
    this.#followed = 0
    this.#rows = 0
    this.#flows = 0
    this.#sums.fill(0)
  }

  /** Bytes within one moment, each counted in one call only. `soloFlow`: a bit for the only inner flow, 0 when there were several. */
  count(up: number, down: number, lower: number, higher: number, soloFlow: number): void {
    const sums = this.#sums
    sums[BYTES + UP] = sums[BYTES + UP]! + up
    sums[BYTES + DOWN] = sums[BYTES + DOWN]! + down
    sums[BYTES + LOWER] = sums[BYTES + LOWER]! + lower
    sums[BYTES + HIGHER] = sums[BYTES + HIGHER]! + higher
    if (up > 0 && lower + higher > 0) this.#flows |= soloFlow
  }

  /** Bytes around a moment. */
  compare(up: number, down: number, lower: number, higher: number): void {
    const sums = this.#sums
    const inside = up + down
    const outside = lower + higher
    sums[OUTER_BYTES] = sums[OUTER_BYTES]! + outside
    if (inside > 0) {
      this.moments++
      sums[OUTER_BYTES_THEN] = sums[OUTER_BYTES_THEN]! + outside
      if (outside > 0) this.#followed++
    }
    // Roots keep one download from being all there is to compare; their squares are the bytes again.
    const u = Math.sqrt(up)
    const d = Math.sqrt(down)
    const l = Math.sqrt(lower)
    const h = Math.sqrt(higher)
    sums[UP] = sums[UP]! + u
    sums[DOWN] = sums[DOWN]! + d
    sums[LOWER] = sums[LOWER]! + l
    sums[HIGHER] = sums[HIGHER]! + h
    sums[SQUARES + UP] = sums[SQUARES + UP]! + up
    sums[SQUARES + DOWN] = sums[SQUARES + DOWN]! + down
    sums[SQUARES + LOWER] = sums[SQUARES + LOWER]! + lower
    sums[SQUARES + HIGHER] = sums[SQUARES + HIGHER]! + higher
    sums[UP_LOWER] = sums[UP_LOWER]! + u * l
    sums[DOWN_HIGHER] = sums[DOWN_HIGHER]! + d * h
    sums[UP_HIGHER] = sums[UP_HIGHER]! + u * h
    sums[DOWN_LOWER] = sums[DOWN_LOWER]! + d * l
    this.#rows++
    if (this.moments >= MIN_MOMENTS) this.#judge()
  }

  /** The lower correlation of both directions at the last judgement. */
  get correlation(): number {
    return this.#sums[CORRELATION]!
  }

  /** Bytes outside beyond those inside, as a share of those. */
  get growth(): number {
    const sums = this.#sums
    return (sums[BYTES + LOWER]! + sums[BYTES + HIGHER]!) / (sums[BYTES + UP]! + sums[BYTES + DOWN]!) - 1
  }

  /** What is cheap to ask comes first: hardly any flow passes that. */
  #judge(): void {
    const sums = this.#sums
    const mayBeLower = this.#outgrows(LOWER, HIGHER)
    const mayBeHigher = this.#outgrows(HIGHER, LOWER)
    if (
      (!mayBeLower && !mayBeHigher) ||
      this.#followed < this.moments * MIN_FOLLOWED ||
      sums[OUTER_BYTES_THEN]! < sums[OUTER_BYTES]! * MIN_AT_SUCH_MOMENTS ||
      !hasBits(this.#flows, MIN_FLOWS)
    ) {
      this.isProven = false
      return
    }
    const asLower = mayBeLower
      ? Math.min(this.#correlate(UP, LOWER, UP_LOWER), this.#correlate(DOWN, HIGHER, DOWN_HIGHER))
      : 0
    const asHigher = mayBeHigher
      ? Math.min(this.#correlate(UP, HIGHER, UP_HIGHER), this.#correlate(DOWN, LOWER, DOWN_LOWER))
      : 0
    this.machineIsLower = asLower >= asHigher
    sums[CORRELATION] = Math.max(asLower, asHigher)
    const asked = this.moments < MANY_MOMENTS ? MIN_CORRELATION_OF_FEW : MIN_CORRELATION
    this.isProven = sums[CORRELATION]! >= (this.isProven ? KEEP_CORRELATION : asked)
  }

  #outgrows(sent: number, received: number): boolean {
    const sums = this.#sums
    return (
      sums[BYTES + sent]! >= sums[BYTES + UP]! * MIN_GROWTH &&
      sums[BYTES + received]! >= sums[BYTES + DOWN]! * MIN_GROWTH
    )
  }

  /** Pearson's coefficient over all rows; 0 when one side never changed. */
  #correlate(x: number, y: number, product: number): number {
    const sums = this.#sums
    const rows = this.#rows
    const xSpread = rows * sums[SQUARES + x]! - sums[x]! * sums[x]!
    const ySpread = rows * sums[SQUARES + y]! - sums[y]! * sums[y]!
    if (xSpread <= 0 || ySpread <= 0) return 0
    return (rows * sums[product]! - sums[x]! * sums[y]!) / Math.sqrt(xSpread * ySpread)
  }
}

function hasBits(bits: number, least: number): boolean {
  let count = 0
  for (let rest = bits >>> 0; rest !== 0; rest = (rest & (rest - 1)) >>> 0) count++
  return count >= least
}
