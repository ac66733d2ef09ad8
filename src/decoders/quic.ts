// HOT PATH. QUIC's long header: what every version shares (RFC 8999 5.1) and the packets of versions 1 and 2 (RFC 9000
// 17.2, RFC 9369 3.2). Only known versions count: four bytes of a version are what QUIC is told by on any port.
import { type DecodedBatch, ROW_CUT } from '../model/decoded-batch.ts'
import { LAYER_DONE, LAYER_QUIC } from '../model/layer.ts'
import { type Cursor, u16, u32 } from './cursor.ts'

/** https://www.iana.org/assignments/quic, and the ones that were never registered. */
export const QUIC_NEGOTIATION = 0
export const QUIC_1 = 0x0000_0001
export const QUIC_2 = 0x6b33_43cf
/** `0xff0000` and the number of the draft. Before 22 the lengths of the connection ids stood in one byte. */
const DRAFT_BASE = 0xff00_0000
const FIRST_DRAFT = 22
const LAST_DRAFT = 34

/**
 * How the packets of a version are laid out and protected; QUIC_OTHER is Google's own, named but not opened. QUIC_RESERVED:
 * RFC 9000 15, a version that exists to be refused, around what the client would send with one of its own.
 */
export const QUIC_UNKNOWN = 0
export const QUIC_LIKE_1 = 1
export const QUIC_LIKE_2 = 2
export const QUIC_OTHER = 3
export const QUIC_RESERVED = 4

/** Packet types, the same word for all versions. */
export const QUIC_INITIAL = 0
export const QUIC_ZERO_RTT = 1
export const QUIC_HANDSHAKE = 2
export const QUIC_RETRY = 3
export const QUIC_VERSION_NEGOTIATION = 4

const LONG_HEADER = 0x80
const FIXED_BIT = 0x40
const MIN_LEN = 7
/** RFC 9000 17.2: versions 1 and 2 allow no longer connection ids. */
export const QUIC_MAX_CONNECTION_ID_LEN = 20
/** RFC 9000 7.2: a client's first id is no shorter; 14.1: nor its first datagram. */
const MIN_FIRST_ID_LEN = 8
const MIN_INITIAL_LEN = 1200
const MAX_VERSIONS = 32

/** One long header packet within a datagram. Offsets are into the bytes it was read from. */
export interface QuicHeader {
  type: number
  version: number
  destinationIdAt: number
  destinationIdLen: number
  sourceIdAt: number
  sourceIdLen: number
  /** Initial, 0-RTT and Handshake: where the protected packet number stands. */
  packetNumberAt: number
  /** One past the packet's last byte; what follows is the next packet of the datagram. */
  endAt: number
}

export function createQuicHeader(): QuicHeader {
  return {
    type: 0,
    version: 0,
    destinationIdAt: 0,
    destinationIdLen: 0,
    sourceIdAt: 0,
    sourceIdLen: 0,
    packetNumberAt: 0,
    endAt: 0,
  }
}

/** QUIC_*: how the version's packets are to be read. */
export function quicLikeness(version: number): number {
  if (version === QUIC_1) return QUIC_LIKE_1
  if (version === QUIC_2) return QUIC_LIKE_2
  if (version >= DRAFT_BASE + FIRST_DRAFT && version <= DRAFT_BASE + LAST_DRAFT) return QUIC_LIKE_1
  // Facebook's mvfst.
  if (version === 0xface_b001 || version === 0xface_b002 || version === 0xface_b00e) return QUIC_LIKE_1
  // `T050` and `T051`: Google's with TLS. `Q046`, `Q050`: with its own handshake.
  if (version === 0x5430_3530 || version === 0x5430_3531) return QUIC_LIKE_1
  if (version === 0x5130_3436 || version === 0x5130_3530) return QUIC_OTHER
  return (version & 0x0f0f_0f0f) === 0x0a0a_0a0a ? QUIC_RESERVED : QUIC_UNKNOWN
}

/** True when a long header of a known version, or a version negotiation that offers one, stands at the cursor. */
export function isQuic(cursor: Cursor): boolean {
  const { bytes, at, endAt } = cursor
  if (endAt - at < MIN_LEN || (bytes[at]! & LONG_HEADER) === 0) return false
  const version = u32(bytes, at + 1)
  const likeness = quicLikeness(version)
  if (likeness === QUIC_OTHER) return true
  const idsEndAt = connectionIdsEndAt(bytes, at, endAt)
  if (idsEndAt < 0) return false
  // Half of such a version's bits are anything: its packet must be a client's first one by all else too.
  if (likeness === QUIC_RESERVED) {
    const isInitial = (bytes[at]! & 0xf0) === (LONG_HEADER | FIXED_BIT)
    return isInitial && bytes[at + 5]! >= MIN_FIRST_ID_LEN && cursor.wireEndAt - at >= MIN_INITIAL_LEN
  }
  return (
    likeness !== QUIC_UNKNOWN || (version === QUIC_NEGOTIATION && offersKnown(bytes, idsEndAt, cursor.wireEndAt, endAt))
  )
}

/** Only after isQuic. */
export function decodeQuic(cursor: Cursor, out: DecodedBatch, row: number): number {
  out.layer[row] = LAYER_QUIC
  if (cursor.wireEndAt > cursor.endAt) out.flags[row] = out.flags[row]! | ROW_CUT
  return LAYER_DONE
}

/**
 * Reads the packet at `at` of a datagram that ends at `endAt`. False when there is none: a short header, padding, a
 * version that cannot be read, or lengths that do not fit.
 */
export function readQuicHeader(bytes: Uint8Array, at: number, endAt: number, header: QuicHeader): boolean {
  if (endAt - at < MIN_LEN || (bytes[at]! & LONG_HEADER) === 0) return false
  const idsEndAt = connectionIdsEndAt(bytes, at, endAt)
  if (idsEndAt < 0) return false
  const version = u32(bytes, at + 1)
  header.version = version
  header.destinationIdAt = at + 6
  header.destinationIdLen = bytes[at + 5]!
  header.sourceIdAt = at + 7 + header.destinationIdLen
  header.sourceIdLen = bytes[header.sourceIdAt - 1]!
  header.packetNumberAt = 0
  header.endAt = endAt
  if (version === QUIC_NEGOTIATION) {
    header.type = QUIC_VERSION_NEGOTIATION
    return true
  }
  const likeness = quicLikeness(version)
  if (likeness === QUIC_UNKNOWN || likeness === QUIC_OTHER) return false
  const wireType = (bytes[at]! >> 4) & 3
  // RFC 9369 3.2: version 2 turns the numbers of the types by one.
  header.type = likeness === QUIC_LIKE_2 ? (wireType + 3) & 3 : wireType
  if (header.type === QUIC_RETRY) return true
  let next = idsEndAt
  if (header.type === QUIC_INITIAL) {
    if (next >= endAt) return false
    const tokenLenLen = varintLen(bytes[next]!)
    if (next + tokenLenLen > endAt) return false
    const tokenLen = varint(bytes, next)
    next += tokenLenLen
    if (tokenLen > endAt - next) return false
    next += tokenLen
  }
  if (next >= endAt) return false
  const lengthLen = varintLen(bytes[next]!)
  if (next + lengthLen > endAt) return false
  const length = varint(bytes, next)
  next += lengthLen
  if (length > endAt - next) return false
  header.packetNumberAt = next
  header.endAt = next + length
  return true
}

/** Bytes that a variable-length integer takes, by its first byte (RFC 9000 16). */
export function varintLen(firstByte: number): number {
  return 1 << (firstByte >> 6)
}

/** The integer at `at`, all of whose bytes must be there. Beyond 2^53 it is no longer exact, only too large. */
export function varint(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!
  switch (first >> 6) {
    case 0:
      return first
    case 1:
      return u16(bytes, at) & 0x3fff
    case 2:
      return u32(bytes, at) & 0x3fff_ffff
    default:
      return (u32(bytes, at) & 0x3fff_ffff) * 0x1_0000_0000 + u32(bytes, at + 4)
  }
}

/** One past both connection ids, −1 when they do not fit. */
function connectionIdsEndAt(bytes: Uint8Array, at: number, endAt: number): number {
  const destinationIdLen = bytes[at + 5]!
  if (destinationIdLen > QUIC_MAX_CONNECTION_ID_LEN) return -1
  const sourceLenAt = at + 6 + destinationIdLen
  if (sourceLenAt >= endAt) return -1
  const sourceIdLen = bytes[sourceLenAt]!
  if (sourceIdLen > QUIC_MAX_CONNECTION_ID_LEN) return -1
  const idsEndAt = sourceLenAt + 1 + sourceIdLen
  return idsEndAt > endAt ? -1 : idsEndAt
}

/** RFC 9000 17.2.1: the rest of a version negotiation is a list of versions; made-up ones keep receivers tolerant. */
function offersKnown(bytes: Uint8Array, at: number, wireEndAt: number, endAt: number): boolean {
  if (wireEndAt === at || ((wireEndAt - at) & 3) !== 0) return false
  for (let count = 0; at + 4 <= endAt && count < MAX_VERSIONS; count++, at += 4) {
    const likeness = quicLikeness(u32(bytes, at))
    if (likeness !== QUIC_UNKNOWN && likeness !== QUIC_RESERVED) return true
  }
  return false
}
