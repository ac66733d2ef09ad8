// HOT PATH. What acknowledgements say: sizes that passed, later segments that arrived before the first (RFC 2018).
import { TCP_SYN } from '../../constants/wire.ts'
import { u32 } from '../../decoders/cursor.ts'
import type { DecodedBatch } from '../../model/decoded-batch.ts'
import type { PacketBatch } from '../../model/packet-batch.ts'
import {
  ACKED,
  ACKED_KNOWN,
  BLOCK_FLAGS,
  blockAt,
  entryAt,
  GAP_CONFIRMED,
  GAP_FROM,
  GAP_OPEN,
  GAP_SINCE,
  GAP_TO,
  HEAD_ACTIVE,
  HEAD_END,
  HEAD_LEN,
  HEAD_SENT,
  HEAD_SEQ,
  HEAD_SMALLER,
  LOST_COUNTER,
  LOST_END,
  LOST_SEGMENTS,
  MAY_BE_CUT,
  PATH_AT,
  PROGRESS,
  popEntry,
  RING,
  SACKED_LEN,
  SCALE_CLIENT_KNOWN,
  SCALE_CLIENT_SHIFT,
  SCALE_SERVER_KNOWN,
  SCALE_SERVER_SHIFT,
  STATE_AT,
  UNSCALED,
  WINDOW,
  WINDOW_UNKNOWN,
} from './delivery-record.ts'
import { arm, type DeliveryState } from './delivery-state.ts'
import { SMALL_PACKET_LEN } from './path-table.ts'

const SACK_BLOCK_LEN = 8

function passed(state: DeliveryState, path: number, direction: number, ipLen: number): void {
  if (ipLen > 0xffff) return
  if (ipLen > state.paths.delivered[direction]!) state.paths.delivered[direction] = ipLen
  if (ipLen <= SMALL_PACKET_LEN) state.paths.smallStalled[path] = 0
  const held = state.paths.lost[direction]!
  if (held === 0 || ipLen < held) return
  state.paths.lost[direction] = 0
  state.facts.sizePassed(path, direction & 1, ipLen, state.nowMicros[0]!)
}

/** The row acknowledges data of the other side, whose block is `block`. */
export function acknowledged(
  state: DeliveryState,
  record: number,
  base: number,
  side: number,
  batch: PacketBatch,
  out: DecodedBatch,
  row: number,
): void {
  const { words } = state
  const block = blockAt(base, side)
  const ack = out.tcpAck[row]!
  words[block + WINDOW] = windowOf(state, base, 1 - side, out, row)
  const flags = words[block + BLOCK_FLAGS]!
  if ((flags & ACKED_KNOWN) === 0) {
    words[block + BLOCK_FLAGS] = flags | ACKED_KNOWN
    words[block + ACKED] = ack
    words[block + PROGRESS] = state.nowLow[0]!
    return
  }
  const advance = (ack - words[block + ACKED]!) | 0
  // Signed: a number above 2^31, handed on, is a new object.
  if (advance > 0) progress(state, record, base, side, block, ack | 0)
  else if (advance === 0) {
    if ((flags & GAP_OPEN) !== 0 && (flags & GAP_CONFIRMED) === 0 && ack === words[block + GAP_FROM]) {
      words[block + BLOCK_FLAGS] = flags | GAP_CONFIRMED
      words[block + GAP_SINCE] = state.nowLow[0]!
      arm(state, record)
    }
    if (out.sackCount[row] !== 0) selective(state, base, side, block, ack, batch, out, row)
  }
}

function progress(state: DeliveryState, record: number, base: number, side: number, block: number, ack: number): void {
  const { words } = state
  const path = words[base + PATH_AT]!
  const direction = path * 2 + side
  while ((words[block + RING]! & 0xff) !== 0) {
    const at = entryAt(words, block, 0)
    if (((ack - words[at]!) | 0) < 0) break
    if (words[at + 1] !== 0) passed(state, path, direction, words[at + 1]!)
    popEntry(words, block)
  }
  const flags = words[block + BLOCK_FLAGS]!
  let after = flags & ~(HEAD_ACTIVE | GAP_CONFIRMED)
  if ((flags & HEAD_ACTIVE) !== 0) resolveHead(state, record, path, direction, block, ack)
  if ((flags & GAP_OPEN) !== 0) {
    if (((ack - words[block + GAP_TO]!) | 0) >= 0) after &= ~GAP_OPEN
    else if (((ack - words[block + GAP_FROM]!) | 0) > 0) words[block + GAP_FROM] = ack
  }
  words[block + BLOCK_FLAGS] = after
  words[block + ACKED] = ack
  words[block + PROGRESS] = state.nowLow[0]!
  words[block + SACKED_LEN] = 0
}

/** The segment that had been sent again is through: at its own size, or only after it came in smaller ones. */
function resolveHead(
  state: DeliveryState,
  record: number,
  path: number,
  direction: number,
  block: number,
  ack: number,
): void {
  const { words } = state
  if (((ack - words[block + HEAD_SEQ]!) | 0) <= 0) return
  const smaller = words[block + HEAD_SMALLER]!
  if (smaller === 0) {
    passed(state, path, direction, words[block + HEAD_LEN]!)
    return
  }
  if (smaller === MAY_BE_CUT) return
  passed(state, path, direction, smaller)
  const isPartial = ((ack - words[block + HEAD_END]!) | 0) < 0
  const sent = words[block + HEAD_SENT]!
  if (sent >= 3 || (sent === 2 && isPartial)) state.facts.reSegmented(record, direction & 1, state.nowMicros[0]!)
}

/** RFC 2018 4: later data is there. Blocks at or before the acknowledgement repeat what is known (RFC 2883). */
function selective(
  state: DeliveryState,
  base: number,
  side: number,
  block: number,
  ack: number,
  batch: PacketBatch,
  out: DecodedBatch,
  row: number,
): void {
  const { words } = state
  const path = words[base + PATH_AT]!
  const count = out.sackCount[row]!
  const { bytes } = batch
  for (let i = 0; i < count; i++) {
    const at = out.sackAt[row]! + i * SACK_BLOCK_LEN
    const left = u32(bytes, at)
    const right = u32(bytes, at + 4)
    if (((left - ack) | 0) <= 0) {
      if (i === 0 && right === words[block + LOST_END]) takeBack(state, block)
      continue
    }
    const entries = words[block + RING]! & 0xff
    let start = words[block + ACKED]!
    for (let index = 0; index < entries; index++) {
      const entry = entryAt(words, block, index)
      const end = words[entry]!
      const ipLen = words[entry + 1]!
      if (((start - left) | 0) >= 0 && ((right - end) | 0) >= 0 && ipLen !== 0) {
        passed(state, path, path * 2 + side, ipLen)
        if (ipLen > words[block + SACKED_LEN]!) words[block + SACKED_LEN] = ipLen
      }
      start = end
    }
  }
}

/** RFC 2883 4: the receiver has it twice, so what was sent again had not been lost. */
function takeBack(state: DeliveryState, block: number): void {
  const { words, paths } = state
  const counter = words[block + LOST_COUNTER]!
  paths.lostByClass[counter] = paths.lostByClass[counter]! - words[block + LOST_SEGMENTS]!
  words[block + LOST_SEGMENTS] = 0
}

/** The window that the sender of `row` offers, scaled when both SYNs were seen and both scale it (RFC 7323 2.2). */
function windowOf(state: DeliveryState, base: number, side: number, out: DecodedBatch, row: number): number {
  const { words } = state
  if (out.tcpWindow[row] === 0) return 0
  const bits = words[base + STATE_AT]!
  if ((bits & SCALE_CLIENT_KNOWN) === 0 || (bits & SCALE_SERVER_KNOWN) === 0) return WINDOW_UNKNOWN
  if ((bits & UNSCALED) !== 0 || (out.tcpFlags[row]! & TCP_SYN) !== 0) return out.tcpWindow[row]!
  return out.tcpWindow[row]! << ((bits >>> (side === 0 ? SCALE_CLIENT_SHIFT : SCALE_SERVER_SHIFT)) & 15)
}
