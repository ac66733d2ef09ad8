// HOT PATH. ARP, RFC 826: known and counted, its addresses are not read; only whether they fit.
import { type DecodedBatch, ROW_GROUP_ADDRESSED } from '../model/decoded-batch.ts'
import { LAYER_ARP, LAYER_DONE } from '../model/layer.ts'
import { type Cursor, short } from './cursor.ts'

const HARDWARE_LENGTH_AT = 4
const PROTOCOL_LENGTH_AT = 5
const HEADER_LEN = 8

export function decodeArp(cursor: Cursor, out: DecodedBatch, row: number): number {
  const { bytes, at } = cursor
  if (cursor.endAt - at < HEADER_LEN) return short(cursor, out, row, LAYER_ARP, HEADER_LEN)
  out.layer[row] = LAYER_ARP
  out.flags[row] = out.flags[row]! | ROW_GROUP_ADDRESSED
  // Sender and target, each with both addresses.
  const wholeLen = HEADER_LEN + 2 * (bytes[at + HARDWARE_LENGTH_AT]! + bytes[at + PROTOCOL_LENGTH_AT]!)
  if (cursor.endAt - at < wholeLen) return short(cursor, out, row, LAYER_ARP, wholeLen)
  return LAYER_DONE
}
