// HOT PATH. VXLAN, RFC 7348 5: an Ethernet frame in a UDP datagram.
import type { DecodedBatch } from '../model/decoded-batch.ts'
import { LAYER_ETHERNET, LAYER_VXLAN } from '../model/layer.ts'
import type { Cursor } from './cursor.ts'

const FLAGS_AT = 0
const LAST_RESERVED_AT = 7
const HEADER_LEN = 8
/** "The network id is valid": must be set. */
const FLAG_VNI = 0x08
/** Group policy extension, the only other flag in use. */
const FLAG_GROUP_POLICY = 0x80

/** True when the datagram under the cursor starts with a VXLAN header. */
export function isVxlan(cursor: Cursor): boolean {
  const { bytes, at } = cursor
  if (cursor.endAt - at < HEADER_LEN) return false
  return (bytes[at + FLAGS_AT]! & ~FLAG_GROUP_POLICY) === FLAG_VNI && bytes[at + LAST_RESERVED_AT] === 0
}

/** Only after isVxlan. */
export function decodeVxlan(cursor: Cursor, out: DecodedBatch, row: number): number {
  out.layer[row] = LAYER_VXLAN
  cursor.at += HEADER_LEN
  cursor.wrapper = LAYER_VXLAN
  return LAYER_ETHERNET
}
