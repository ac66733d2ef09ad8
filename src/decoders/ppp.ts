// HOT PATH. PPP (RFC 1661) with its framings: HDLC (RFC 1662), Cisco HDLC, PPPoE (RFC 2516), a direction byte.
import { LINKTYPE_PPP_WITH_DIR, PPP_IPV4, PPP_IPV6, PPP_MPLS_MULTICAST, PPP_MPLS_UNICAST } from '../constants/wire.ts'
import { type DecodedBatch, ROW_RECEIVED, ROW_SENT } from '../model/decoded-batch.ts'
import {
  LAYER_DONE,
  LAYER_HDLC,
  LAYER_IPV4,
  LAYER_IPV6,
  LAYER_MPLS,
  LAYER_PPP,
  LAYER_PPPOE,
  LAYER_UNKNOWN,
} from '../model/layer.ts'
import { FAULT_LINK_HEADER } from '../model/malformed.ts'
import { type Cursor, fault, limit, noteFault, short, u16 } from './cursor.ts'
import { pureEtherTypeLayer } from './ethertype.ts'

/** "All stations" and "unnumbered information" of HDLC framing; left out when negotiated (RFC 1661 6.6). */
const ADDRESS_AND_CONTROL = 0xff03
const CISCO_UNICAST = 0x0f
const CISCO_MULTICAST = 0x8f
const HDLC_PROTOCOL_AT = 2
const HDLC_HEADER_LEN = 4

const PPPOE_CODE_AT = 1
const PPPOE_LENGTH_AT = 4
const PPPOE_HEADER_LEN = 6
/** Version 1, type 1. */
const PPPOE_VERSION_AND_TYPE = 0x11
const PPPOE_CODE_SESSION = 0

/**
 * PPP with or without HDLC framing and with or without protocol field compression (RFC 1661 6.5). Cisco's framing is
 * also met under PPP's link type, and no PPP frame begins like it: 0x0f is reserved, 0x8f not assigned (IANA PPP Numbers).
 */
export function decodePpp(cursor: Cursor, out: DecodedBatch, row: number): number {
  const { bytes } = cursor
  let { at } = cursor
  if (cursor.next === LINKTYPE_PPP_WITH_DIR) {
    if (cursor.endAt - at < 1) return short(cursor, out, row, LAYER_PPP, 1)
    out.flags[row] = out.flags[row]! | (bytes[at] === 0 ? ROW_RECEIVED : ROW_SENT)
    at++
  }
  if (at < cursor.endAt && isCisco(bytes[at]!)) {
    cursor.at = at
    return LAYER_HDLC
  }
  if (cursor.endAt - at >= 2 && u16(bytes, at) === ADDRESS_AND_CONTROL) at += 2
  cursor.at = at
  if (cursor.endAt - at < 1) return short(cursor, out, row, LAYER_PPP, 1)
  // The lowest bit of a protocol number's last byte is 1, of its first byte 0: an odd first byte is the whole number.
  if ((bytes[at]! & 1) === 1) {
    cursor.next = bytes[at]!
    cursor.at = at + 1
  } else {
    if (cursor.endAt - at < 2) return short(cursor, out, row, LAYER_PPP, 2)
    cursor.next = u16(bytes, at)
    cursor.at = at + 2
  }
  out.layer[row] = LAYER_PPP
  switch (cursor.next) {
    case PPP_IPV4:
      return LAYER_IPV4
    case PPP_IPV6:
      return LAYER_IPV6
    case PPP_MPLS_UNICAST:
    case PPP_MPLS_MULTICAST:
      return LAYER_MPLS
    default:
      return LAYER_UNKNOWN
  }
}

/** Link types 50 and 104: the address byte tells Cisco's framing, whose protocol is an EtherType, from PPP's. */
export function decodeHdlc(cursor: Cursor, out: DecodedBatch, row: number): number {
  const { bytes, at } = cursor
  if (cursor.endAt - at < HDLC_HEADER_LEN) return short(cursor, out, row, LAYER_HDLC, HDLC_HEADER_LEN)
  out.layer[row] = LAYER_HDLC
  if (!isCisco(bytes[at]!)) return LAYER_PPP
  cursor.next = u16(bytes, at + HDLC_PROTOCOL_AT)
  cursor.at = at + HDLC_HEADER_LEN
  return pureEtherTypeLayer(cursor)
}

/** Sessions only: the discovery stage (codes other than 0) carries no packets. */
export function decodePppoe(cursor: Cursor, out: DecodedBatch, row: number): number {
  const { bytes, at } = cursor
  if (cursor.endAt - at < PPPOE_HEADER_LEN) return short(cursor, out, row, LAYER_PPPOE, PPPOE_HEADER_LEN)
  if (bytes[at] !== PPPOE_VERSION_AND_TYPE) return fault(cursor, out, row, LAYER_PPPOE, FAULT_LINK_HEADER)
  out.layer[row] = LAYER_PPPOE
  if (bytes[at + PPPOE_CODE_AT] !== PPPOE_CODE_SESSION) return LAYER_DONE
  const endAt = at + PPPOE_HEADER_LEN + u16(bytes, at + PPPOE_LENGTH_AT)
  if (endAt > cursor.wireEndAt) noteFault(cursor, out, row, LAYER_PPPOE, FAULT_LINK_HEADER)
  limit(cursor, endAt)
  cursor.at = at + PPPOE_HEADER_LEN
  return LAYER_PPP
}

function isCisco(address: number): boolean {
  return address === CISCO_UNICAST || address === CISCO_MULTICAST
}
