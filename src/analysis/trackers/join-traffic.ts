// HOT PATH. What goes through a tunnel whose way of wrapping is known: which inner packet left as which outer one, how
// long that took, and which never left.
import { addSender, type Sender } from './join-sender.ts'
import { LATENCY_BUCKETS, latencyBucket } from './resolvers.ts'

/** Inner packets that wait for their outer ones. When more wait, the oldest is no longer told of. */
const MAX_PENDING = 256
/** A WireGuard handshake is tried again after 5 s (whitepaper 6.1); what waits longer is lost. */
const GIVE_UP_MICROS = 6_000_000
/** So long a packet takes through a tunnel that has nothing to wait for. */
const PROMPT_MICROS = 20_000
/** Received outer packets whose inner ones are still to come. */
const MAX_RECEIVED = 32
const RECEIVED_MICROS = 100_000
/** Senders told apart inside; a machine has one address of each family there. */
const MAX_SENDERS = 8
/** Segmentation offload hands larger packets to the interface than any wire takes: lengths then no longer compare. */
const MAX_WIRE_IP_LEN = 1600
/** Outer packets up to this hold a question, an answer or an acknowledgment, which no offload makes larger. */
const SMALL_LEN = 400
/** Small packets after which the way of wrapping is held against them, and the share of them that must follow it. */
const MIN_SMALL = 24
const MIN_SMALL_SHARE = 0.4

export class JoinTraffic {
  readonly latency = new Uint32Array(LATENCY_BUCKETS)
  matched = 0
  #small = 0
  #smallMatched = 0
  /** Outer packets were larger than the wire: segmentation offload. */
  isOffloaded = false
  readonly #overhead: number
  readonly #unit: number
  readonly #trailer: number
  #largestOuterLen: number
  readonly #pendingMicros = new Float64Array(MAX_PENDING)
  readonly #pendingLen = new Uint32Array(MAX_PENDING)
  /** Index + 1 of the sender, 0 = taken. */
  readonly #pendingSender = new Uint8Array(MAX_PENDING)
  #first = 0
  #next = 0
  readonly #receivedMicros = new Float64Array(MAX_RECEIVED)
  readonly #receivedLen = new Uint32Array(MAX_RECEIVED)
  #receivedFirst = 0
  #receivedNext = 0
  /** Senders of inner packets. */
  readonly senders: Sender[] = []

  constructor(overhead: number, unit: number, trailer: number, largestOuterLen: number) {
    this.#overhead = overhead
    this.#unit = unit
    this.#trailer = trailer
    this.#largestOuterLen = largestOuterLen
  }

  /** A packet on the tunnel's interface, of `innerLen` bytes, from the address with that hash. */
  inner(timeMicros: number, innerLen: number, senderHash: number): void {
    const sender = this.#senderOf(senderHash)
    if (sender === 0) return
    for (let position = this.#receivedFirst; position < this.#receivedNext; position++) {
      const at = position % MAX_RECEIVED
      const len = this.#receivedLen[at]!
      const isOver = len === 0 || timeMicros - this.#receivedMicros[at]! > RECEIVED_MICROS
      if (isOver && position === this.#receivedFirst) this.#receivedFirst++
      if (isOver || !this.#fits(len, innerLen)) continue
      this.#receivedLen[at] = 0
      this.senders[sender - 1]!.arrived++
      this.#match(len)
      return
    }
    // A packet that leaves in pieces, or together with others, has no outer one of its own.
    if (innerLen + this.#overhead > this.#largestOuterLen) return
    this.#expire(timeMicros)
    if (this.#next - this.#first === MAX_PENDING) this.#first++
    const at = this.#next++ % MAX_PENDING
    this.#pendingMicros[at] = timeMicros
    this.#pendingLen[at] = innerLen
    this.#pendingSender[at] = sender
  }

  /** A whole outer packet of the tunnel's flow. */
  outer(timeMicros: number, outerLen: number, isSent: boolean): void {
    if (outerLen <= SMALL_LEN) this.#small++
    if (outerLen > MAX_WIRE_IP_LEN) this.isOffloaded = true
    else if (outerLen > this.#largestOuterLen) this.#largestOuterLen = outerLen
    if (!isSent) {
      if (this.#receivedNext - this.#receivedFirst === MAX_RECEIVED) this.#receivedFirst++
      const at = this.#receivedNext++ % MAX_RECEIVED
      this.#receivedMicros[at] = timeMicros
      this.#receivedLen[at] = outerLen
      return
    }
    this.#expire(timeMicros)
    const at = this.#waiting(timeMicros, outerLen)
    if (at < 0) return
    this.senders[this.#pendingSender[at]! - 1]!.left++
    this.#pendingSender[at] = 0
    this.#match(outerLen)
    const bucket = latencyBucket(timeMicros - this.#pendingMicros[at]!)
    this.latency[bucket] = this.latency[bucket]! + 1
  }

  /** Small packets do not follow the way of wrapping: they agreed with it by chance. */
  get isRefuted(): boolean {
    return this.#small >= MIN_SMALL && this.#smallMatched < this.#small * MIN_SMALL_SHARE
  }

  #match(outerLen: number): void {
    this.matched++
    if (outerLen <= SMALL_LEN) this.#smallMatched++
  }

  /**
   * The inner packet that left as this outer one: of those that came just now the first, else the last one that had
   * to wait. Where one was lost, the next of the same length would be taken for it and so on, were it the first of all.
   */
  #waiting(timeMicros: number, outerLen: number): number {
    let found = -1
    for (let position = this.#next - 1; position >= this.#first; position--) {
      const at = position % MAX_PENDING
      const isPrompt = timeMicros - this.#pendingMicros[at]! <= PROMPT_MICROS
      if (!isPrompt && found >= 0) return found
      if (this.#pendingSender[at] === 0 || !this.#fits(outerLen, this.#pendingLen[at]!)) continue
      found = at
      if (!isPrompt) return found
    }
    return found
  }

  #fits(outerLen: number, innerLen: number): boolean {
    const rest = outerLen - this.#overhead
    if (rest === innerLen) return true
    const unit = this.#unit
    return rest === ((innerLen + this.#trailer + unit - 1) & ~(unit - 1))
  }

  #expire(timeMicros: number): void {
    while (this.#first < this.#next) {
      const at = this.#first % MAX_PENDING
      if (this.#pendingSender[at] !== 0) {
        if (timeMicros - this.#pendingMicros[at]! <= GIVE_UP_MICROS) return
        this.senders[this.#pendingSender[at]! - 1]!.lost++
      }
      this.#first++
    }
  }

  /** Index + 1; 0 when there are too many. */
  #senderOf(hash: number): number {
    const senders = this.senders
    for (let i = 0; i < senders.length; i++) if (senders[i]!.hash === hash) return i + 1
    return senders.length < MAX_SENDERS ? addSender(senders, hash) : 0
  }
}
