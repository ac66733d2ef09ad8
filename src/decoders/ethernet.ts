// HOT PATH. Ethernet II and IEEE 802.3 frames.
import { ETHERTYPE_IPV4 } from '../constants/wire.ts'
import type { DecodedBatch } from '../model/decoded-batch.ts'
import { ROW_GROUP_ADDRESSED } from '../model/decoded-batch.ts'
import { LAYER_ETHERNET, LAYER_ETHERTYPE, LAYER_IPV4 } from '../model/layer.ts'
import { type Cursor, short, u16 } from './cursor.ts'

const DESTINATION_AT = 0
const TYPE_AT = 12
const HEADER_LEN = 14

export function decodeEthernet(cursor: Cursor, out: DecodedBatch, row: number): number {
  const { bytes, at } = cursor
  if (cursor.endAt - at < HEADER_LEN) return short(cursor, out, row, LAYER_ETHERNET, HEADER_LEN)
  out.layer[row] = LAYER_ETHERNET
  // The lowest bit of the first byte is the group bit (IEEE 802 8.2).
  // Inside a tunnel it says nothing about what left this machine.
  if ((bytes[at + DESTINATION_AT]! & 1) === 1 && out.ipVersion[row] === 0)
    out.flags[row] = out.flags[row]! | ROW_GROUP_ADDRESSED
  const type = u16(bytes, at + TYPE_AT)
  cursor.next = type
  cursor.at = at + HEADER_LEN
  return type === ETHERTYPE_IPV4 ? LAYER_IPV4 : LAYER_ETHERTYPE
}
