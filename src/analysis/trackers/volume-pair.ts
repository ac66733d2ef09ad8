// HOT PATH. How closely the volume of one outer flow follows that of one tunnel interface, moment by moment: the
// fallback of the inner/outer join for transports that pad, cut or join packets (rules.md part 5).

/** What Pearson needs of two series. */
interface Sums {
  x: number
  xx: number
  y: number
  yy: number
  xy: number
}

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

/** What a moment had inside and outside. Up is what this machine sends inside; lower and higher are the outer ends. */
export class VolumePair {
  /** The flow has what a tunnel's transport has. */
  isProven = false
  /** As the last judgement found it: the outer flow's lower end is this machine. */
  machineIsLower = true
  correlation = 0
  moments = 0
  #followed = 0
  #rows = 0
  #outerBytes = 0
  #outerBytesThen = 0
  #upBytes = 0
  #downBytes = 0
  #lowerBytes = 0
  #higherBytes = 0
  #flows = 0
  readonly #lowerAsUp = newSums()
  readonly #higherAsDown = newSums()
  readonly #higherAsUp = newSums()
  readonly #lowerAsDown = newSums()

  /** Bytes within one moment, each counted in one call only. `soloFlow`: a bit for the only inner flow, 0 when there were several. */
  count(up: number, down: number, lower: number, higher: number, soloFlow: number): void {
    this.#upBytes += up
    this.#downBytes += down
    this.#lowerBytes += lower
    this.#higherBytes += higher
    if (up > 0 && lower + higher > 0) this.#flows |= soloFlow
  }

  /** Bytes around a moment. */
  compare(up: number, down: number, lower: number, higher: number): void {
    const inside = up + down
    const outside = lower + higher
    this.#outerBytes += outside
    if (inside > 0) {
      this.moments++
      this.#outerBytesThen += outside
      if (outside > 0) this.#followed++
    }
    // Roots keep one download from being all there is to compare.
    const u = Math.sqrt(up)
    const d = Math.sqrt(down)
    const l = Math.sqrt(lower)
    const h = Math.sqrt(higher)
    add(this.#lowerAsUp, u, l)
    add(this.#higherAsDown, d, h)
    add(this.#higherAsUp, u, h)
    add(this.#lowerAsDown, d, l)
    this.#rows++
    if (this.moments >= MIN_MOMENTS) this.#judge()
  }

  /** Bytes outside beyond those inside, as a share of those. */
  get growth(): number {
    return (this.#lowerBytes + this.#higherBytes) / (this.#upBytes + this.#downBytes) - 1
  }

  #judge(): void {
    const { moments } = this
    const asLower = Math.min(this.#correlate(this.#lowerAsUp), this.#correlate(this.#higherAsDown))
    const asHigher = Math.min(this.#correlate(this.#higherAsUp), this.#correlate(this.#lowerAsDown))
    this.machineIsLower = asLower >= asHigher
    this.correlation = Math.max(asLower, asHigher)
    const sent = this.machineIsLower ? this.#lowerBytes : this.#higherBytes
    const received = this.machineIsLower ? this.#higherBytes : this.#lowerBytes
    const asked = moments < MANY_MOMENTS ? MIN_CORRELATION_OF_FEW : MIN_CORRELATION
    this.isProven =
      this.correlation >= (this.isProven ? KEEP_CORRELATION : asked) &&
      this.#followed >= moments * MIN_FOLLOWED &&
      this.#outerBytesThen >= this.#outerBytes * MIN_AT_SUCH_MOMENTS &&
      sent >= this.#upBytes * MIN_GROWTH &&
      received >= this.#downBytes * MIN_GROWTH &&
      hasBits(this.#flows, MIN_FLOWS)
  }

  /** Pearson's coefficient over all rows; 0 when one side never changed. */
  #correlate(sums: Sums): number {
    const rows = this.#rows
    const xSpread = rows * sums.xx - sums.x * sums.x
    const ySpread = rows * sums.yy - sums.y * sums.y
    if (xSpread <= 0 || ySpread <= 0) return 0
    return (rows * sums.xy - sums.x * sums.y) / Math.sqrt(xSpread * ySpread)
  }
}

/** COLD PATH: once for every pair. */
function newSums(): Sums {
  return { x: 0, xx: 0, y: 0, yy: 0, xy: 0 }
}

function add(sums: Sums, x: number, y: number): void {
  sums.x += x
  sums.xx += x * x
  sums.y += y
  sums.yy += y * y
  sums.xy += x * y
}

function hasBits(bits: number, least: number): boolean {
  let count = 0
  for (let rest = bits >>> 0; rest !== 0; rest = (rest & (rest - 1)) >>> 0) count++
  return count >= least
}
