// HOT PATH. Teredo, RFC 4380 5.1.1: IPv6 in a UDP datagram, after optional authentication and origin indications.
import type { DecodedBatch } from '../model/decoded-batch.ts'
import { LAYER_IPV6, LAYER_TEREDO } from '../model/layer.ts'
import { type Cursor, u16 } from './cursor.ts'

const INDICATION_ORIGIN = 0
const INDICATION_AUTHENTICATION = 1
const ORIGIN_LEN = 8
const ID_LENGTH_AT = 2
const VALUE_LENGTH_AT = 3
/** Type, two lengths, nonce and confirmation; the client id and the value come on top. */
const AUTHENTICATION_MIN_LEN = 13
const IPV6_HEADER_LEN = 40
const IPV6_PAYLOAD_LENGTH_AT = 4

/** True when the indications, if any, lead to an IPv6 packet that ends where the datagram ends. */
export function isTeredo(cursor: Cursor): boolean {
  const at = ipv6At(cursor)
  if (cursor.endAt - at < IPV6_HEADER_LEN || cursor.bytes[at]! >> 4 !== 6) return false
  return at + IPV6_HEADER_LEN + u16(cursor.bytes, at + IPV6_PAYLOAD_LENGTH_AT) === cursor.wireEndAt
}

/** Only after isTeredo. */
export function decodeTeredo(cursor: Cursor, out: DecodedBatch, row: number): number {
  out.layer[row] = LAYER_TEREDO
  cursor.at = ipv6At(cursor)
  cursor.wrapper = LAYER_TEREDO
  return LAYER_IPV6
}

/** At most one indication of each kind, authentication first. */
function ipv6At(cursor: Cursor): number {
  const { bytes } = cursor
  let { at } = cursor
  if (cursor.endAt - at >= AUTHENTICATION_MIN_LEN && u16(bytes, at) === INDICATION_AUTHENTICATION) {
    at += AUTHENTICATION_MIN_LEN + bytes[at + ID_LENGTH_AT]! + bytes[at + VALUE_LENGTH_AT]!
  }
  if (cursor.endAt - at >= ORIGIN_LEN && u16(bytes, at) === INDICATION_ORIGIN) at += ORIGIN_LEN
  return at
}
