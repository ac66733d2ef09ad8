// HOT PATH. ERSPAN types II and III: a mirrored Ethernet frame in GRE.
// https://datatracker.ietf.org/doc/html/draft-foschiano-erspan-03, sections 4.2 and 4.3.
import { ETHERTYPE_ERSPAN_III } from '../constants/wire.ts'
import type { DecodedBatch } from '../model/decoded-batch.ts'
import { LAYER_ERSPAN, LAYER_ETHERNET } from '../model/layer.ts'
import { type Cursor, short } from './cursor.ts'

const TYPE_II_LEN = 8
const TYPE_III_LEN = 12
const TYPE_III_OPTION_AT = 11
const OPTION_PRESENT = 0x01
const OPTION_LEN = 8

/** The cursor's `next` is GRE's protocol type. */
export function decodeErspan(cursor: Cursor, out: DecodedBatch, row: number): number {
  const { bytes, at } = cursor
  let headerLen = cursor.next === ETHERTYPE_ERSPAN_III ? TYPE_III_LEN : TYPE_II_LEN
  if (cursor.endAt - at < headerLen) return short(cursor, out, row, LAYER_ERSPAN, headerLen)
  if (headerLen === TYPE_III_LEN && (bytes[at + TYPE_III_OPTION_AT]! & OPTION_PRESENT) !== 0) headerLen += OPTION_LEN
  if (cursor.endAt - at < headerLen) return short(cursor, out, row, LAYER_ERSPAN, headerLen)
  out.layer[row] = LAYER_ERSPAN
  cursor.at = at + headerLen
  cursor.wrapper = LAYER_ERSPAN
  return LAYER_ETHERNET
}
