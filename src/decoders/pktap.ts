// HOT PATH. PKTAP, macOS' capture header: interface, process, direction, and the link type of what follows.
// https://www.tcpdump.org/linktypes/LINKTYPE_PKTAP.html; fields are little-endian.
import { type DecodedBatch, ROW_RECEIVED, ROW_SENT } from '../model/decoded-batch.ts'
import { LAYER_DONE, LAYER_LINK_TYPE, LAYER_PKTAP } from '../model/layer.ts'
import { FAULT_LINK_HEADER } from '../model/malformed.ts'
import { type Cursor, fault, short, u32le } from './cursor.ts'

const LENGTH_AT = 0
const RECORD_TYPE_AT = 4
const LINK_TYPE_AT = 8
const FLAGS_AT = 36
/** Up to the flags, which are all we read; real headers have 108 bytes or more. */
const MIN_HEADER_LEN = 40
const RECORD_PACKET = 1
/** Link types are 16-bit numbers. */
const MAX_LINK_TYPE = 0xffff
const FLAG_IN = 0x0001
const FLAG_OUT = 0x0002

export function decodePktap(cursor: Cursor, out: DecodedBatch, row: number): number {
  const { bytes, at } = cursor
  if (cursor.endAt - at < MIN_HEADER_LEN) return short(cursor, out, row, LAYER_PKTAP, MIN_HEADER_LEN)
  const headerLen = u32le(bytes, at + LENGTH_AT)
  if (headerLen < MIN_HEADER_LEN || at + headerLen > cursor.wireEndAt) {
    return fault(cursor, out, row, LAYER_PKTAP, FAULT_LINK_HEADER)
  }
  if (cursor.endAt - at < headerLen) return short(cursor, out, row, LAYER_PKTAP, headerLen)
  out.layer[row] = LAYER_PKTAP
  const flags = u32le(bytes, at + FLAGS_AT)
  if ((flags & FLAG_OUT) !== 0) out.flags[row] = out.flags[row]! | ROW_SENT
  else if ((flags & FLAG_IN) !== 0) out.flags[row] = out.flags[row]! | ROW_RECEIVED
  cursor.next = Math.min(u32le(bytes, at + LINK_TYPE_AT), MAX_LINK_TYPE)
  cursor.at = at + headerLen
  return u32le(bytes, at + RECORD_TYPE_AT) === RECORD_PACKET ? LAYER_LINK_TYPE : LAYER_DONE
}
