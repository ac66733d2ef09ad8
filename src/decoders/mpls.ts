// HOT PATH. MPLS label stack entries, RFC 3032 2.1, one at a time.
import type { DecodedBatch } from '../model/decoded-batch.ts'
import { LAYER_IPV4, LAYER_IPV6, LAYER_MPLS, LAYER_UNKNOWN } from '../model/layer.ts'
import { type Cursor, short } from './cursor.ts'

const BOTTOM_OF_STACK_AT = 2
const ENTRY_LEN = 4

/** Nothing names what follows the last label; the first nibble tells IPv4 and IPv6 from all else (RFC 4928 2). */
export function decodeMpls(cursor: Cursor, out: DecodedBatch, row: number): number {
  const { bytes, at } = cursor
  if (cursor.endAt - at < ENTRY_LEN) return short(cursor, out, row, LAYER_MPLS, ENTRY_LEN)
  out.layer[row] = LAYER_MPLS
  cursor.at = at + ENTRY_LEN
  if ((bytes[at + BOTTOM_OF_STACK_AT]! & 1) === 0) return LAYER_MPLS
  if (cursor.at >= cursor.endAt) return short(cursor, out, row, LAYER_MPLS, 1)
  cursor.next = bytes[cursor.at]! >> 4
  if (cursor.next === 4) return LAYER_IPV4
  if (cursor.next === 6) return LAYER_IPV6
  return LAYER_UNKNOWN
}
