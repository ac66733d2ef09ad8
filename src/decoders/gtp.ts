// HOT PATH. GTP-U version 1, 3GPP TS 29.281 5: an IP packet of a mobile subscriber in a UDP datagram.
import type { DecodedBatch } from '../model/decoded-batch.ts'
import { LAYER_GTP, LAYER_RAW_IP } from '../model/layer.ts'
import { type Cursor, limit, short, u16 } from './cursor.ts'

const MESSAGE_TYPE_AT = 1
const LENGTH_AT = 2
const HEADER_LEN = 8
/** Sequence number, N-PDU number and the type of the first extension header, there when any of the flags is set. */
const OPTIONAL_LEN = 4
const NEXT_EXTENSION_AT = 11
const VERSION_MASK = 0xe0
const VERSION_1 = 0x20
const PROTOCOL_TYPE = 0x10
const FLAG_EXTENSION = 0x04
const FLAG_ANY_OPTIONAL = 0x07
const MESSAGE_G_PDU = 255
/** Extension headers count their length in units of 4 bytes; their last byte is the next one's type, 0 ends them. */
const EXTENSION_UNIT_LEN = 4

/** True when the datagram under the cursor is a GTP-U message that carries a packet and ends where it says. */
export function isGtp(cursor: Cursor): boolean {
  const { bytes, at } = cursor
  if (cursor.endAt - at < HEADER_LEN) return false
  return (
    (bytes[at]! & (VERSION_MASK | PROTOCOL_TYPE)) === (VERSION_1 | PROTOCOL_TYPE) &&
    bytes[at + MESSAGE_TYPE_AT] === MESSAGE_G_PDU &&
    at + HEADER_LEN + u16(bytes, at + LENGTH_AT) <= cursor.wireEndAt
  )
}

/** Only after isGtp. */
export function decodeGtp(cursor: Cursor, out: DecodedBatch, row: number): number {
  const { bytes, at } = cursor
  const flags = bytes[at]!
  limit(cursor, at + HEADER_LEN + u16(bytes, at + LENGTH_AT))
  out.layer[row] = LAYER_GTP
  cursor.at = at + HEADER_LEN
  cursor.wrapper = LAYER_GTP
  if ((flags & FLAG_ANY_OPTIONAL) === 0) return LAYER_RAW_IP
  if (cursor.endAt - cursor.at < OPTIONAL_LEN) return short(cursor, out, row, LAYER_GTP, OPTIONAL_LEN)
  cursor.at += OPTIONAL_LEN
  let extension = (flags & FLAG_EXTENSION) === 0 ? 0 : bytes[at + NEXT_EXTENSION_AT]!
  while (extension !== 0) {
    const extensionLen = cursor.at < cursor.endAt ? bytes[cursor.at]! * EXTENSION_UNIT_LEN : EXTENSION_UNIT_LEN
    if (extensionLen === 0 || cursor.endAt - cursor.at < extensionLen) {
      return short(cursor, out, row, LAYER_GTP, Math.max(extensionLen, EXTENSION_UNIT_LEN))
    }
    cursor.at += extensionLen
    extension = bytes[cursor.at - 1]!
  }
  return LAYER_RAW_IP
}
