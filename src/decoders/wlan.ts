// HOT PATH. IEEE 802.11 data frames in the clear, and the radiotap header before them (https://www.radiotap.org).
// Encrypted and fragmented frames and aggregates are counted, not read.
import { type DecodedBatch, ROW_GROUP_ADDRESSED } from '../model/decoded-batch.ts'
import { LAYER_DONE, LAYER_LLC, LAYER_RADIOTAP, LAYER_UNKNOWN, LAYER_WLAN } from '../model/layer.ts'
import { FAULT_LINK_HEADER } from '../model/malformed.ts'
import { type Cursor, fault, short, u16le } from './cursor.ts'

const RADIOTAP_LENGTH_AT = 2
const RADIOTAP_MIN_LEN = 8

/** Frame control, IEEE 802.11-2020 9.2.4.1, both bytes as one little-endian number. */
const TYPE_MASK = 0x000c
const TYPE_DATA = 0x0008
const SUBTYPE_NO_DATA = 0x0040
const SUBTYPE_QOS = 0x0080
const TO_AND_FROM_DS = 0x0300
const MORE_FRAGMENTS = 0x0400
const PROTECTED = 0x4000
/** In a frame with quality of service: a high-throughput control field follows. */
const HTC = 0x8000
const RECEIVER_AT = 4
/** An acknowledgment: the shortest frame there is. */
const MIN_FRAME_LEN = 10
const SEQUENCE_CONTROL_AT = 22
const FRAGMENT_NUMBER_MASK = 0x000f
const HEADER_LEN = 24
const ADDRESS_LEN = 6
const QOS_CONTROL_LEN = 2
const HT_CONTROL_LEN = 4
const AGGREGATE_PRESENT = 0x0080

export function decodeRadiotap(cursor: Cursor, out: DecodedBatch, row: number): number {
  const { bytes, at } = cursor
  if (cursor.endAt - at < RADIOTAP_MIN_LEN) return short(cursor, out, row, LAYER_RADIOTAP, RADIOTAP_MIN_LEN)
  const headerLen = u16le(bytes, at + RADIOTAP_LENGTH_AT)
  if (bytes[at] !== 0 || headerLen < RADIOTAP_MIN_LEN) return fault(cursor, out, row, LAYER_RADIOTAP, FAULT_LINK_HEADER)
  if (cursor.endAt - at < headerLen) return short(cursor, out, row, LAYER_RADIOTAP, headerLen)
  cursor.at = at + headerLen
  return decodeWlan(cursor, out, row)
}

export function decodeWlan(cursor: Cursor, out: DecodedBatch, row: number): number {
  const { bytes, at } = cursor
  if (cursor.endAt - at < MIN_FRAME_LEN) return short(cursor, out, row, LAYER_WLAN, MIN_FRAME_LEN)
  const isData = (bytes[at]! & TYPE_MASK) === TYPE_DATA
  if (isData && cursor.endAt - at < HEADER_LEN) return short(cursor, out, row, LAYER_WLAN, HEADER_LEN)
  out.layer[row] = LAYER_WLAN
  const control = u16le(bytes, at)
  cursor.next = control & 0xff
  if (!isData || (control & SUBTYPE_NO_DATA) !== 0) return LAYER_DONE
  if ((bytes[at + RECEIVER_AT]! & 1) === 1) out.flags[row] = out.flags[row]! | ROW_GROUP_ADDRESSED
  const isFragment = (u16le(bytes, at + SEQUENCE_CONTROL_AT) & FRAGMENT_NUMBER_MASK) !== 0
  if (isFragment || (control & (MORE_FRAGMENTS | PROTECTED)) !== 0) return LAYER_UNKNOWN
  let headerLen = HEADER_LEN
  if ((control & TO_AND_FROM_DS) === TO_AND_FROM_DS) headerLen += ADDRESS_LEN
  if ((control & SUBTYPE_QOS) !== 0) {
    const qosAt = at + headerLen
    headerLen += (control & HTC) === 0 ? QOS_CONTROL_LEN : QOS_CONTROL_LEN + HT_CONTROL_LEN
    if (cursor.endAt - at < headerLen) return short(cursor, out, row, LAYER_WLAN, headerLen)
    if ((u16le(bytes, qosAt) & AGGREGATE_PRESENT) !== 0) return LAYER_UNKNOWN
  }
  if (cursor.endAt - at < headerLen) return short(cursor, out, row, LAYER_WLAN, headerLen)
  cursor.at = at + headerLen
  return LAYER_LLC
}
