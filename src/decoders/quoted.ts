// HOT PATH. The packet that an ICMP error quotes: as much of it as is needed to find the flow it is about.
import { MAX_EXTENSION_HEADERS } from '../constants/limits.ts'
import { IPPROTO_AH, IPPROTO_ESP, IPPROTO_FRAGMENT, IPPROTO_SCTP, IPPROTO_TCP, IPPROTO_UDP } from '../constants/wire.ts'
import { u16, u32 } from './cursor.ts'
import { isIpExtension } from './ipv6.ts'

const V4_TOTAL_LENGTH_AT = 2
const V4_IDENTIFICATION_AT = 4
const V4_FRAGMENT_AT = 6
const V4_TTL_AT = 8
const V4_PROTOCOL_AT = 9
const V4_SOURCE_AT = 12
const V4_DESTINATION_AT = 16
const V4_MIN_HEADER_LEN = 20
const V4_DONT_FRAGMENT = 0x4000
const V4_OFFSET_MASK = 0x1fff
/** The word before an IPv4 address in its mapped form, RFC 4291 2.5.5.2. */
const MAPPED_PREFIX = 0xffff

const V6_PAYLOAD_LENGTH_AT = 4
const V6_NEXT_HEADER_AT = 6
const V6_HOP_LIMIT_AT = 7
const V6_SOURCE_AT = 8
const V6_HEADER_LEN = 40
const EXTENSION_MIN_LEN = 8

const PORTS_LEN = 4
/** TCP's sequence number and ESP's sequence number stand in the second word. */
const WORD_LEN = 4

/** What readQuoted fills in; allocate one and use it again. */
export interface QuotedPacket {
  /** 4 or 6. */
  ipVersion: number
  /** Source words 0 … 3, destination words 4 … 7, as in DecodedBatch.addresses. */
  readonly addresses: Uint32Array
  /** Bytes of the IP packet when it was sent, header included. */
  ipLen: number
  /** IPv4 identification or the IPv6 fragment header's; 0 when there is none. */
  ipId: number
  /** IPv4 only; an IPv6 packet is never fragmented on its way. */
  dontFragment: boolean
  ttl: number
  /** Upper-layer protocol after all extension headers. */
  ipProtocol: number
  /** Bytes; ports are there only when it is 0. */
  fragmentOffset: number
  hasPorts: boolean
  srcPort: number
  dstPort: number
  hasTcpSeq: boolean
  tcpSeq: number
  /** Where the upper layer's header begins; the end of the quotation when none of it is there. */
  transportAt: number
  /** Security parameters index of a quoted ESP packet, 0 otherwise. */
  spi: number
}

export function createQuotedPacket(): QuotedPacket {
  return {
    ipVersion: 0,
    addresses: new Uint32Array(8),
    ipLen: 0,
    ipId: 0,
    dontFragment: false,
    ttl: 0,
    ipProtocol: 0,
    fragmentOffset: 0,
    hasPorts: false,
    srcPort: 0,
    dstPort: 0,
    hasTcpSeq: false,
    tcpSeq: 0,
    transportAt: 0,
    spi: 0,
  }
}

/**
 * Reads the IP packet at `at` (DecodedBatch.quotedAt), of which the error quotes what is before `endAt`: 8 bytes after
 * an IPv4 header at least (RFC 792), as much as fits for IPv6 (RFC 4443 2.4). False, and `into` as it was, when not
 * even the IP header is whole; false flags in `into` tell what else the quotation lacks.
 */
export function readQuoted(bytes: Uint8Array, at: number, endAt: number, into: QuotedPacket): boolean {
  if (at >= endAt) return false
  const version = bytes[at]! >> 4
  if (version === 4) return readQuotedIpv4(bytes, at, endAt, into)
  if (version === 6) return readQuotedIpv6(bytes, at, endAt, into)
  return false
}

function readQuotedIpv4(bytes: Uint8Array, at: number, endAt: number, into: QuotedPacket): boolean {
  const headerLen = (bytes[at]! & 0x0f) << 2
  if (headerLen < V4_MIN_HEADER_LEN || endAt - at < headerLen) return false
  const fragment = u16(bytes, at + V4_FRAGMENT_AT)
  const addresses = into.addresses
  addresses[0] = 0
  addresses[1] = 0
  addresses[2] = MAPPED_PREFIX
  addresses[3] = u32(bytes, at + V4_SOURCE_AT)
  addresses[4] = 0
  addresses[5] = 0
  addresses[6] = MAPPED_PREFIX
  addresses[7] = u32(bytes, at + V4_DESTINATION_AT)
  into.ipVersion = 4
  into.ipLen = u16(bytes, at + V4_TOTAL_LENGTH_AT)
  into.ipId = u16(bytes, at + V4_IDENTIFICATION_AT)
  into.dontFragment = (fragment & V4_DONT_FRAGMENT) !== 0
  into.ttl = bytes[at + V4_TTL_AT]!
  into.ipProtocol = bytes[at + V4_PROTOCOL_AT]!
  into.fragmentOffset = (fragment & V4_OFFSET_MASK) << 3
  readTransport(bytes, at + headerLen, endAt, into)
  return true
}

function readQuotedIpv6(bytes: Uint8Array, at: number, endAt: number, into: QuotedPacket): boolean {
  if (endAt - at < V6_HEADER_LEN) return false
  for (let word = 0; word < 8; word++) into.addresses[word] = u32(bytes, at + V6_SOURCE_AT + (word << 2))
  into.ipVersion = 6
  into.ipLen = V6_HEADER_LEN + u16(bytes, at + V6_PAYLOAD_LENGTH_AT)
  into.ipId = 0
  into.dontFragment = true
  into.ttl = bytes[at + V6_HOP_LIMIT_AT]!
  into.ipProtocol = bytes[at + V6_NEXT_HEADER_AT]!
  into.fragmentOffset = 0
  readTransport(bytes, skipExtensions(bytes, at + V6_HEADER_LEN, endAt, into), endAt, into)
  return true
}

/** The offset of the upper layer; `endAt` when the chain is longer than the quotation or than we follow. */
function skipExtensions(bytes: Uint8Array, at: number, endAt: number, into: QuotedPacket): number {
  for (let count = 0; isIpExtension(into.ipProtocol, 6); count++) {
    if (count === MAX_EXTENSION_HEADERS || endAt - at < EXTENSION_MIN_LEN) return endAt
    const header = into.ipProtocol
    into.ipProtocol = bytes[at]!
    if (header === IPPROTO_FRAGMENT) {
      into.fragmentOffset = u16(bytes, at + 2) & 0xfff8
      into.ipId = u32(bytes, at + 4)
      at += EXTENSION_MIN_LEN
      if (into.fragmentOffset !== 0) return at
    } else {
      at += header === IPPROTO_AH ? (bytes[at + 1]! + 2) << 2 : (bytes[at + 1]! + 1) << 3
    }
  }
  return at
}

function readTransport(bytes: Uint8Array, at: number, endAt: number, into: QuotedPacket): void {
  into.transportAt = Math.min(at, endAt)
  const protocol = into.ipProtocol
  const quotedLen = into.fragmentOffset === 0 ? endAt - at : 0
  into.hasPorts =
    quotedLen >= PORTS_LEN && (protocol === IPPROTO_TCP || protocol === IPPROTO_UDP || protocol === IPPROTO_SCTP)
  into.srcPort = into.hasPorts ? u16(bytes, at) : 0
  into.dstPort = into.hasPorts ? u16(bytes, at + 2) : 0
  into.hasTcpSeq = quotedLen >= PORTS_LEN + WORD_LEN && protocol === IPPROTO_TCP
  into.tcpSeq = into.hasTcpSeq ? u32(bytes, at + PORTS_LEN) : 0
  into.spi = quotedLen >= WORD_LEN && protocol === IPPROTO_ESP ? u32(bytes, at) : 0
}
