// HOT PATH. IPv6 and its extension headers, RFC 8200; jumbograms, RFC 2675; atomic fragments, RFC 6946.
import { MAX_EXTENSION_HEADERS } from '../constants/limits.ts'
import {
  IPPROTO_AH,
  IPPROTO_DSTOPTS,
  IPPROTO_FRAGMENT,
  IPPROTO_HIP,
  IPPROTO_HOPOPTS,
  IPPROTO_MOBILITY,
  IPPROTO_NONE,
  IPPROTO_ROUTING,
  IPPROTO_SHIM6,
} from '../constants/wire.ts'
import {
  type DecodedBatch,
  ROW_ATOMIC_FRAGMENT,
  ROW_FRAGMENT,
  ROW_MF,
  ROW_OFFLOAD_LENGTH,
} from '../model/decoded-batch.ts'
import {
  LAYER_DONE,
  LAYER_FRAGMENT,
  LAYER_IP_EXTENSION,
  LAYER_IP_PROTOCOL,
  LAYER_IPV6,
  LAYER_UNKNOWN,
} from '../model/layer.ts'
import {
  FAULT_FRAGMENT_RANGE,
  FAULT_IP_VERSION,
  FAULT_IPV6_EXTENSION_CHAIN,
  FAULT_IPV6_PAYLOAD_LENGTH,
} from '../model/malformed.ts'
import { type Cursor, fault, limit, noteFault, short, u16, u32 } from './cursor.ts'
import { enterIpPacket } from './encapsulation.ts'

const PAYLOAD_LENGTH_AT = 4
const NEXT_HEADER_AT = 6
const HOP_LIMIT_AT = 7
const SOURCE_AT = 8
const HEADER_LEN = 40

const EXTENSION_LENGTH_AT = 1
const EXTENSION_MIN_LEN = 8
const FRAGMENT_OFFSET_AT = 2
const FRAGMENT_IDENTIFICATION_AT = 4
const FRAGMENT_UNIT_LEN = 8
const OPTION_PAD1 = 0
const OPTION_JUMBO = 0xc2
const JUMBO_OPTION_LEN = 6

export function decodeIpv6(cursor: Cursor, out: DecodedBatch, row: number): number {
  const { bytes, at } = cursor
  if (cursor.endAt - at < HEADER_LEN) return short(cursor, out, row, LAYER_IPV6, HEADER_LEN)
  if (bytes[at]! >> 4 !== 6) return fault(cursor, out, row, LAYER_IPV6, FAULT_IP_VERSION)
  if (!enterIpPacket(cursor, out, row, LAYER_IPV6)) return LAYER_DONE

  out.layer[row] = LAYER_IPV6
  out.ipVersion[row] = 6
  out.ipAt[row] = at
  const word = row << 3
  const addresses = out.addresses
  for (let i = 0; i < 8; i++) addresses[word + i] = u32(bytes, at + SOURCE_AT + (i << 2))
  out.ttl[row] = bytes[at + HOP_LIMIT_AT]!
  cursor.next = bytes[at + NEXT_HEADER_AT]!
  out.ipProtocol[row] = cursor.next

  const payloadLen = u16(bytes, at + PAYLOAD_LENGTH_AT)
  cursor.at = at + HEADER_LEN
  if (payloadLen === 0 && cursor.next !== IPPROTO_NONE) {
    // A jumbogram, whose option tells the length, or segmentation offload: until then the frame's length counts.
    out.flags[row] = out.flags[row]! | ROW_OFFLOAD_LENGTH
    out.ipLen[row] = cursor.wireEndAt - at
  } else {
    const endAt = cursor.at + payloadLen
    out.ipLen[row] = HEADER_LEN + payloadLen
    if (endAt > cursor.wireEndAt) noteFault(cursor, out, row, LAYER_IPV6, FAULT_IPV6_PAYLOAD_LENGTH)
    limit(cursor, endAt)
  }
  return LAYER_IP_PROTOCOL
}

/**
 * Walks the chain from the header whose number is `cursor.next` to the upper layer. Also serves AH within IPv4.
 */
export function decodeIpExtensions(cursor: Cursor, out: DecodedBatch, row: number): number {
  const { bytes } = cursor
  for (let count = 0; isIpExtension(cursor.next, out.ipVersion[row]!); count++) {
    const { at, next: header } = cursor
    if (count === MAX_EXTENSION_HEADERS) return fault(cursor, out, row, LAYER_IP_EXTENSION, FAULT_IPV6_EXTENSION_CHAIN)
    if (cursor.endAt - at < EXTENSION_MIN_LEN) return short(cursor, out, row, LAYER_IP_EXTENSION, EXTENSION_MIN_LEN)
    if (header === IPPROTO_FRAGMENT) {
      const layer = readFragmentHeader(cursor, out, row)
      if (layer !== LAYER_IP_EXTENSION) return layer
      continue
    }
    const lengthField = bytes[at + EXTENSION_LENGTH_AT]!
    // RFC 4302 2.2: AH counts in 4-byte units, minus 2; all others in 8-byte units after the first (RFC 8200 4).
    const headerLen = header === IPPROTO_AH ? (lengthField + 2) << 2 : (lengthField + 1) << 3
    if (at + headerLen > cursor.wireEndAt)
      return fault(cursor, out, row, LAYER_IP_EXTENSION, FAULT_IPV6_EXTENSION_CHAIN)
    if (at + headerLen > cursor.endAt) return short(cursor, out, row, LAYER_IP_EXTENSION, headerLen)
    // These carry a message of their own; with no header after them they are what the packet is for.
    if (
      bytes[at] === IPPROTO_NONE &&
      (header === IPPROTO_MOBILITY || header === IPPROTO_HIP || header === IPPROTO_SHIM6)
    ) {
      out.transportAt[row] = at
      return LAYER_UNKNOWN
    }
    if (header === IPPROTO_HOPOPTS && (out.flags[row]! & ROW_OFFLOAD_LENGTH) !== 0) {
      readJumboOption(cursor, out, row, at + headerLen)
    }
    cursor.next = bytes[at]!
    cursor.at = at + headerLen
    out.ipProtocol[row] = cursor.next
  }
  return LAYER_IP_PROTOCOL
}

/**
 * True for the numbers that extend the IP header of this version and do not end it (RFC 7045 4). A fragment header in
 * IPv4 is nobody's standard, yet Wireshark reads it: what it hides must not be hidden from us.
 */
export function isIpExtension(number: number, ipVersion: number): boolean {
  switch (number) {
    case IPPROTO_AH:
    case IPPROTO_FRAGMENT:
      return true
    case IPPROTO_HOPOPTS:
    case IPPROTO_ROUTING:
    case IPPROTO_DSTOPTS:
    case IPPROTO_MOBILITY:
    case IPPROTO_HIP:
    case IPPROTO_SHIM6:
      return ipVersion === 6
    default:
      return false
  }
}

/** LAYER_IP_EXTENSION: an atomic fragment, the chain goes on; LAYER_FRAGMENT: the rest is a part of a datagram. */
function readFragmentHeader(cursor: Cursor, out: DecodedBatch, row: number): number {
  const { bytes, at } = cursor
  const field = u16(bytes, at + FRAGMENT_OFFSET_AT)
  const offset = field & 0xfff8
  const more = (field & 1) === 1
  out.ipId[row] = u32(bytes, at + FRAGMENT_IDENTIFICATION_AT)
  cursor.next = bytes[at]!
  cursor.at = at + EXTENSION_MIN_LEN
  out.ipProtocol[row] = cursor.next
  if (offset === 0 && !more) {
    out.flags[row] = out.flags[row]! | ROW_ATOMIC_FRAGMENT
    return LAYER_IP_EXTENSION
  }
  out.flags[row] = out.flags[row]! | (more ? ROW_FRAGMENT | ROW_MF : ROW_FRAGMENT)
  out.fragmentOffset[row] = offset
  // RFC 8200 4.5: all fragments but the last are a multiple of 8 bytes long.
  if (more && (cursor.wireEndAt - cursor.at) % FRAGMENT_UNIT_LEN !== 0) {
    noteFault(cursor, out, row, LAYER_IP_EXTENSION, FAULT_FRAGMENT_RANGE)
  }
  return LAYER_FRAGMENT
}

/** RFC 2675 2: the length of everything after the IPv6 header, which says 0. */
function readJumboOption(cursor: Cursor, out: DecodedBatch, row: number, optionsEndAt: number): void {
  const { bytes } = cursor
  let at = cursor.at + 2
  while (at < optionsEndAt) {
    const type = bytes[at]!
    if (type === OPTION_PAD1) {
      at++
      continue
    }
    if (at + 1 >= optionsEndAt) return
    const optionLen = 2 + bytes[at + 1]!
    if (type === OPTION_JUMBO && optionLen === JUMBO_OPTION_LEN && at + JUMBO_OPTION_LEN <= optionsEndAt) {
      const jumboLen = u32(bytes, at + 2)
      const endAt = out.ipAt[row]! + HEADER_LEN + jumboLen
      out.flags[row] = out.flags[row]! & ~ROW_OFFLOAD_LENGTH
      if (endAt > cursor.wireEndAt || endAt < optionsEndAt) {
        noteFault(cursor, out, row, LAYER_IPV6, FAULT_IPV6_PAYLOAD_LENGTH)
        return
      }
      out.ipLen[row] = HEADER_LEN + jumboLen
      limit(cursor, endAt)
      return
    }
    at += optionLen
  }
}
