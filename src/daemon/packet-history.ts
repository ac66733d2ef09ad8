// The last packets, copied out of the ring, for whoever wants to show one later. Two halves of fixed memory take turns: while
// one fills, the other holds what came before. HOT PATH

import type { DecodedBatch } from '../model/decoded-batch.ts'
import {
  LAYER_DNS,
  LAYER_FRAGMENT,
  LAYER_ICMPV4,
  LAYER_ICMPV6,
  LAYER_QUIC,
  LAYER_TCP,
  LAYER_UDP,
} from '../model/layer.ts'
import { createPacketBatch, type PacketBatch } from '../model/packet-batch.ts'

/** Bytes kept of a packet that says something: the ring's own cut. */
const TELLING_LEN = 2048
/** Bytes kept of the payload of one that only carries data. */
const BULK_PAYLOAD_LEN = 16
/** What a quiet packet takes, to dimension the columns. */
const USUAL_LEN = 128
const DNS_PORT = 53
const TLS_HANDSHAKE = 0x16

/** How far a packet's payload must be looked at before it is shown. */
export const PAYLOAD_HARMLESS = 0
export const PAYLOAD_TCP = 1
export const PAYLOAD_QUOTED = 2
export const PAYLOAD_OTHER = 3

const NOTHING = new Uint8Array(0)

/** One half: packets as a batch of its own memory, and where the parts that may be secret begin. */
export interface HistoryHalf {
  readonly batch: PacketBatch
  /** The same memory, four bytes at a time. */
  readonly words: Int32Array
  /** PAYLOAD_*. */
  readonly payload: Uint8Array
  /** Offsets into `batch.bytes`: the payload, or the quoted IP header. */
  readonly payloadAt: Uint32Array
  /** Where the innermost IP header begins; the packet's start without one. */
  readonly ipAt: Uint32Array
}

export class PacketHistory {
  #now: HistoryHalf
  #before: HistoryHalf
  #at = 0
  #source: Uint8Array = NOTHING
  #sourceWords = wordsOf(NOTHING)

  /** `memoryLen` bytes for both halves together, columns apart. */
  constructor(memoryLen: number) {
    this.#now = createHalf(memoryLen >>> 1)
    this.#before = createHalf(memoryLen >>> 1)
  }

  /** What came before newer(). Both are valid until the next add(). */
  older(): HistoryHalf {
    return this.#before
  }

  newer(): HistoryHalf {
    return this.#now
  }

  /** Copies every row; `out` is its decoding. */
  add(batch: PacketBatch, out: DecodedBatch): void {
    const { bytes, count, startAt, timeMicros, wireLen, linkType, interfaceId, direction, frameNumber } = batch
    if (bytes !== this.#source) this.#lookAt(bytes)
    const words = this.#sourceWords
    for (let row = 0; row < count; row++) {
      const len = keptLen(batch, out, row)
      let half = this.#now
      if (this.#at + len > half.batch.bytes.length || half.batch.count === half.payload.length) {
        this.#swap()
        half = this.#now
      }
      const at = this.#at
      const from = startAt[row]!
      const to = half.batch
      const target = to.bytes
      // The ring aligns its packets, and so do we: words, where both sides allow it.
      const wholeLen = (from & 3) === 0 && words.length > 0 ? len & ~3 : 0
      const targetWords = half.words
      for (let i = 0; i < wholeLen; i += 4) targetWords[(at + i) >> 2] = words[(from + i) >> 2]!
      for (let i = wholeLen; i < len; i++) target[at + i] = bytes[from + i]!
      const slot = to.count++
      to.timeMicros[slot] = timeMicros[row]!
      to.startAt[slot] = at
      to.capturedLen[slot] = len
      to.wireLen[slot] = wireLen[row]!
      to.linkType[slot] = linkType[row]!
      to.interfaceId[slot] = interfaceId[row]!
      to.direction[slot] = direction[row]!
      to.frameNumber[slot] = frameNumber[row]!
      const layer = out.layer[row]!
      let kind = PAYLOAD_OTHER
      let payloadAt = out.transportAt[row]!
      if (layer === LAYER_TCP) {
        kind = PAYLOAD_TCP
        payloadAt = out.payloadAt[row]!
      } else if (layer === LAYER_DNS && out.ipProtocol[row] === 17) kind = PAYLOAD_HARMLESS
      else if (layer === LAYER_ICMPV4 || layer === LAYER_ICMPV6) {
        kind = out.quotedAt[row] === 0 ? PAYLOAD_HARMLESS : PAYLOAD_QUOTED
        payloadAt = out.quotedAt[row]!
      } else if (layer === LAYER_DNS) {
        kind = PAYLOAD_TCP
        payloadAt = out.payloadAt[row]!
      } else if (layer !== LAYER_FRAGMENT && out.ipProtocol[row] === 17) kind = PAYLOAD_HARMLESS
      half.payload[slot] = kind
      half.payloadAt[slot] = payloadAt < from ? at : at + (payloadAt - from)
      const ipAt = out.ipAt[row]!
      half.ipAt[slot] = ipAt < from || ipAt >= from + len ? at : at + (ipAt - from)
      this.#at = (at + len + 3) & ~3
    }
  }

  /** Another memory: once for a ring. */
  #lookAt(bytes: Uint8Array): void {
    this.#source = bytes
    this.#sourceWords = wordsOf(bytes)
  }

  #swap(): void {
    const half = this.#before
    this.#before = this.#now
    this.#now = half
    half.batch.count = 0
    this.#at = 0
  }
}

/** Handshakes, requests and names whole; what merely carries data, its headers and a little. */
function keptLen(batch: PacketBatch, out: DecodedBatch, row: number): number {
  const captured = batch.capturedLen[row]!
  const whole = Math.min(captured, TELLING_LEN)
  const layer = out.layer[row]!
  if (layer !== LAYER_TCP && layer !== LAYER_UDP && layer !== LAYER_QUIC) return whole
  if (out.payloadLen[row] === 0) return whole
  const payloadAt = out.payloadAt[row]!
  const first = batch.bytes[payloadAt]!
  const short = payloadAt - batch.startAt[row]! + BULK_PAYLOAD_LEN
  if (layer === LAYER_TCP) {
    if (first === TLS_HANDSHAKE || (first >= 0x41 && first <= 0x5a)) return whole
    if (out.srcPort[row] === DNS_PORT || out.dstPort[row] === DNS_PORT) return whole
  } else if (layer === LAYER_QUIC && (first & 0x80) !== 0) return whole
  return Math.min(short, whole)
}

/** Aligned words of the same memory, as many as are whole. COLD PATH: once for each memory. */
function wordsOf(bytes: Uint8Array): Int32Array {
  return (bytes.byteOffset & 3) === 0
    ? new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2)
    : new Int32Array(0)
}

function createHalf(len: number): HistoryHalf {
  const rows = Math.ceil(len / USUAL_LEN)
  const batch = createPacketBatch(rows)
  batch.bytes = new Uint8Array(len)
  return {
    batch,
    words: wordsOf(batch.bytes),
    payload: new Uint8Array(rows),
    payloadAt: new Uint32Array(rows),
    ipAt: new Uint32Array(rows),
  }
}
