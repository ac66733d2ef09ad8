// HOT PATH. VXLAN, RFC 7348 5: an Ethernet frame in a UDP datagram; with its generic protocol extension also IP
// (draft-ietf-nvo3-vxlan-gpe 3.1).
import type { DecodedBatch } from '../model/decoded-batch.ts'
import { LAYER_ETHERNET, LAYER_RAW_IP, LAYER_VXLAN } from '../model/layer.ts'
import type { Cursor } from './cursor.ts'

const FLAGS_AT = 0
const NEXT_PROTOCOL_AT = 3
const LAST_RESERVED_AT = 7
const HEADER_LEN = 8
/** "The network id is valid": must be set. */
const FLAG_VNI = 0x08
/** Group policy extension. */
const FLAG_GROUP_POLICY = 0x80
/** The next protocol field counts. */
const FLAG_NEXT_PROTOCOL = 0x04
const NEXT_ETHERNET = 3

/** True when the datagram under the cursor starts with a VXLAN header. */
export function isVxlan(cursor: Cursor): boolean {
  const { bytes, at } = cursor
  if (cursor.endAt - at < HEADER_LEN) return false
  const flags = bytes[at + FLAGS_AT]! & ~FLAG_GROUP_POLICY
  if (bytes[at + LAST_RESERVED_AT] !== 0) return false
  if (flags === FLAG_VNI) return true
  const next = bytes[at + NEXT_PROTOCOL_AT]!
  return flags === (FLAG_VNI | FLAG_NEXT_PROTOCOL) && next > 0 && next <= NEXT_ETHERNET
}

/** Only after isVxlan. */
export function decodeVxlan(cursor: Cursor, out: DecodedBatch, row: number): number {
  const { bytes, at } = cursor
  const isExtended = (bytes[at + FLAGS_AT]! & FLAG_NEXT_PROTOCOL) !== 0
  out.layer[row] = LAYER_VXLAN
  cursor.at += HEADER_LEN
  cursor.wrapper = LAYER_VXLAN
  return isExtended && bytes[at + NEXT_PROTOCOL_AT] !== NEXT_ETHERNET ? LAYER_RAW_IP : LAYER_ETHERNET
}
