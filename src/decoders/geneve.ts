// HOT PATH. Geneve, RFC 8926 3.4: any EtherType in a UDP datagram.
import { ETHERTYPE_TRANSPARENT_ETHERNET } from '../constants/wire.ts'
import type { DecodedBatch } from '../model/decoded-batch.ts'
import { LAYER_ETHERNET, LAYER_GENEVE } from '../model/layer.ts'
import { type Cursor, short, u16 } from './cursor.ts'
import { pureEtherTypeLayer } from './ethertype.ts'

const FLAGS_AT = 1
const PROTOCOL_TYPE_AT = 2
const LAST_RESERVED_AT = 7
const HEADER_LEN = 8
const OPTION_LENGTH_MASK = 0x3f
const RESERVED_FLAGS = 0x3f

/** True when the datagram under the cursor starts with a Geneve header of version 0. */
export function isGeneve(cursor: Cursor): boolean {
  const { bytes, at } = cursor
  if (cursor.endAt - at < HEADER_LEN) return false
  return bytes[at]! >> 6 === 0 && (bytes[at + FLAGS_AT]! & RESERVED_FLAGS) === 0 && bytes[at + LAST_RESERVED_AT] === 0
}

/** Only after isGeneve. */
export function decodeGeneve(cursor: Cursor, out: DecodedBatch, row: number): number {
  const { bytes, at } = cursor
  const headerLen = HEADER_LEN + ((bytes[at]! & OPTION_LENGTH_MASK) << 2)
  if (cursor.endAt - at < headerLen) return short(cursor, out, row, LAYER_GENEVE, headerLen)
  out.layer[row] = LAYER_GENEVE
  cursor.next = u16(bytes, at + PROTOCOL_TYPE_AT)
  cursor.at = at + headerLen
  cursor.wrapper = LAYER_GENEVE
  return cursor.next === ETHERTYPE_TRANSPARENT_ETHERNET ? LAYER_ETHERNET : pureEtherTypeLayer(cursor)
}
