// HOT PATH. BSD loopback: an address family and then IP. NULL in the capturing machine's byte order, LOOP big-endian.
import {
  AF_INET,
  AF_INET6_DARWIN,
  AF_INET6_FREEBSD,
  AF_INET6_LINUX,
  AF_INET6_OPENBSD,
  AF_INET6_WINDOWS,
} from '../constants/wire.ts'
import type { DecodedBatch } from '../model/decoded-batch.ts'
import { LAYER_IPV4, LAYER_IPV6, LAYER_LOOPBACK, LAYER_UNKNOWN } from '../model/layer.ts'
import { type Cursor, short, u16, u32, u32le } from './cursor.ts'
import { pureEtherTypeLayer } from './ethertype.ts'

const HEADER_LEN = 4
const MAX_FAMILY = 0xffff
/** Some drivers write Cisco's HDLC header here: unicast, 0, EtherType. */
const CISCO_UNICAST = 0x0f00
const CISCO_TYPE_AT = 2

/** Families are small numbers, so the byte order shows by itself, whatever the link type promises. */
export function decodeLoopback(cursor: Cursor, out: DecodedBatch, row: number): number {
  const { bytes, at } = cursor
  if (cursor.endAt - at < HEADER_LEN) return short(cursor, out, row, LAYER_LOOPBACK, HEADER_LEN)
  out.layer[row] = LAYER_LOOPBACK
  if (u16(bytes, at) === CISCO_UNICAST && u16(bytes, at + CISCO_TYPE_AT) !== 0) {
    cursor.next = u16(bytes, at + CISCO_TYPE_AT)
    cursor.at = at + HEADER_LEN
    return pureEtherTypeLayer(cursor)
  }
  const little = u32le(bytes, at)
  const family = little <= MAX_FAMILY ? little : u32(bytes, at)
  cursor.next = Math.min(family, MAX_FAMILY)
  cursor.at = at + HEADER_LEN
  switch (cursor.next) {
    case AF_INET:
      return LAYER_IPV4
    case AF_INET6_LINUX:
    case AF_INET6_WINDOWS:
    case AF_INET6_OPENBSD:
    case AF_INET6_FREEBSD:
    case AF_INET6_DARWIN:
      return LAYER_IPV6
    default:
      return LAYER_UNKNOWN
  }
}
