// One direction of a TCP connection: what is in order, what waits for missing bytes, what was acknowledged.
import { HELD_PIECE_COST } from '../../constants/limits.ts'

/** A segment that came before its turn. */
export interface Piece {
  seq: number
  /** Bytes on the wire; more than `bytes` when the capture cut the segment. */
  wireLen: number
  bytes: Uint8Array
}

/** One direction. */
export interface Half {
  /** Whether `seq`, the number of the next byte in order, is known. */
  known: boolean
  seq: number
  /** Sorted, not overlapping, all beyond `seq`. */
  held: Piece[]
  heldLen: number
  /** The highest acknowledgment of the other side. */
  acked: number
  hasAcked: boolean
  finSeq: number
  hasFin: boolean
}

/** `seq` is the number of the next byte, where that is `known`. */
export function createHalf(known: boolean, seq: number): Half {
  return {
    known,
    seq,
    held: [],
    heldLen: 0,
    acked: 0,
    hasAcked: false,
    finSeq: 0,
    hasFin: false,
  }
}

export function noteAck(half: Half, ack: number): void {
  if (!half.hasAcked || ((ack - half.acked) | 0) > 0) half.acked = ack
  half.hasAcked = true
}

export function isRead(half: Half): boolean {
  return half.hasFin && (!half.known || ((half.seq - half.finSeq) | 0) >= 0)
}

/** Keeps the parts of the segment that are new, and returns what they cost. */
export function hold(half: Half, seq: number, bytes: Uint8Array, at: number, endAt: number, wireLen: number): number {
  const { held } = half
  let from = Math.max(0, (half.seq - seq) | 0)
  let index = 0
  let cost = 0
  while (from < wireLen) {
    const next = held[index]
    const nextFrom = next === undefined ? wireLen : (next.seq - seq) | 0
    if (next !== undefined && nextFrom <= from) {
      from = Math.max(from, nextFrom + next.wireLen)
      index++
      continue
    }
    const partEnd = Math.min(wireLen, nextFrom)
    const copy = bytes.slice(Math.min(at + from, endAt), Math.min(at + partEnd, endAt))
    held.splice(index, 0, { seq: (seq + from) >>> 0, wireLen: partEnd - from, bytes: copy })
    cost += copy.length + HELD_PIECE_COST
    from = partEnd
    index++
  }
  half.heldLen += cost
  return cost
}

/** Nobody wants what waits there any more. */
export function dropHeld(half: Half): void {
  half.held = []
  half.heldLen = 0
}
