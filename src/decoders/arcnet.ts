// HOT PATH. ARCnet as BSD and Linux capture it: packets of RFC 1051 and of RFC 1201, whose header can split them.
// https://www.tcpdump.org/linktypes.html: LINKTYPE_ARCNET_BSD, LINKTYPE_ARCNET_LINUX.
import {
  ARCNET_ARP,
  ARCNET_ARP_OLD,
  ARCNET_IPV4,
  ARCNET_IPV4_OLD,
  ARCNET_IPV6,
  LINKTYPE_ARCNET_LINUX,
} from '../constants/wire.ts'
import { type DecodedBatch, ROW_GROUP_ADDRESSED } from '../model/decoded-batch.ts'
import { LAYER_ARCNET, LAYER_ARP, LAYER_IPV4, LAYER_IPV6, LAYER_UNKNOWN } from '../model/layer.ts'
import { type Cursor, short } from './cursor.ts'

const DESTINATION_AT = 1
const BSD_TYPE_AT = 2
/** Linux hands over the offset into the frame buffer before the type. */
const LINUX_TYPE_AT = 4
/** Split flag and sequence number, RFC 1201 only. */
const SPLIT_HEADER_LEN = 3
const BROADCAST = 0

/** The cursor's `next` is the link type. A packet that RFC 1201 split is not put together. */
export function decodeArcnet(cursor: Cursor, out: DecodedBatch, row: number): number {
  const { bytes, at } = cursor
  const typeAt = at + (cursor.next === LINKTYPE_ARCNET_LINUX ? LINUX_TYPE_AT : BSD_TYPE_AT)
  if (cursor.endAt <= typeAt) return short(cursor, out, row, LAYER_ARCNET, typeAt + 1 - at)
  out.layer[row] = LAYER_ARCNET
  if (bytes[at + DESTINATION_AT] === BROADCAST) out.flags[row] = out.flags[row]! | ROW_GROUP_ADDRESSED
  cursor.next = bytes[typeAt]!
  cursor.at = typeAt + 1
  if (cursor.next === ARCNET_IPV4_OLD) return LAYER_IPV4
  if (cursor.next === ARCNET_ARP_OLD) return LAYER_ARP
  if (cursor.endAt - cursor.at < SPLIT_HEADER_LEN) return short(cursor, out, row, LAYER_ARCNET, SPLIT_HEADER_LEN)
  if (bytes[cursor.at] !== 0) return LAYER_UNKNOWN
  cursor.at += SPLIT_HEADER_LEN
  switch (cursor.next) {
    case ARCNET_IPV4:
      return LAYER_IPV4
    case ARCNET_IPV6:
      return LAYER_IPV6
    case ARCNET_ARP:
      return LAYER_ARP
    default:
      return LAYER_UNKNOWN
  }
}
