// HOT PATH. IPv4, RFC 791.
import type { DecodedBatch } from '../model/decoded-batch.ts'
import { ROW_DF, ROW_FRAGMENT, ROW_MF, ROW_OFFLOAD_LENGTH } from '../model/decoded-batch.ts'
import { LAYER_DONE, LAYER_FRAGMENT, LAYER_IP_PROTOCOL, LAYER_IPV4, LAYER_IPV6 } from '../model/layer.ts'
import { FAULT_IP_VERSION, FAULT_IPV4_HEADER_LENGTH, FAULT_IPV4_TOTAL_LENGTH } from '../model/malformed.ts'
import { type Cursor, fault, limit, noteFault, short, u16, u32 } from './cursor.ts'
import { enterIpPacket } from './encapsulation.ts'

const TOTAL_LENGTH_AT = 2
const IDENTIFICATION_AT = 4
const FRAGMENT_AT = 6
const TTL_AT = 8
const PROTOCOL_AT = 9
const SOURCE_AT = 12
const DESTINATION_AT = 16
const MIN_HEADER_LEN = 20
const DONT_FRAGMENT = 0x4000
const MORE_FRAGMENTS = 0x2000
const OFFSET_MASK = 0x1fff
/** The word before an IPv4 address in its mapped form, RFC 4291 2.5.5.2. */
const MAPPED_PREFIX = 0xffff

/**
 * A total length beyond the frame is a fault, and so is version 6; yet what is there is decoded: other tools do, and an
 * evader gains nothing.
 */
export function decodeIpv4(cursor: Cursor, out: DecodedBatch, row: number): number {
  const { bytes, at } = cursor
  if (cursor.endAt - at < MIN_HEADER_LEN) return short(cursor, out, row, LAYER_IPV4, MIN_HEADER_LEN)
  const versionAndLength = bytes[at]!
  if (versionAndLength >> 4 !== 4) {
    if (versionAndLength >> 4 !== 6) return fault(cursor, out, row, LAYER_IPV4, FAULT_IP_VERSION)
    noteFault(cursor, out, row, LAYER_IPV4, FAULT_IP_VERSION)
    return LAYER_IPV6
  }
  const headerLen = (versionAndLength & 0x0f) << 2
  if (headerLen < MIN_HEADER_LEN) return fault(cursor, out, row, LAYER_IPV4, FAULT_IPV4_HEADER_LENGTH)
  if (!enterIpPacket(cursor, out, row, LAYER_IPV4)) return LAYER_DONE

  out.layer[row] = LAYER_IPV4
  out.ipVersion[row] = 4
  out.ipAt[row] = at
  const word = row << 3
  const addresses = out.addresses
  addresses[word] = 0
  addresses[word + 1] = 0
  addresses[word + 2] = MAPPED_PREFIX
  addresses[word + 3] = u32(bytes, at + SOURCE_AT)
  addresses[word + 4] = 0
  addresses[word + 5] = 0
  addresses[word + 6] = MAPPED_PREFIX
  addresses[word + 7] = u32(bytes, at + DESTINATION_AT)
  out.ttl[row] = bytes[at + TTL_AT]!
  out.ipProtocol[row] = bytes[at + PROTOCOL_AT]!
  out.ipId[row] = u16(bytes, at + IDENTIFICATION_AT)

  let totalLen = u16(bytes, at + TOTAL_LENGTH_AT)
  out.ipLen[row] = totalLen
  if (totalLen < MIN_HEADER_LEN && totalLen !== 0) return fault(cursor, out, row, LAYER_IPV4, FAULT_IPV4_TOTAL_LENGTH)
  const fragment = u16(bytes, at + FRAGMENT_AT)
  const isFragment = (fragment & (MORE_FRAGMENTS | OFFSET_MASK)) !== 0
  let flags = out.flags[row]!
  if ((fragment & DONT_FRAGMENT) !== 0) flags |= ROW_DF
  if ((fragment & MORE_FRAGMENTS) !== 0) flags |= ROW_MF
  if (isFragment) flags |= ROW_FRAGMENT
  // Segmentation offload hands packets over before the length is filled in; then the frame's own length counts.
  if (totalLen === 0) {
    totalLen = cursor.wireEndAt - at
    out.ipLen[row] = totalLen
    flags |= ROW_OFFLOAD_LENGTH
  }
  out.flags[row] = flags
  out.fragmentOffset[row] = (fragment & OFFSET_MASK) << 3
  if (totalLen < headerLen) return fault(cursor, out, row, LAYER_IPV4, FAULT_IPV4_TOTAL_LENGTH)
  if (at + totalLen > cursor.wireEndAt) noteFault(cursor, out, row, LAYER_IPV4, FAULT_IPV4_TOTAL_LENGTH)
  limit(cursor, at + totalLen)
  if (cursor.endAt - at < headerLen) return short(cursor, out, row, LAYER_IPV4, headerLen)

  cursor.at = at + headerLen
  cursor.next = bytes[at + PROTOCOL_AT]!
  return isFragment ? LAYER_FRAGMENT : LAYER_IP_PROTOCOL
}
