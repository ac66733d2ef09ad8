// HOT PATH. GRE: version 0 (RFC 2784, RFC 2890, source routes of RFC 1701) and version 1, PPTP's (RFC 2637 4.1).
import {
  ETHERTYPE_ERSPAN,
  ETHERTYPE_ERSPAN_III,
  ETHERTYPE_PPP,
  ETHERTYPE_TRANSPARENT_ETHERNET,
} from '../constants/wire.ts'
import type { DecodedBatch } from '../model/decoded-batch.ts'
import { LAYER_DONE, LAYER_ERSPAN, LAYER_ETHERNET, LAYER_GRE, LAYER_PPP } from '../model/layer.ts'
import { FAULT_GRE_VERSION, FAULT_TRUNCATED } from '../model/malformed.ts'
import { type Cursor, fault, limit, noteFault, short, u16 } from './cursor.ts'
import { pureEtherTypeLayer } from './ethertype.ts'

const PROTOCOL_AT = 2
const MIN_HEADER_LEN = 4
const CHECKSUM_PRESENT = 0x8000
const ROUTING_PRESENT = 0x4000
const KEY_PRESENT = 0x2000
const SEQUENCE_PRESENT = 0x1000
const ACKNOWLEDGMENT_PRESENT = 0x0080
const VERSION_MASK = 0x0007
const FIELD_LEN = 4
/** Source route entry: address family, offset, length, and then `length` bytes (RFC 1701). */
const ROUTE_LENGTH_AT = 3
const ROUTE_HEADER_LEN = 4

export function decodeGre(cursor: Cursor, out: DecodedBatch, row: number): number {
  const { bytes, at } = cursor
  if (cursor.endAt - at < MIN_HEADER_LEN) return short(cursor, out, row, LAYER_GRE, MIN_HEADER_LEN)
  const flags = u16(bytes, at)
  const version = flags & VERSION_MASK
  cursor.next = u16(bytes, at + PROTOCOL_AT)
  if (version > 1 || (version === 1 && cursor.next !== ETHERTYPE_PPP)) {
    return fault(cursor, out, row, LAYER_GRE, FAULT_GRE_VERSION)
  }
  let headerLen = MIN_HEADER_LEN
  if ((flags & (CHECKSUM_PRESENT | ROUTING_PRESENT)) !== 0) headerLen += FIELD_LEN
  const keyAt = at + headerLen
  if ((flags & KEY_PRESENT) !== 0) headerLen += FIELD_LEN
  if ((flags & SEQUENCE_PRESENT) !== 0) headerLen += FIELD_LEN
  if (version === 1 && (flags & ACKNOWLEDGMENT_PRESENT) !== 0) headerLen += FIELD_LEN
  if (cursor.endAt - at < headerLen) return short(cursor, out, row, LAYER_GRE, headerLen)
  out.layer[row] = LAYER_GRE
  cursor.at = at + headerLen
  cursor.wrapper = LAYER_GRE
  if (version === 1) return decodePptp(cursor, out, row, flags, keyAt)
  if ((flags & ROUTING_PRESENT) !== 0 && !skipRoutes(cursor, out, row)) return LAYER_DONE
  if (cursor.at >= cursor.wireEndAt) return LAYER_DONE
  if (cursor.next === ETHERTYPE_TRANSPARENT_ETHERNET) return LAYER_ETHERNET
  // ERSPAN type I has no sequence number and no header of its own.
  if (cursor.next === ETHERTYPE_ERSPAN) return (flags & SEQUENCE_PRESENT) === 0 ? LAYER_ETHERNET : LAYER_ERSPAN
  return cursor.next === ETHERTYPE_ERSPAN_III ? LAYER_ERSPAN : pureEtherTypeLayer(cursor)
}

/** The key's first half is the payload's length; without a sequence number there is no payload, only an acknowledgment. */
function decodePptp(cursor: Cursor, out: DecodedBatch, row: number, flags: number, keyAt: number): number {
  if ((flags & KEY_PRESENT) === 0) return fault(cursor, out, row, LAYER_GRE, FAULT_GRE_VERSION)
  if ((flags & SEQUENCE_PRESENT) === 0) return LAYER_DONE
  const endAt = cursor.at + u16(cursor.bytes, keyAt)
  if (endAt > cursor.wireEndAt) noteFault(cursor, out, row, LAYER_GRE, FAULT_TRUNCATED)
  limit(cursor, endAt)
  return LAYER_PPP
}

/** Goes past the list of source routes, whose end is an entry of length 0. */
function skipRoutes(cursor: Cursor, out: DecodedBatch, row: number): boolean {
  for (;;) {
    if (cursor.endAt - cursor.at < ROUTE_HEADER_LEN) {
      short(cursor, out, row, LAYER_GRE, ROUTE_HEADER_LEN)
      return false
    }
    const routeLen = cursor.bytes[cursor.at + ROUTE_LENGTH_AT]!
    if (cursor.endAt - cursor.at < ROUTE_HEADER_LEN + routeLen) {
      short(cursor, out, row, LAYER_GRE, ROUTE_HEADER_LEN + routeLen)
      return false
    }
    cursor.at += ROUTE_HEADER_LEN + routeLen
    if (routeLen === 0) return true
  }
}
