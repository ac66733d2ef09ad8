// HTTP/1.x heads (RFC 9112): what starts here, where does the head end, what does it say. Lenient as peers are: bare LF,
// folded lines, surplus spaces. Bodies are the business of the exchange tracker.
import { latin1 } from './latin1.ts'

/** What stands at the start of a stream or after a message. */
export const HTTP_START_NO = 0
export const HTTP_START_MORE = 1
export const HTTP_START_REQUEST = 2
export const HTTP_START_RESPONSE = 3
export const HTTP_START_HTTP2 = 4

const LF = 0x0a
const CR = 0x0d
const SP = 0x20
const HT = 0x09
const COLON = 0x3a
const SLASH = 0x2f
const ASTERISK = 0x2a
/** RFC 9110 5.6.2 bounds no token; no registered method is longer than 18 characters. */
const MAX_METHOD_LEN = 24
/** A longer first line is accepted as a request without looking for its version. */
const MAX_RECOGNISED_LINE_LEN = 8192

/** Methods that make a stream HTTP: IANA http-methods, UPnP eventing (GENA), SSDP, and a few of Microsoft's. */
const METHODS: readonly string[] = Object.freeze(
  (
    'GET POST HEAD PUT DELETE OPTIONS CONNECT TRACE PATCH ' +
    'PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK SEARCH REPORT ACL BIND UNBIND REBIND LINK UNLINK CHECKIN CHECKOUT ' +
    'UNCHECKOUT LABEL MERGE MKACTIVITY MKCALENDAR MKREDIRECTREF MKWORKSPACE ORDERPATCH UPDATE UPDATEREDIRECTREF ' +
    'VERSION-CONTROL BASELINE-CONTROL PRI QUERY ' +
    'NOTIFY SUBSCRIBE UNSUBSCRIBE M-SEARCH M-POST ' +
    'BCOPY BDELETE BMOVE BPROPFIND BPROPPATCH POLL PURGE CCM_POST RPC_CONNECT RPC_IN_DATA RPC_OUT_DATA BITS_POST'
  )
    .split(' ')
    .map((method) => `${method} `),
)

const VERSION_START = 'HTTP/'
/** RFC 9113 3.4. */
const HTTP2_PREFACE = 'PRI * HTTP/2.0\r\n'

/**
 * What starts at `at`. A request needs a known method and, once its line is whole, an HTTP version or none at all
 * (HTTP/0.9): RTSP and SIP share methods with HTTP and name themselves in that place.
 */
export function httpStart(bytes: Uint8Array, at: number, endAt: number): number {
  // RFC 9112 2.2: empty lines before a request line are to be ignored.
  while (at < endAt && (bytes[at] === CR || bytes[at] === LF)) at++
  if (at >= endAt) return HTTP_START_MORE
  const version = startsWith(bytes, at, endAt, VERSION_START)
  if (version === MATCH_PART) return HTTP_START_MORE
  if (version === MATCH_ALL) return responseStart(bytes, at + VERSION_START.length, endAt)
  if (!isUpperCase(bytes[at]!)) return HTTP_START_NO
  let more = false
  for (let i = 0; i < METHODS.length; i++) {
    const match = startsWith(bytes, at, endAt, METHODS[i]!)
    if (match === MATCH_ALL) return requestStart(bytes, at, at + METHODS[i]!.length, endAt)
    more = more || match === MATCH_PART
  }
  return more ? HTTP_START_MORE : HTTP_START_NO
}

function responseStart(bytes: Uint8Array, at: number, endAt: number): number {
  if (at + 4 > endAt) return HTTP_START_MORE
  return isDigit(bytes[at]!) && (bytes[at + 1] === SP || isDigit(bytes[at + 2]!)) ? HTTP_START_RESPONSE : HTTP_START_NO
}

function requestStart(bytes: Uint8Array, startAt: number, at: number, endAt: number): number {
  const preface = startsWith(bytes, startAt, endAt, HTTP2_PREFACE)
  if (preface !== MATCH_NONE) return preface === MATCH_ALL ? HTTP_START_HTTP2 : HTTP_START_MORE
  const scanEndAt = Math.min(endAt, startAt + MAX_RECOGNISED_LINE_LEN)
  let lastSpaceAt = at - 1
  for (let i = at; i < scanEndAt; i++) {
    const byte = bytes[i]!
    if (byte === LF) {
      // No second space: an HTTP/0.9 simple request, which asks for a path (RFC 1945 4.1).
      if (lastSpaceAt === at - 1) return isTargetStart(bytes, at, i) ? HTTP_START_REQUEST : HTTP_START_NO
      return hasOtherVersion(bytes, lastSpaceAt + 1, i) ? HTTP_START_NO : HTTP_START_REQUEST
    }
    if (byte === SP) lastSpaceAt = i
    else if (byte < SP && byte !== CR && byte !== HT) return HTTP_START_NO
  }
  // A path or an HTTP URL says enough before its line is whole; a line cut by the snap length never will be.
  const isHttpTarget = bytes[at] === SLASH || startsWith(bytes, at, endAt, 'http') === MATCH_ALL
  return scanEndAt < endAt || isHttpTarget ? HTTP_START_REQUEST : HTTP_START_MORE
}

/** The last word of a request line names another protocol, as in `OPTIONS rtsp://host RTSP/1.0`. */
function hasOtherVersion(bytes: Uint8Array, at: number, endAt: number): boolean {
  return (
    startsWith(bytes, at, endAt, VERSION_START) !== MATCH_ALL &&
    /^[A-Z]{2,8}\/\d+\.\d+\r?$/.test(latin1(bytes, at, endAt))
  )
}

/** A path, a host or URL, `*`; nothing or the version at once, in a line that lacks its target. */
function isTargetStart(bytes: Uint8Array, at: number, endAt: number): boolean {
  const byte = bytes[at]!
  return (
    byte === CR ||
    byte === LF ||
    byte === SLASH ||
    byte === ASTERISK ||
    (byte >= 0x61 && byte <= 0x7a) ||
    startsWith(bytes, at, endAt, VERSION_START) === MATCH_ALL
  )
}

/** As the first letter of every method is. */
function isUpperCase(byte: number): boolean {
  return byte >= 0x41 && byte <= 0x5a
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}

const MATCH_NONE = 0
const MATCH_PART = 1
const MATCH_ALL = 2

function startsWith(bytes: Uint8Array, at: number, endAt: number, text: string): number {
  for (let i = 0; i < text.length; i++) {
    if (at + i >= endAt) return MATCH_PART
    if (bytes[at + i] !== text.charCodeAt(i)) return MATCH_NONE
  }
  return MATCH_ALL
}

/**
 * One past the empty line that ends a head starting at `at`, −1 when it is not there yet. Bytes before `scannedAt` have
 * been looked at before (all but the last three).
 */
export function httpHeadEnd(bytes: Uint8Array, at: number, scannedAt: number, endAt: number): number {
  while (at < endAt && (bytes[at] === CR || bytes[at] === LF)) at++
  for (let i = Math.max(at, scannedAt); i < endAt; i++) {
    if (bytes[i] !== LF) continue
    if (i + 1 < endAt && bytes[i + 1] === LF) return i + 2
    if (i + 2 < endAt && bytes[i + 1] === CR && bytes[i + 2] === LF) return i + 3
  }
  return -1
}

/** A request or response head. Fields repeated in the head are joined by ", " (RFC 9110 5.3), Host excepted. */
export interface HttpHead {
  kind: 'request' | 'response'
  method: string | undefined
  url: string | undefined
  /** As written, `HTTP/1.1`; undefined for an HTTP/0.9 request. */
  protocol: string | undefined
  status: number
  /** Lower-case field name to value, only the names in FIELDS. */
  fields: Map<string, string>
}

/** The fields that are kept. */
export const HTTP_FIELDS: readonly string[] = Object.freeze([
  'host',
  'user-agent',
  'server',
  'via',
  'proxy-status',
  'cf-ray',
  'x-cache',
  'content-type',
  'location',
  'content-length',
  'transfer-encoding',
  'upgrade',
  'connection',
])

/**
 * Reads the head in [at, endAt); an incomplete last line counts as a line. Undefined when its first line is neither a
 * request line with a method that is a token (a known one where the version is missing) nor a status line.
 */
export function readHttpHead(bytes: Uint8Array, at: number, endAt: number): HttpHead | undefined {
  while (at < endAt && (bytes[at] === CR || bytes[at] === LF)) at++
  const lineEndAt = lineEnd(bytes, at, endAt)
  const head =
    startsWith(bytes, at, lineEndAt, VERSION_START) === MATCH_ALL
      ? readStatusLine(bytes, at, lineEndAt)
      : readRequestLine(bytes, at, lineEndAt)
  if (head !== undefined) readFields(bytes, afterLine(bytes, lineEndAt, endAt), endAt, head.fields)
  return head
}

function readStatusLine(bytes: Uint8Array, at: number, endAt: number): HttpHead | undefined {
  const match = /^(HTTP\/\d(?:\.\d+)?)[ \t]+(\d{3})(?:[ \t]|$)/.exec(latin1(bytes, at, Math.min(endAt, at + 64)))
  if (match === null) return undefined
  return createHead('response', undefined, undefined, match[1], Number(match[2]))
}

function readRequestLine(bytes: Uint8Array, at: number, endAt: number): HttpHead | undefined {
  let methodEndAt = at
  while (methodEndAt < endAt && isTokenByte(bytes[methodEndAt]!)) methodEndAt++
  const methodLen = methodEndAt - at
  if (methodLen === 0 || methodLen > MAX_METHOD_LEN || methodEndAt === endAt) return undefined
  if (bytes[methodEndAt] !== SP && bytes[methodEndAt] !== HT) return undefined
  const rest = latin1(bytes, methodEndAt, endAt).trim()
  const versionAt = rest.search(/[ \t]HTTP\/[^ \t]*$/)
  const url = versionAt < 0 ? rest : rest.slice(0, versionAt).trimEnd()
  const protocol = versionAt < 0 ? undefined : rest.slice(versionAt + 1)
  // Without a version any text is a word and more words: only a known method asks for something.
  if (protocol === undefined && !METHODS.includes(`${latin1(bytes, at, methodEndAt)} `)) return undefined
  return createHead('request', latin1(bytes, at, methodEndAt), url, protocol, 0)
}

function createHead(
  kind: 'request' | 'response',
  method: string | undefined,
  url: string | undefined,
  protocol: string | undefined,
  status: number,
): HttpHead {
  return { kind, method, url, protocol, status, fields: new Map() }
}

/** RFC 9110 5.6.2: tchar. */
function isTokenByte(byte: number): boolean {
  return (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x41 && byte <= 0x5a) || isDigit(byte) || TOKEN_MARKS.includes(byte)
}

const TOKEN_MARKS = Array.from("!#$%&'*+-.^_`|~", (mark) => mark.charCodeAt(0))

/**
 * Reads field lines up to the empty line or `endAt`. Also fit for the trailers of a chunked body. What several lines say
 * is put together once: a head may be nothing but lines of three bytes that continue each other.
 */
function readFields(bytes: Uint8Array, at: number, endAt: number, fields: Map<string, string>): void {
  const texts = new Map<string, string[]>()
  let name = ''
  while (at < endAt) {
    const lineEndAt = lineEnd(bytes, at, endAt)
    if (lineEndAt === at) break
    const first = bytes[at]!
    // RFC 9112 5.2: a folded line continues the value before it.
    if (first !== SP && first !== HT) name = readField(bytes, at, lineEndAt, texts)
    else if (name !== '') continueValue(texts.get(name)!, latin1(bytes, at, lineEndAt).trim())
    at = afterLine(bytes, lineEndAt, endAt)
  }
  for (const [one, parts] of texts) fields.set(one, parts.length === 1 ? parts[0]! : parts.join('').trim())
}

/** Returns the name when the field is kept, '' otherwise. */
function readField(bytes: Uint8Array, at: number, endAt: number, texts: Map<string, string[]>): string {
  let colonAt = at
  while (colonAt < endAt && bytes[colonAt] !== COLON) colonAt++
  if (colonAt === endAt) return ''
  let nameEndAt = colonAt
  while (nameEndAt > at && (bytes[nameEndAt - 1] === SP || bytes[nameEndAt - 1] === HT)) nameEndAt--
  const name = keptFieldName(bytes, at, nameEndAt)
  if (name === '') return ''
  const value = latin1(bytes, colonAt + 1, endAt).trim()
  const parts = texts.get(name)
  if (parts === undefined) texts.set(name, [value])
  else if (name !== 'host' && name !== 'content-length') parts.push(', ', value)
  return name
}

function continueValue(parts: string[], text: string): void {
  if (text !== '') parts.push(' ', text)
}

/** The name in HTTP_FIELDS that stands there in whatever case, or ''; most names are none, and no text is made of them. */
function keptFieldName(bytes: Uint8Array, at: number, endAt: number): string {
  for (let i = 0; i < HTTP_FIELDS.length; i++) {
    const name = HTTP_FIELDS[i]!
    if (name.length === endAt - at && isInAnyCase(bytes, at, name)) return name
  }
  return ''
}

function isInAnyCase(bytes: Uint8Array, at: number, lowerCase: string): boolean {
  for (let i = 0; i < lowerCase.length; i++) {
    const byte = bytes[at + i]!
    if ((isUpperCase(byte) ? byte | 0x20 : byte) !== lowerCase.charCodeAt(i)) return false
  }
  return true
}

/** The end of the line's text: its CR LF, LF, or `endAt`. */
function lineEnd(bytes: Uint8Array, at: number, endAt: number): number {
  let lineEndAt = at
  while (lineEndAt < endAt && bytes[lineEndAt] !== LF) lineEndAt++
  return lineEndAt < endAt && lineEndAt > at && bytes[lineEndAt - 1] === CR ? lineEndAt - 1 : lineEndAt
}

function afterLine(bytes: Uint8Array, lineEndAt: number, endAt: number): number {
  let at = lineEndAt
  while (at < endAt && bytes[at] !== LF) at++
  return Math.min(endAt, at + 1)
}
