// TLS before it is encrypted: records, handshake messages, alerts (RFC 8446, RFC 5246, RFC 6101). Functions over bytes
// that write into objects of the caller. Lenient: what a cut or damaged message still shows is told.
import { u16 } from './cursor.ts'
import { latin1 } from './latin1.ts'

/** Record content types, RFC 8446 5.1. */
export const TLS_CHANGE_CIPHER_SPEC = 20
export const TLS_ALERT = 21
export const TLS_HANDSHAKE = 22
export const TLS_APPLICATION_DATA = 23
export const TLS_HEARTBEAT = 24

/** Handshake types, RFC 8446 4 and RFC 5246 7.4. */
export const TLS_HELLO_REQUEST = 0
export const TLS_CLIENT_HELLO = 1
export const TLS_SERVER_HELLO = 2
export const TLS_END_OF_EARLY_DATA = 5
export const TLS_ENCRYPTED_EXTENSIONS = 8
export const TLS_CERTIFICATE = 11
export const TLS_SERVER_HELLO_DONE = 14
export const TLS_FINISHED = 20
export const TLS_KEY_UPDATE = 24

/** Alerts, RFC 8446 6. */
export const TLS_ALERT_WARNING = 1
export const TLS_ALERT_CLOSE_NOTIFY = 0
export const TLS_ALERT_USER_CANCELED = 90

/** Protocol versions as on the wire. */
export const SSL_2 = 0x0002
export const SSL_3 = 0x0300
export const TLS_1_2 = 0x0303
export const TLS_1_3 = 0x0304

/** Extensions, https://www.iana.org/assignments/tls-extensiontype-values. */
export const TLS_EXT_SERVER_NAME = 0
export const TLS_EXT_SUPPORTED_GROUPS = 10
export const TLS_EXT_EC_POINT_FORMATS = 11
export const TLS_EXT_SIGNATURE_ALGORITHMS = 13
export const TLS_EXT_ALPN = 16
export const TLS_EXT_ENCRYPT_THEN_MAC = 22
export const TLS_EXT_EARLY_DATA = 42
export const TLS_EXT_SUPPORTED_VERSIONS = 43
export const TLS_EXT_ENCRYPTED_CLIENT_HELLO = 0xfe0d

export const TLS_RECORD_HEADER_LEN = 5
export const TLS_HANDSHAKE_HEADER_LEN = 4
/** RFC 5246 6.2.3 allows 2^14 + 2048; RFC 8446 5.2 only 256 more than 2^14. */
export const TLS_MAX_RECORD_LEN = 16_384 + 2048
/** In the body of either hello. */
export const TLS_RANDOM_AT = 2
export const TLS_RANDOM_LEN = 32
const SSL2_MIN_HELLO_LEN = 9

/** What stands at the start of a stream. */
export const TLS_START_NO = 0
export const TLS_START_MORE = 1
export const TLS_START_RECORD = 2
export const TLS_START_SSL2 = 3

/** Whether a TLS record, or an SSLv2-compatible ClientHello (RFC 5246 E.2), starts at `at`. */
export function tlsStart(bytes: Uint8Array, at: number, endAt: number): number {
  const thereLen = endAt - at
  if (thereLen <= 0) return TLS_START_MORE
  const type = bytes[at]!
  if (type >= 0x80) return ssl2Start(bytes, at, thereLen)
  if (type < TLS_CHANGE_CIPHER_SPEC || type > TLS_HEARTBEAT) return TLS_START_NO
  if (thereLen < 2) return TLS_START_MORE
  if (bytes[at + 1] !== 3) return TLS_START_NO
  if (thereLen < 3) return TLS_START_MORE
  if (bytes[at + 2]! > 4) return TLS_START_NO
  if (thereLen < TLS_RECORD_HEADER_LEN) return TLS_START_MORE
  const recordLen = u16(bytes, at + 3)
  if (recordLen === 0 || recordLen > TLS_MAX_RECORD_LEN) return TLS_START_NO
  if (type === TLS_HANDSHAKE) {
    if (thereLen < TLS_RECORD_HEADER_LEN + 2) return TLS_START_MORE
    // A plaintext handshake message is shorter than 2^16; an encrypted one in mid-stream may show any type. Who cuts
    // its hello into records of one byte, to hide it from filters, has the next record behind that byte.
    const second = recordLen > 1 ? 0 : TLS_HANDSHAKE
    return isHandshakeType(bytes[at + 5]!) && bytes[at + 6] === second ? TLS_START_RECORD : TLS_START_NO
  }
  if (type === TLS_ALERT) return recordLen === 2 || recordLen > 16 ? TLS_START_RECORD : TLS_START_NO
  if (type === TLS_CHANGE_CIPHER_SPEC) return recordLen === 1 ? TLS_START_RECORD : TLS_START_NO
  return TLS_START_RECORD
}

/** Whether the header at `at`, which is all there, is that of a record: protected ones may hold anything. */
export function isTlsRecord(bytes: Uint8Array, at: number): boolean {
  const type = bytes[at]!
  return (
    type >= TLS_CHANGE_CIPHER_SPEC &&
    type <= TLS_HEARTBEAT &&
    bytes[at + 1] === 3 &&
    bytes[at + 2]! <= 4 &&
    u16(bytes, at + 3) <= TLS_MAX_RECORD_LEN
  )
}

function isHandshakeType(type: number): boolean {
  return type <= 2 || type === 4 || (type >= 11 && type <= 16) || type === 20 || type === 22
}

function ssl2Start(bytes: Uint8Array, at: number, thereLen: number): number {
  if (thereLen < 5) return thereLen < 3 || bytes[at + 2] === TLS_CLIENT_HELLO ? TLS_START_MORE : TLS_START_NO
  const messageLen = u16(bytes, at) & 0x7fff
  const version = u16(bytes, at + 3)
  if (bytes[at + 2] !== TLS_CLIENT_HELLO || messageLen < SSL2_MIN_HELLO_LEN) return TLS_START_NO
  if (version !== SSL_2 && (version < SSL_3 || version > TLS_1_2)) return TLS_START_NO
  if (thereLen < 11) return TLS_START_MORE
  const specsLen = u16(bytes, at + 5)
  const sessionIdLen = u16(bytes, at + 7)
  const challengeLen = u16(bytes, at + 9)
  const consistent = specsLen > 0 && specsLen % 3 === 0 && 9 + specsLen + sessionIdLen + challengeLen === messageLen
  return consistent ? TLS_START_SSL2 : TLS_START_NO
}

/** RFC 8701: values that mean nothing and are sent to keep peers tolerant. */
export function isGrease(value: number): boolean {
  return (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff)
}

/** A ClientHello or ServerHello, all lists as on the wire, GREASE included. */
export interface TlsHello {
  /** Whether the lists that only fingerprints need are read: suites offered, extensions, groups, formats, algorithms. */
  readonly lists: boolean
  legacyVersion: number
  /** ClientHello: offered; ServerHello: the one chosen. */
  cipherSuites: number[]
  /** Extension types in their order. */
  extensions: number[]
  sni: string | undefined
  /** ClientHello: offered; ServerHello: the one chosen. */
  alpns: string[]
  supportedVersions: number[]
  groups: number[]
  pointFormats: number[]
  signatureAlgorithms: number[]
  echPresent: boolean
  /** RFC 8446 4.2.10: offered by the client; in EncryptedExtensions accepted by the server. */
  earlyData: boolean
  /** RFC 7366: offered by the client, or chosen by the server. */
  encryptThenMac: boolean
  /** ServerHello: 0 is none (RFC 3749). */
  compressionMethod: number
  /** ServerHello: the random that RFC 8446 4.1.3 reserves for HelloRetryRequest. */
  helloRetryRequest: boolean
  /** False when the message ended before its own length fields did. */
  whole: boolean
}

/** A hello without content, to be filled by readClientHello or readServerHello; `lists` as in TlsHello. */
export function createTlsHello(lists = true): TlsHello {
  return {
    lists,
    legacyVersion: 0,
    cipherSuites: [],
    extensions: [],
    sni: undefined,
    alpns: [],
    supportedVersions: [],
    groups: [],
    pointFormats: [],
    signatureAlgorithms: [],
    echPresent: false,
    earlyData: false,
    encryptThenMac: false,
    compressionMethod: 0,
    helloRetryRequest: false,
    whole: false,
  }
}

/** Reads the body of a ClientHello (RFC 8446 4.1.2) into `hello`. False when not even the version is there. */
export function readClientHello(bytes: Uint8Array, at: number, endAt: number, hello: TlsHello): boolean {
  if (at + 2 > endAt) return false
  hello.legacyVersion = u16(bytes, at)
  at += TLS_RANDOM_AT + TLS_RANDOM_LEN
  if (at >= endAt) return true
  at += 1 + bytes[at]!
  if (at + 2 > endAt) return true
  const suitesLen = u16(bytes, at)
  if (hello.lists) readU16List(bytes, at + 2, Math.min(endAt, at + 2 + suitesLen), hello.cipherSuites)
  at += 2 + suitesLen
  if (at >= endAt) return true
  at += 1 + bytes[at]!
  readExtensions(bytes, at, endAt, hello, true)
  return true
}

/** Reads the body of a ServerHello (RFC 8446 4.1.3) into `hello`. False when not even the version is there. */
export function readServerHello(bytes: Uint8Array, at: number, endAt: number, hello: TlsHello): boolean {
  if (at + 2 > endAt) return false
  hello.legacyVersion = u16(bytes, at)
  at += 2
  hello.helloRetryRequest = isHelloRetryRandom(bytes, at, endAt)
  at += TLS_RANDOM_LEN
  if (at >= endAt) return true
  at += 1 + bytes[at]!
  if (at + 2 > endAt) return true
  hello.cipherSuites.push(u16(bytes, at))
  if (at + 2 < endAt) hello.compressionMethod = bytes[at + 2]!
  at += 3
  readExtensions(bytes, at, endAt, hello, false)
  return true
}

/** Reads the body of EncryptedExtensions (RFC 8446 4.3.1): what the server says only once it is encrypted. */
export function readEncryptedExtensions(bytes: Uint8Array, at: number, endAt: number, hello: TlsHello): void {
  readExtensions(bytes, at, endAt, hello, false)
}

/** Reads an SSLv2-compatible ClientHello (RFC 5246 E.2); `at` is its message type. */
export function readSsl2ClientHello(bytes: Uint8Array, at: number, endAt: number, hello: TlsHello): boolean {
  if (at + SSL2_MIN_HELLO_LEN > endAt) return false
  hello.legacyVersion = u16(bytes, at + 1)
  const specsEndAt = Math.min(endAt, at + SSL2_MIN_HELLO_LEN + u16(bytes, at + 3))
  for (let i = at + SSL2_MIN_HELLO_LEN; i + 3 <= specsEndAt; i += 3) {
    // A first byte of 0 marks a suite of version 3; the others are SSLv2 ciphers.
    if (bytes[i] === 0) hello.cipherSuites.push(u16(bytes, i + 1))
  }
  hello.whole = true
  return true
}

/** SHA-256 of "HelloRetryRequest", RFC 8446 4.1.3; its first eight bytes are proof enough. */
const HELLO_RETRY_RANDOM = [0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11]

function isHelloRetryRandom(bytes: Uint8Array, at: number, endAt: number): boolean {
  if (at + TLS_RANDOM_LEN > endAt) return false
  for (let i = 0; i < HELLO_RETRY_RANDOM.length; i++) if (bytes[at + i] !== HELLO_RETRY_RANDOM[i]) return false
  return true
}

function readExtensions(bytes: Uint8Array, at: number, endAt: number, hello: TlsHello, fromClient: boolean): void {
  // RFC 5246 7.4.1.2: a hello may end before the extensions.
  if (at === endAt) hello.whole = true
  if (at + 2 > endAt) return
  const listEndAt = at + 2 + u16(bytes, at)
  at += 2
  while (at + 4 <= endAt && at + 4 <= listEndAt) {
    const type = u16(bytes, at)
    const bodyAt = at + 4
    const bodyEndAt = bodyAt + u16(bytes, at + 2)
    if (hello.lists) hello.extensions.push(type)
    readExtension(bytes, type, bodyAt, Math.min(bodyEndAt, endAt), hello, fromClient)
    at = bodyEndAt
  }
  hello.whole = at <= endAt && at >= listEndAt
}

function readExtension(
  bytes: Uint8Array,
  type: number,
  at: number,
  endAt: number,
  hello: TlsHello,
  fromClient: boolean,
): void {
  switch (type) {
    case TLS_EXT_SERVER_NAME:
      readServerName(bytes, at, endAt, hello)
      break
    case TLS_EXT_SUPPORTED_GROUPS:
      if (hello.lists) readU16List(bytes, at + 2, endAt, hello.groups)
      break
    case TLS_EXT_EC_POINT_FORMATS:
      for (let i = at + 1; hello.lists && i < endAt; i++) hello.pointFormats.push(bytes[i]!)
      break
    case TLS_EXT_SIGNATURE_ALGORITHMS:
      if (hello.lists) readU16List(bytes, at + 2, endAt, hello.signatureAlgorithms)
      break
    case TLS_EXT_ALPN:
      readAlpns(bytes, at + 2, endAt, hello.alpns)
      break
    case TLS_EXT_SUPPORTED_VERSIONS:
      // RFC 8446 4.2.1: a list with a one-byte length from the client, one version from the server.
      readU16List(bytes, fromClient ? at + 1 : at, endAt, hello.supportedVersions)
      break
    case TLS_EXT_ENCRYPT_THEN_MAC:
      hello.encryptThenMac = true
      break
    case TLS_EXT_EARLY_DATA:
      hello.earlyData = true
      break
    case TLS_EXT_ENCRYPTED_CLIENT_HELLO:
      hello.echPresent = true
      break
  }
}

/** RFC 6066 3: the first host_name of the list; only complete names count. */
function readServerName(bytes: Uint8Array, at: number, endAt: number, hello: TlsHello): void {
  at += 2
  while (at + 3 <= endAt) {
    const nameEndAt = at + 3 + u16(bytes, at + 1)
    if (nameEndAt > endAt) return
    if (bytes[at] === 0 && hello.sni === undefined) hello.sni = latin1(bytes, at + 3, nameEndAt)
    at = nameEndAt
  }
}

function readAlpns(bytes: Uint8Array, at: number, endAt: number, alpns: string[]): void {
  while (at < endAt) {
    const nameEndAt = at + 1 + bytes[at]!
    if (nameEndAt > endAt) return
    alpns.push(latin1(bytes, at + 1, nameEndAt))
    at = nameEndAt
  }
}

function readU16List(bytes: Uint8Array, at: number, endAt: number, list: number[]): void {
  for (; at + 2 <= endAt; at += 2) list.push(u16(bytes, at))
}
