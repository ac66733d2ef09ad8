// HOT PATH. ARP, RFC 826: known and counted, its addresses are not read.
import { type DecodedBatch, ROW_GROUP_ADDRESSED } from '../model/decoded-batch.ts'
import { LAYER_ARP, LAYER_DONE } from '../model/layer.ts'
import { type Cursor, short } from './cursor.ts'

const HEADER_LEN = 8

export function decodeArp(cursor: Cursor, out: DecodedBatch, row: number): number {
  if (cursor.endAt - cursor.at < HEADER_LEN) return short(cursor, out, row, LAYER_ARP, HEADER_LEN)
  out.layer[row] = LAYER_ARP
  out.flags[row] = out.flags[row]! | ROW_GROUP_ADDRESSED
  return LAYER_DONE
}
