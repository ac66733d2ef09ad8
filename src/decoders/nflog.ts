// HOT PATH. NFLOG, Linux' netfilter log: attributes around an IP packet.
// https://www.tcpdump.org/linktypes/LINKTYPE_NFLOG.html; numbers of attributes are in the capturing machine's order.
import { AF_INET, AF_INET6_LINUX } from '../constants/wire.ts'
import type { DecodedBatch } from '../model/decoded-batch.ts'
import { LAYER_NFLOG, LAYER_RAW_IP, LAYER_UNKNOWN } from '../model/layer.ts'
import { FAULT_LINK_HEADER } from '../model/malformed.ts'
import { type Cursor, fault, limit, short, u16, u16le } from './cursor.ts'

const FAMILY_AT = 0
const HEADER_LEN = 4
const ATTRIBUTE_TYPE_AT = 2
const ATTRIBUTE_HEADER_LEN = 4
const ATTRIBUTE_PAYLOAD = 9
/** The highest bits say "nested" and "in network order". */
const ATTRIBUTE_TYPE_MASK = 0x3fff
/** The kernel writes some twenty attributes; empty ones take four bytes each. */
const MAX_ATTRIBUTES = 64

export function decodeNflog(cursor: Cursor, out: DecodedBatch, row: number): number {
  const { bytes, at } = cursor
  if (cursor.endAt - at < HEADER_LEN + ATTRIBUTE_HEADER_LEN) {
    return short(cursor, out, row, LAYER_NFLOG, HEADER_LEN + ATTRIBUTE_HEADER_LEN)
  }
  out.layer[row] = LAYER_NFLOG
  const family = bytes[at + FAMILY_AT]!
  cursor.at = at + HEADER_LEN
  // Attributes are short, so that the wrong order makes the first one a multiple of 256 long.
  const isLittle = u16le(bytes, cursor.at) <= u16(bytes, cursor.at)
  for (let count = 0; count < MAX_ATTRIBUTES; count++) {
    if (cursor.endAt - cursor.at < ATTRIBUTE_HEADER_LEN)
      return short(cursor, out, row, LAYER_NFLOG, ATTRIBUTE_HEADER_LEN)
    const attributeLen = isLittle ? u16le(bytes, cursor.at) : u16(bytes, cursor.at)
    const typeAt = cursor.at + ATTRIBUTE_TYPE_AT
    const type = (isLittle ? u16le(bytes, typeAt) : u16(bytes, typeAt)) & ATTRIBUTE_TYPE_MASK
    if (attributeLen < ATTRIBUTE_HEADER_LEN) return fault(cursor, out, row, LAYER_NFLOG, FAULT_LINK_HEADER)
    if (type === ATTRIBUTE_PAYLOAD) {
      limit(cursor, cursor.at + attributeLen)
      cursor.at += ATTRIBUTE_HEADER_LEN
      cursor.next = family
      return family === AF_INET || family === AF_INET6_LINUX ? LAYER_RAW_IP : LAYER_UNKNOWN
    }
    const paddedLen = (attributeLen + 3) & ~3
    if (cursor.at + paddedLen > cursor.endAt) return short(cursor, out, row, LAYER_NFLOG, paddedLen)
    cursor.at += paddedLen
  }
  return fault(cursor, out, row, LAYER_NFLOG, FAULT_LINK_HEADER)
}
