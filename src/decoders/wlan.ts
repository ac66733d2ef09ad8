// HOT PATH. IEEE 802.11 data frames in the clear, and the radiotap header before them (https://www.radiotap.org).
// Encrypted, fragmented and damaged frames and aggregates are counted, not read.
import { type DecodedBatch, ROW_GROUP_ADDRESSED } from '../model/decoded-batch.ts'
import { LAYER_DONE, LAYER_LLC, LAYER_RADIOTAP, LAYER_UNKNOWN, LAYER_WLAN } from '../model/layer.ts'
import { FAULT_LINK_HEADER } from '../model/malformed.ts'
import { type Cursor, fault, short, u16le, u32le } from './cursor.ts'

const RADIOTAP_LENGTH_AT = 2
const RADIOTAP_PRESENT_AT = 4
const RADIOTAP_MIN_LEN = 8
/** Bits of a word of present fields; with the last one another word follows. */
const PRESENT_TIMER = 1
const PRESENT_FLAGS = 2
const PRESENT_MORE = 0x8000_0000
const TIMER_LEN = 8
/** Bits of the flags field: the body begins at a multiple of four; the frame did not pass its checksum. */
const FLAG_PADDED = 0x20
const FLAG_BAD_CHECKSUM = 0x40

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
/** IEEE 802.11-2020 9.2.4.5.9, 9.2.4.8.3: between stations of a mesh a further header stands before the LLC one. */
const MESH_CONTROL_PRESENT = 0x0100
const MESH_CONTROL_LEN = 6
const MESH_ADDRESSES_MASK = 0x03
const LLC_SNAP = 0xaaaa

export function decodeRadiotap(cursor: Cursor, out: DecodedBatch, row: number): number {
  const { bytes, at } = cursor
  if (cursor.endAt - at < RADIOTAP_MIN_LEN) return short(cursor, out, row, LAYER_RADIOTAP, RADIOTAP_MIN_LEN)
  const headerLen = u16le(bytes, at + RADIOTAP_LENGTH_AT)
  if (bytes[at] !== 0 || headerLen < RADIOTAP_MIN_LEN) return fault(cursor, out, row, LAYER_RADIOTAP, FAULT_LINK_HEADER)
  if (cursor.endAt - at < headerLen) return short(cursor, out, row, LAYER_RADIOTAP, headerLen)
  cursor.at = at + headerLen
  return decodeFrame(cursor, out, row, radiotapFlags(bytes, at, headerLen))
}

/** The flags field, 0 without one: it is the second of them all, and each stands at a multiple of its length. */
function radiotapFlags(bytes: Uint8Array, at: number, headerLen: number): number {
  const present = u32le(bytes, at + RADIOTAP_PRESENT_AT)
  if ((present & PRESENT_FLAGS) === 0) return 0
  let fieldAt = RADIOTAP_PRESENT_AT
  let word = present
  while ((word & PRESENT_MORE) !== 0) {
    fieldAt += 4
    if (fieldAt + 4 > headerLen) return 0
    word = u32le(bytes, at + fieldAt)
  }
  fieldAt += 4
  if ((present & PRESENT_TIMER) !== 0) fieldAt = ((fieldAt + TIMER_LEN - 1) & -TIMER_LEN) + TIMER_LEN
  return fieldAt < headerLen ? bytes[at + fieldAt]! : 0
}

export function decodeWlan(cursor: Cursor, out: DecodedBatch, row: number): number {
  return decodeFrame(cursor, out, row, 0)
}

function decodeFrame(cursor: Cursor, out: DecodedBatch, row: number, radiotap: number): number {
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
  if ((radiotap & FLAG_BAD_CHECKSUM) !== 0) return LAYER_UNKNOWN
  let headerLen = HEADER_LEN
  if ((control & TO_AND_FROM_DS) === TO_AND_FROM_DS) headerLen += ADDRESS_LEN
  if ((control & SUBTYPE_QOS) !== 0) {
    const qosAt = at + headerLen
    headerLen += (control & HTC) === 0 ? QOS_CONTROL_LEN : QOS_CONTROL_LEN + HT_CONTROL_LEN
    if (cursor.endAt - at < headerLen) return short(cursor, out, row, LAYER_WLAN, headerLen)
    const qos = u16le(bytes, qosAt)
    if ((qos & AGGREGATE_PRESENT) !== 0) return LAYER_UNKNOWN
    if ((radiotap & FLAG_PADDED) !== 0) headerLen = (headerLen + 3) & ~3
    if ((qos & MESH_CONTROL_PRESENT) !== 0) headerLen += meshControlLen(cursor, at + headerLen)
  }
  if (cursor.endAt - at < headerLen) return short(cursor, out, row, LAYER_WLAN, headerLen)
  cursor.at = at + headerLen
  return LAYER_LLC
}

/** Outside a mesh the bit may belong to a count (IEEE 802.11-2020 9.2.4.5.6); there the LLC header follows at once. */
function meshControlLen(cursor: Cursor, at: number): number {
  const { bytes } = cursor
  if (cursor.endAt - at < 2 || u16le(bytes, at) === LLC_SNAP) return 0
  return MESH_CONTROL_LEN + (bytes[at]! & MESH_ADDRESSES_MASK) * ADDRESS_LEN
}
