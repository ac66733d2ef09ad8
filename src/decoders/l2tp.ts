// HOT PATH. L2TP version 2 data messages, RFC 2661 3.1: a PPP frame in a UDP datagram.
import type { DecodedBatch } from '../model/decoded-batch.ts'
import { LAYER_L2TP, LAYER_PPP } from '../model/layer.ts'
import { type Cursor, limit, short, u16 } from './cursor.ts'

const CONTROL_MESSAGE = 0x8000
const LENGTH_PRESENT = 0x4000
const SEQUENCE_PRESENT = 0x0800
const OFFSET_PRESENT = 0x0200
const VERSION_MASK = 0x000f
const VERSION_2 = 2
/** Bits that are reserved and must be 0. */
const RESERVED_MASK = 0x34f0
const FLAGS_LEN = 2
const LENGTH_LEN = 2
const TUNNEL_AND_SESSION_LEN = 4
const SEQUENCE_LEN = 4
const OFFSET_LEN = 2

/** True when the datagram under the cursor starts with the header of a data message. */
export function isL2tpData(cursor: Cursor): boolean {
  if (cursor.endAt - cursor.at < FLAGS_LEN + LENGTH_LEN) return false
  const flags = u16(cursor.bytes, cursor.at)
  if ((flags & (CONTROL_MESSAGE | RESERVED_MASK)) !== 0 || (flags & VERSION_MASK) !== VERSION_2) return false
  return (flags & LENGTH_PRESENT) === 0 || cursor.at + u16(cursor.bytes, cursor.at + FLAGS_LEN) <= cursor.wireEndAt
}

/** Only after isL2tpData. */
export function decodeL2tp(cursor: Cursor, out: DecodedBatch, row: number): number {
  const { bytes, at } = cursor
  const flags = u16(bytes, at)
  let headerLen = FLAGS_LEN + TUNNEL_AND_SESSION_LEN
  if ((flags & LENGTH_PRESENT) !== 0) {
    headerLen += LENGTH_LEN
    limit(cursor, at + u16(bytes, at + FLAGS_LEN))
  }
  if ((flags & SEQUENCE_PRESENT) !== 0) headerLen += SEQUENCE_LEN
  if ((flags & OFFSET_PRESENT) !== 0) {
    headerLen += OFFSET_LEN
    if (cursor.endAt - at < headerLen) return short(cursor, out, row, LAYER_L2TP, headerLen)
    headerLen += u16(bytes, at + headerLen - OFFSET_LEN)
  }
  if (cursor.endAt - at < headerLen) return short(cursor, out, row, LAYER_L2TP, headerLen)
  out.layer[row] = LAYER_L2TP
  cursor.at = at + headerLen
  cursor.next = 0
  cursor.wrapper = LAYER_L2TP
  return LAYER_PPP
}
