// HOT PATH. IEEE 802.2 logical link control with its SNAP extension (RFC 1042).
import type { DecodedBatch } from '../model/decoded-batch.ts'
import { LAYER_IPV4, LAYER_LLC, LAYER_UNKNOWN } from '../model/layer.ts'
import { type Cursor, short, u16 } from './cursor.ts'
import { pureEtherTypeLayer } from './ethertype.ts'

const CONTROL_AT = 2
const OUI_AT = 3
const TYPE_AT = 6
const HEADER_LEN = 3
const SNAP_HEADER_LEN = 8
/** Destination and source service access point as one number. */
const SAP_SNAP = 0xaaaa
const SAP_IP = 0x0606
const UNNUMBERED_INFORMATION = 0x03
const OUI_ETHERNET = 0x000000
/** IEEE 802.1H bridge tunnel encapsulation: EtherTypes as well. */
const OUI_BRIDGE_TUNNEL = 0x0000f8

export function decodeLlc(cursor: Cursor, out: DecodedBatch, row: number): number {
  const { bytes, at } = cursor
  if (cursor.endAt - at < HEADER_LEN) return short(cursor, out, row, LAYER_LLC, HEADER_LEN)
  out.layer[row] = LAYER_LLC
  cursor.next = u16(bytes, at)
  if (bytes[at + CONTROL_AT] !== UNNUMBERED_INFORMATION) return LAYER_UNKNOWN
  if (cursor.next === SAP_IP) {
    cursor.at = at + HEADER_LEN
    return LAYER_IPV4
  }
  if (cursor.next !== SAP_SNAP) return LAYER_UNKNOWN
  if (cursor.endAt - at < SNAP_HEADER_LEN) return short(cursor, out, row, LAYER_LLC, SNAP_HEADER_LEN)
  const oui = (bytes[at + OUI_AT]! << 16) | u16(bytes, at + OUI_AT + 1)
  if (oui !== OUI_ETHERNET && oui !== OUI_BRIDGE_TUNNEL) return LAYER_UNKNOWN
  cursor.next = u16(bytes, at + TYPE_AT)
  cursor.at = at + SNAP_HEADER_LEN
  return pureEtherTypeLayer(cursor)
}
