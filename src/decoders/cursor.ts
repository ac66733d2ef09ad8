// HOT PATH. Where a decoder stands in a packet, and the readers every decoder uses.
import type { DecodedBatch } from '../model/decoded-batch.ts'
import { ROW_CUT } from '../model/decoded-batch.ts'
import { LAYER_DONE } from '../model/layer.ts'
import { FAULT_TRUNCATED } from '../model/malformed.ts'

/** One per decode loop, reused for every packet. All offsets are into `bytes`. */
export interface Cursor {
  bytes: Uint8Array
  /** The packet's first byte. */
  startAt: number
  /** The next byte to decode. */
  at: number
  /** One past the last byte that is there and belongs to the current layer. */
  endAt: number
  /** One past the last byte the current layer claims; greater than endAt when the capture cut the packet. */
  wireEndAt: number
  /** The number that chooses the next layer in its registry (EtherType, IP protocol, PPP protocol, link type). */
  next: number
  /** The tunnel header passed since the last IP header (LAYER_GRE, LAYER_VXLAN …), 0 for IP directly in IP. */
  wrapper: number
}

export function createCursor(): Cursor {
  return { bytes: new Uint8Array(0), startAt: 0, at: 0, endAt: 0, wireEndAt: 0, next: 0, wrapper: 0 }
}

export function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!
}

export function u32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
}

export function u16le(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8)
}

export function u32le(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
}

/**
 * The row ends here because `wantLen` more bytes are not there. A packet cut by the capture's snap length is "cut";
 * one whose own length fields promise fewer bytes than its headers need is malformed. Returns LAYER_DONE.
 */
export function short(cursor: Cursor, out: DecodedBatch, row: number, layer: number, wantLen: number): number {
  if (cursor.at + wantLen <= cursor.wireEndAt) {
    out.flags[row] = out.flags[row]! | ROW_CUT
    return LAYER_DONE
  }
  return fault(cursor, out, row, layer, FAULT_TRUNCATED)
}

/** Notes a fault at the cursor; the first one of a row wins. Returns LAYER_DONE: nothing after it is decoded. */
export function fault(cursor: Cursor, out: DecodedBatch, row: number, layer: number, code: number): number {
  noteFault(cursor, out, row, layer, code)
  return LAYER_DONE
}

/** Notes a fault, at the cursor or at `at`, that does not end the row: what is there is decoded all the same. */
export function noteFault(
  cursor: Cursor,
  out: DecodedBatch,
  row: number,
  layer: number,
  code: number,
  at: number = cursor.at,
): void {
  if (out.fault[row] !== 0) return
  out.fault[row] = code
  out.faultAt[row] = at - cursor.startAt
  out.faultLayer[row] = layer
}

/** The current layer's own length field says that it ends at `endAt`: what follows is padding or a trailer. */
export function limit(cursor: Cursor, endAt: number): void {
  if (endAt >= cursor.wireEndAt) return
  cursor.wireEndAt = endAt
  if (cursor.endAt > endAt) cursor.endAt = endAt
}
