// HOT PATH. What an outer packet is longer than the inner one it may carry, counted for every way a tunnel may pad: the
// true way and overhead collect a vote from each packet, chance spreads its own (rules.md part 5).

/** How inner lengths are padded before the overhead is added: to `unit`, together with a trailer of `trailer` bytes. */
export interface Padding {
  readonly unit: number
  readonly trailer: number
}

/** None; WireGuard; ESP with a counter mode; ESP with CBC; CBC with PKCS#7, alone and behind OpenVPN's packet id. */
export const PADDINGS: readonly Padding[] = Object.freeze([
  { unit: 1, trailer: 0 },
  { unit: 16, trailer: 0 },
  { unit: 4, trailer: 2 },
  { unit: 16, trailer: 2 },
  { unit: 16, trailer: 1 },
  { unit: 16, trailer: 5 },
])

/** No tunnel adds less than an IP header, none known more than this with an IPv6 header. */
export const MIN_OVERHEAD = 20
const MAX_OVERHEAD = 160
const SPAN = MAX_OVERHEAD
const CELLS = PADDINGS.length * SPAN
/** Planes of counters: the inner packet came first, the outer one was sent by its lower endpoint. */
const INNER_FIRST = 1
const SENT_BY_LOWER = 2
const PLANES = 4

/** The lengths could belong together at all. */
export function mayCarry(outerLen: number, innerLen: number): boolean {
  const difference = outerLen - innerLen
  return difference >= MIN_OVERHEAD && difference < MAX_OVERHEAD
}

/** One outer flow's ballot. The leading cell's evidence is kept beside it, and begins anew when another one leads. */
export class JoinVotes {
  readonly #counts = new Uint32Array(CELLS * PLANES)
  readonly #totals = new Uint32Array(CELLS)
  /** The outer packet that voted last in a cell: it votes once. */
  readonly #lastVoter = new Float64Array(CELLS)
  #leader = 0
  #lengths = 0
  #flows = 0

  /**
   * The outer packet number `voter` of `outerLen` bytes may carry an inner one of `innerLen` bytes. `isLargest`: no
   * longer inner packet was seen, so that it may have gone unpadded, which WireGuard does at its MTU. True when it
   * voted for the leader.
   */
  vote(
    outerLen: number,
    innerLen: number,
    isLargest: boolean,
    voter: number,
    innerFirst: boolean,
    sentByLower: boolean,
    flowHash: number,
  ): boolean {
    let forLeader = false
    const plane = (innerFirst ? INNER_FIRST : 0) | (sentByLower ? SENT_BY_LOWER : 0)
    for (let way = 0; way < PADDINGS.length; way++) {
      const { unit, trailer } = PADDINGS[way]!
      const whole = unit === 1 ? innerLen : ((innerLen + trailer + unit - 1) & ~(unit - 1)) >>> 0
      if (this.#count(way, outerLen - whole, plane, voter, innerLen, flowHash)) forLeader = true
    }
    if (isLargest && (innerLen & 15) !== 0) {
      if (this.#count(1, outerLen - innerLen, plane, voter, innerLen, flowHash)) forLeader = true
    }
    return forLeader
  }

  #count(way: number, overhead: number, plane: number, voter: number, innerLen: number, flowHash: number): boolean {
    if (overhead < MIN_OVERHEAD || overhead >= MAX_OVERHEAD) return false
    const cell = way * SPAN + overhead
    if (this.#lastVoter[cell] === voter) return cell === this.#leader
    this.#lastVoter[cell] = voter
    this.#counts[cell * PLANES + plane] = this.#counts[cell * PLANES + plane]! + 1
    const total = this.#totals[cell]! + 1
    this.#totals[cell] = total
    if (cell !== this.#leader) {
      if (total <= this.#totals[this.#leader]!) return false
      this.#leader = cell
      this.#lengths = 0
      this.#flows = 0
    }
    this.#lengths |= 1 << ((innerLen ^ (innerLen >> 5)) & 31)
    this.#flows |= 1 << (flowHash & 31)
    return true
  }

  /** A number for padding and overhead that lead. */
  get leader(): number {
    return this.#leader
  }

  /** Votes for the leading cell. */
  get hits(): number {
    return this.#totals[this.#leader]!
  }

  get padding(): Padding {
    return PADDINGS[Math.floor(this.#leader / SPAN)]!
  }

  /** Bytes that the tunnel adds to the padded inner packet, outer IP header included. */
  get overhead(): number {
    return this.#leader % SPAN
  }

  /** Different inner lengths, as far as 32 bits tell, that agree on the leader. */
  get lengthCount(): number {
    return bitCount(this.#lengths)
  }

  /** The same for inner flows. */
  get flowCount(): number {
    return bitCount(this.#flows)
  }

  /** The most votes of any other overhead with the same padding. */
  get runnerUp(): number {
    const from = Math.floor(this.#leader / SPAN) * SPAN
    let most = 0
    for (let cell = from; cell < from + SPAN; cell++) {
      if (cell !== this.#leader && this.#totals[cell]! > most) most = this.#totals[cell]!
    }
    return most
  }

  /** Votes by what came first. */
  get innerFirstHits(): number {
    return this.#plane(INNER_FIRST) + this.#plane(INNER_FIRST | SENT_BY_LOWER)
  }

  /** A packet that the machine sends is seen inside first, one that it gets outside first: so it shows who it is. */
  get machineIsLower(): boolean {
    const asLower = this.#plane(INNER_FIRST | SENT_BY_LOWER) + this.#plane(0)
    const asHigher = this.#plane(INNER_FIRST) + this.#plane(SENT_BY_LOWER)
    return asLower >= asHigher
  }

  #plane(plane: number): number {
    return this.#counts[this.#leader * PLANES + plane]!
  }
}

function bitCount(bits: number): number {
  let count = 0
  for (let rest = bits >>> 0; rest !== 0; rest = (rest & (rest - 1)) >>> 0) count++
  return count
}
