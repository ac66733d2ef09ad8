// The two-byte length before a DNS message on a stream, RFC 1035 4.2.2, and whether a stream is DNS at all.
import { DNS_HEADER_LEN, PORT_DNS } from '../constants/wire.ts'
import { u16 } from './cursor.ts'

const LENGTH_LEN = 2
/** Opcodes in use: query, inverse query, status, notify, update, stateful operations (IANA dns-parameters). */
const OPCODES = 0b1110111
/** RFC 1035 2.3.4. */
const MAX_LABEL_LEN = 63
const MAX_NAME_LEN = 255
const QUESTION_TAIL_LEN = 4

/**
 * Whether a DNS message starts at `at`. On port 53 a sane header is enough. On any other port everything up to the
 * end of the one question has to fit: a random binary protocol must not pass for DNS.
 */
export function isPlausibleDnsOverTcp(
  bytes: Uint8Array,
  at: number,
  endAt: number,
  serverPort: number,
): 'yes' | 'no' | 'more' {
  const thereLen = endAt - at
  if (thereLen < LENGTH_LEN) return 'more'
  const messageLen = u16(bytes, at)
  if (messageLen < DNS_HEADER_LEN) return 'no'
  const headerAt = at + LENGTH_LEN
  if (thereLen >= LENGTH_LEN + 4) {
    const flags = u16(bytes, headerAt + 2)
    if (((OPCODES >> ((flags >> 11) & 15)) & 1) === 0) return 'no'
    // A query carries no answer code (RFC 1035 4.1.1).
    if (serverPort !== PORT_DNS && (flags & 0x8000) === 0 && (flags & 0x0f) !== 0) return 'no'
  }
  if (thereLen < LENGTH_LEN + DNS_HEADER_LEN) return 'more'
  if (serverPort === PORT_DNS) return 'yes'
  const questions = u16(bytes, headerAt + 4)
  const records = u16(bytes, headerAt + 6) + u16(bytes, headerAt + 8) + u16(bytes, headerAt + 10)
  // RFC 9619: exactly one question. Every record takes at least 11 bytes.
  if (questions !== 1 || DNS_HEADER_LEN + 5 + records * 11 > messageLen) return 'no'
  return questionAt(bytes, headerAt + DNS_HEADER_LEN, endAt, headerAt + messageLen, records === 0)
}

function questionAt(bytes: Uint8Array, at: number, endAt: number, messageEndAt: number, last: boolean) {
  const nameEndAt = at + MAX_NAME_LEN
  for (;;) {
    if (at >= endAt) return 'more'
    const labelLen = bytes[at]!
    if (labelLen > MAX_LABEL_LEN) return 'no'
    for (let i = at + 1; i <= at + labelLen && i < endAt; i++) {
      // Host names and the service labels of RFC 8552; a binary label on an unusual port is not DNS's doing.
      if (bytes[i]! < 0x21 || bytes[i]! > 0x7e) return 'no'
    }
    at += labelLen + 1
    if (labelLen === 0) break
    if (at >= nameEndAt || at + QUESTION_TAIL_LEN >= messageEndAt) return 'no'
  }
  if (at + QUESTION_TAIL_LEN > endAt) return 'more'
  const type = u16(bytes, at)
  const klass = u16(bytes, at + 2)
  const endsHere = at + QUESTION_TAIL_LEN === messageEndAt
  return type !== 0 && (klass === 1 || klass === 3 || klass === 255) && endsHere === last ? 'yes' : 'no'
}
