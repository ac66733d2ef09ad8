// One direction of a TLS connection: where it stands in its records, and the handshake message it collects.
import { u16 } from '../../decoders/cursor.ts'
import {
  isTlsRecord,
  TLS_1_3,
  TLS_APPLICATION_DATA,
  TLS_CERTIFICATE,
  TLS_CHANGE_CIPHER_SPEC,
  TLS_CLIENT_HELLO,
  TLS_HANDSHAKE_HEADER_LEN,
  TLS_RECORD_HEADER_LEN,
  TLS_SERVER_HELLO,
  TLS_START_RECORD,
  tlsStart,
} from '../../decoders/tls.ts'

const FIRST_BUFFER_LEN = 2048
/** RFC 8446 B.3: no message we know has a higher number. */
const MAX_MESSAGE_TYPE = 24
const EMPTY = new Uint8Array(0)

/** Where one direction stands. */
export interface Direction {
  /** Nothing more in the clear is expected. */
  done: boolean
  /** It is done because a protected record begins, and what follows is followed too. */
  sealed: boolean
  /** Bytes are missing: the next push that starts with a record is where reading goes on. */
  lost: boolean
  /** ChangeCipherSpec was seen. */
  cipherChanged: boolean
  /** All bytes offered, those of the done direction included. */
  seenLen: number
  header: Uint8Array
  headerLen: number
  recordType: number
  /** Bytes of the current record that are still to come. */
  recordLeft: number
  recordLen: number
  /** SSLv2 framing, which the very first message of a client may use. */
  ssl2: boolean
  /** The handshake message being collected, its header included. */
  message: Uint8Array
  messageLen: number
  /** Bytes of an unwanted message that are still to come. */
  skipLeft: number
  alertLevel: number
}

/** Before the first byte. */
export function createDirection(): Direction {
  return {
    done: false,
    sealed: false,
    lost: false,
    cipherChanged: false,
    seenLen: 0,
    header: new Uint8Array(TLS_RECORD_HEADER_LEN),
    headerLen: 0,
    recordType: 0,
    recordLeft: 0,
    recordLen: 0,
    ssl2: false,
    message: EMPTY,
    messageLen: 0,
    skipLeft: 0,
    alertLevel: -1,
  }
}

/** After missing bytes a push counts only when a record starts it; then reading goes on there. */
export function startsAt(direction: Direction, bytes: Uint8Array, at: number, endAt: number): boolean {
  if (!direction.lost) return true
  if (tlsStart(bytes, at, endAt) !== TLS_START_RECORD) return false
  direction.lost = false
  direction.headerLen = 0
  direction.recordLeft = 0
  direction.messageLen = 0
  direction.skipLeft = 0
  direction.alertLevel = -1
  return true
}

/** The header of a record is whole. `version`: what the server chose, 0 before its hello. */
export function startRecord(direction: Direction, version: number): void {
  const { header } = direction
  direction.headerLen = 0
  direction.recordType = header[0]!
  direction.recordLen = u16(header, 3)
  direction.recordLeft = direction.recordLen
  if (!isTlsRecord(header, 0)) {
    direction.lost = true
  } else if (direction.recordType === TLS_APPLICATION_DATA) {
    direction.done = true
  } else if (direction.recordType === TLS_CHANGE_CIPHER_SPEC) {
    // RFC 8446 D.4: in TLS 1.3 it means nothing and may stand before the second ClientHello.
    direction.cipherChanged = true
  } else if (direction.cipherChanged && version !== 0 && version < TLS_1_3) {
    direction.done = true
  }
}

/** Two bytes of SSLv2 framing, which only the very first message of a connection may have. */
export function startSsl2(direction: Direction, version: number): void {
  const messageLen = u16(direction.header, 0) & 0x7fff
  direction.headerLen = 0
  direction.ssl2 = true
  direction.recordLen = messageLen
  direction.recordLeft = messageLen
  if (messageLen === 0 || version !== 0 || direction.messageLen > 0) direction.lost = true
}

/** Looks at a message header: a message of no interest is skipped, an impossible one is encrypted: the direction is done. */
export function wants(direction: Direction): boolean {
  const type = direction.message[0]!
  if (isOfInterest(type)) return true
  if (direction.message[1] !== 0 || type > MAX_MESSAGE_TYPE) {
    direction.done = true
    direction.messageLen = 0
    direction.message = EMPTY
    return false
  }
  direction.skipLeft = wholeMessageLen(direction) - TLS_HANDSHAKE_HEADER_LEN
  direction.messageLen = 0
  return true
}

/** Bytes of a message of interest that stands whole in [at, endAt), header included; 0 when none does. */
export function wholeLenAt(bytes: Uint8Array, at: number, endAt: number): number {
  if (at + TLS_HANDSHAKE_HEADER_LEN > endAt || !isOfInterest(bytes[at]!)) return 0
  const wholeLen = TLS_HANDSHAKE_HEADER_LEN + ((bytes[at + 1]! << 16) | u16(bytes, at + 2))
  return at + wholeLen <= endAt ? wholeLen : 0
}

function isOfInterest(type: number): boolean {
  return type === TLS_CLIENT_HELLO || type === TLS_SERVER_HELLO || type === TLS_CERTIFICATE
}

/** Bytes of the message being collected by its own header, header included. */
export function wholeMessageLen(direction: Direction): number {
  const { message } = direction
  return TLS_HANDSHAKE_HEADER_LEN + ((message[1]! << 16) | u16(message, 2))
}

/** Appends [at, endAt) to the message being collected. */
export function collect(direction: Direction, bytes: Uint8Array, at: number, endAt: number): void {
  const neededLen = direction.messageLen + endAt - at
  if (neededLen > direction.message.length) {
    const larger = new Uint8Array(Math.max(neededLen, direction.message.length * 2, FIRST_BUFFER_LEN))
    larger.set(direction.message.subarray(0, direction.messageLen))
    direction.message = larger
  }
  const { message, messageLen } = direction
  // A call costs more than copying a header's four bytes.
  if (endAt - at > 32) message.set(bytes.subarray(at, endAt), messageLen)
  else for (let i = at; i < endAt; i++) message[messageLen + i - at] = bytes[i]!
  direction.messageLen = neededLen
}

/** Gives the memory of the message back. */
export function dropMessage(direction: Direction): void {
  direction.messageLen = 0
  direction.message = EMPTY
}
