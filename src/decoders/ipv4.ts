// HOT PATH. IPv4, RFC 791.
import type { DecodedBatch } from '../model/decoded-batch.ts'
import { ROW_CUT, ROW_DF, ROW_FRAGMENT, ROW_MF, ROW_OFFLOAD_LENGTH } from '../model/decoded-batch.ts'
import { LAYER_FRAGMENT, LAYER_IP_PROTOCOL, LAYER_IPV4 } from '../model/layer.ts'
import {
  FAULT_FRAGMENT_RANGE,
  FAULT_IP_VERSION,
  FAULT_IPV4_HEADER_LENGTH,
  FAULT_IPV4_TOTAL_LENGTH,
} from '../model/malformed.ts'
import { type Cursor, fault, short, u16, u32 } from './cursor.ts'

const TOTAL_LENGTH_AT = 2
const IDENTIFICATION_AT = 4
const FRAGMENT_AT = 6
const TTL_AT = 8
const PROTOCOL_AT = 9
const SOURCE_AT = 12
const DESTINATION_AT = 16
const MIN_HEADER_LEN = 20
const MAX_IP_LEN = 65_535
/** The two words before an IPv4 address in its mapped form, RFC 4291 2.5.5.2. */
const MAPPED_PREFIX = 0xffff

export function decodeIpv4(cursor: Cursor, out: DecodedBatch, row: number): number {
  const { bytes, at } = cursor
  if (cursor.endAt - at < MIN_HEADER_LEN) return short(cursor, out, row, LAYER_IPV4, MIN_HEADER_LEN)
  const versionAndLength = bytes[at]!
  if (versionAndLength >> 4 !== 4) return fault(cursor, out, row, LAYER_IPV4, FAULT_IP_VERSION)
  const headerLen = (versionAndLength & 0x0f) << 2
  if (headerLen < MIN_HEADER_LEN) return fault(cursor, out, row, LAYER_IPV4, FAULT_IPV4_HEADER_LENGTH)
  let totalLen = u16(bytes, at + TOTAL_LENGTH_AT)

  out.layer[row] = LAYER_IPV4
  out.ipVersion[row] = 4
  out.ipAt[row] = at
  const word = row << 3
  out.addresses[word] = 0
  out.addresses[word + 1] = 0
  out.addresses[word + 2] = MAPPED_PREFIX
  out.addresses[word + 3] = u32(bytes, at + SOURCE_AT)
  out.addresses[word + 4] = 0
  out.addresses[word + 5] = 0
  out.addresses[word + 6] = MAPPED_PREFIX
  out.addresses[word + 7] = u32(bytes, at + DESTINATION_AT)
  out.ttl[row] = bytes[at + TTL_AT]!
  out.ipProtocol[row] = bytes[at + PROTOCOL_AT]!
  out.ipId[row] = u16(bytes, at + IDENTIFICATION_AT)

  // Segmentation offload hands packets over before the length is filled in; then the frame's own length counts.
  if (totalLen === 0) {
    totalLen = cursor.wireEndAt - at
    out.flags[row] = out.flags[row]! | ROW_OFFLOAD_LENGTH
  }
  out.ipLen[row] = totalLen
  if (totalLen < headerLen || at + totalLen > cursor.wireEndAt) {
    return fault(cursor, out, row, LAYER_IPV4, FAULT_IPV4_TOTAL_LENGTH)
  }
  cursor.wireEndAt = at + totalLen
  if (cursor.endAt > cursor.wireEndAt) cursor.endAt = cursor.wireEndAt
  if (cursor.endAt - at < headerLen) return short(cursor, out, row, LAYER_IPV4, headerLen)

  const fragment = u16(bytes, at + FRAGMENT_AT)
  const offset = (fragment & 0x1fff) << 3
  let flags = out.flags[row]!
  if ((fragment & 0x4000) !== 0) flags |= ROW_DF
  if ((fragment & 0x2000) !== 0) flags |= ROW_MF
  cursor.at = at + headerLen
  cursor.next = bytes[at + PROTOCOL_AT]!
  out.transportAt[row] = cursor.at
  if (offset === 0 && (flags & ROW_MF) === 0) {
    out.flags[row] = flags
    return LAYER_IP_PROTOCOL
  }
  flags |= ROW_FRAGMENT
  if (cursor.endAt < cursor.wireEndAt) flags |= ROW_CUT
  out.flags[row] = flags
  out.fragmentOffset[row] = offset
  out.payloadAt[row] = cursor.at
  out.payloadLen[row] = cursor.endAt - cursor.at
  out.payloadWireLen[row] = cursor.wireEndAt - cursor.at
  // RFC 791 3.2: the reassembled datagram may not be longer than its length field can say.
  if (offset + (cursor.wireEndAt - cursor.at) + headerLen > MAX_IP_LEN) {
    return fault(cursor, out, row, LAYER_IPV4, FAULT_FRAGMENT_RANGE)
  }
  return LAYER_FRAGMENT
}
