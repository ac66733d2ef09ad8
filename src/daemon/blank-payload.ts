// Blanking what is nobody's business before packets are written: of cleartext HTTP only the lines that matter stay, of any
// other TCP payload nothing that is not TLS or DNS. Lengths stay as they are, checksums do not. Pure.

const BLANK = 0x78
const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d
const TLS_RECORDS: readonly number[] = [0x14, 0x15, 0x16, 0x17]

/** Header lines that say who answered and how; every other line's value is blanked. */
const SHOWN_HEADERS: readonly string[] = [
  'host',
  'server',
  'via',
  'proxy-status',
  'cf-ray',
  'x-cache',
  'content-type',
  'content-length',
  'transfer-encoding',
  'connection',
  'upgrade',
  'date',
  'retry-after',
]
const REQUEST = /^[A-Z-]{3,20} [^ ]+ HTTP\/\d/
const STATUS = /^HTTP\/\d(?:\.\d)? \d{3}/

/** Is this the beginning of a TLS record (RFC 8446 5.1)? */
export function isTlsRecord(bytes: Uint8Array, at: number, endAt: number): boolean {
  return at + 3 <= endAt && TLS_RECORDS.includes(bytes[at]!) && bytes[at + 1] === 3 && bytes[at + 2]! <= 4
}

/** Blanks a TCP payload in place. `isHarmless`: unless it is HTTP, it is known to be TLS or DNS. */
export function blankPayload(bytes: Uint8Array, at: number, endAt: number, isHarmless: boolean): void {
  const lineEnd = endOfLine(bytes, at, endAt)
  const first = textOf(bytes, at, lineEnd)
  const isRequest = REQUEST.test(first)
  if (!isRequest && !STATUS.test(first)) {
    if (isHarmless) return
    // A piece from the middle, cut request lines, other protocols: no telling what it holds.
    bytes.fill(BLANK, at, endAt)
    return
  }
  if (isRequest) blankTarget(bytes, at, lineEnd)
  blankHeaders(bytes, lineEnd + 1, endAt)
}

/** Blanks the payload that an ICMP error quotes (RFC 792, RFC 4443): all behind the quoted ports and sequence number. */
export function blankQuoted(bytes: Uint8Array, quotedAt: number, endAt: number): void {
  const version = bytes[quotedAt]! >> 4
  const headerLen = version === 4 ? (bytes[quotedAt]! & 0x0f) * 4 : 40
  const protocol = version === 4 ? bytes[quotedAt + 9] : bytes[quotedAt + 6]
  // A UDP query quoted whole is a name, like any other DNS packet.
  const keptLen = protocol === 17 ? Number.POSITIVE_INFINITY : protocol === 6 ? 20 : 8
  const from = quotedAt + headerLen + keptLen
  if (from < endAt) bytes.fill(BLANK, from, endAt)
}

/** `GET /path?query` and `GET http://user:password@host/`. */
function blankTarget(bytes: Uint8Array, at: number, endAt: number): void {
  const line = textOf(bytes, at, endAt)
  const targetAt = line.indexOf(' ') + 1
  const lastSpace = line.lastIndexOf(' ')
  const targetEnd = lastSpace > targetAt ? lastSpace : line.length
  const target = line.slice(targetAt, targetEnd)
  const query = target.search(/[?#;]/)
  if (query >= 0) bytes.fill(BLANK, at + targetAt + query + 1, at + targetEnd)
  const user = /^[a-z][a-z0-9+.-]*:\/\/([^/@]*)@/i.exec(target)
  if (user !== null) {
    const from = at + targetAt + user[0].length - 1 - user[1]!.length
    bytes.fill(BLANK, from, from + user[1]!.length)
  }
}

/** Lines up to the empty one; the body behind it goes as a whole. */
function blankHeaders(bytes: Uint8Array, from: number, endAt: number): void {
  let isShown = false
  for (let at = from; at < endAt; ) {
    const lineEnd = endOfLine(bytes, at, endAt)
    const line = textOf(bytes, at, lineEnd)
    if (line.replace(/\r$/, '') === '') {
      bytes.fill(BLANK, Math.min(endAt, lineEnd + 1), endAt)
      return
    }
    const isContinuation = line.startsWith(' ') || line.startsWith('\t')
    const colon = line.indexOf(':')
    if (!isContinuation) isShown = SHOWN_HEADERS.includes(line.slice(0, Math.max(0, colon)).toLowerCase())
    if (!isShown) {
      const valueAt = isContinuation || colon < 0 ? at : at + colon + 1
      for (let i = valueAt; i < lineEnd; i++) if (bytes[i] !== CARRIAGE_RETURN) bytes[i] = BLANK
    }
    at = lineEnd + 1
  }
}

function endOfLine(bytes: Uint8Array, at: number, endAt: number): number {
  const found = bytes.subarray(at, endAt).indexOf(LINE_FEED)
  return found < 0 ? endAt : at + found
}

function textOf(bytes: Uint8Array, at: number, endAt: number): string {
  let text = ''
  for (let i = at; i < endAt; i++) text += String.fromCharCode(bytes[i]!)
  return text
}
