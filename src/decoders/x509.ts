// Just enough of X.509 (RFC 5280) and DER (X.690) to say whose certificate it is, who issued it and when it is valid.
import { latin1 } from './latin1.ts'

const DER_INTEGER = 0x02
const DER_OID = 0x06
const DER_UTF8_STRING = 0x0c
const DER_UTC_TIME = 0x17
const DER_GENERALIZED_TIME = 0x18
const DER_BMP_STRING = 0x1e
const DER_SEQUENCE = 0x30
const DER_SET = 0x31
const DER_VERSION = 0xa0

/** Bounds on what a hostile certificate can make us build. */
const MAX_NAME_PARTS = 64
const MAX_VALUE_LEN = 1024
const MAX_SERIAL_LEN = 64

/** Attribute types by DER content of their OID in hex, with the short names of RFC 4514 and common use. */
const ATTRIBUTES: ReadonlyMap<string, string> = new Map([
  ['550403', 'CN'],
  ['550404', 'SN'],
  ['550405', 'serialNumber'],
  ['550406', 'C'],
  ['550407', 'L'],
  ['550408', 'ST'],
  ['550409', 'street'],
  ['55040a', 'O'],
  ['55040b', 'OU'],
  ['55040c', 'title'],
  ['55040d', 'description'],
  ['55040f', 'businessCategory'],
  ['550411', 'postalCode'],
  ['55042a', 'GN'],
  ['55042e', 'dnQualifier'],
  ['0992268993f22c640101', 'UID'],
  ['0992268993f22c640119', 'DC'],
  ['2a864886f70d010901', 'emailAddress'],
  ['2b0601040182373c020101', 'jurisdictionL'],
  ['2b0601040182373c020102', 'jurisdictionST'],
  ['2b0601040182373c020103', 'jurisdictionC'],
])

/** Times in microseconds since 1970, NaN when they cannot be read. */
export interface Certificate {
  subject: string
  issuer: string
  /** Hex pairs with colons, as written in the certificate. */
  serial: string
  notBeforeMicros: number
  notAfterMicros: number
}

/** One DER element. Reused: an element is read into the object of the caller. */
interface Element {
  tag: number
  contentAt: number
  endAt: number
}

/** Reads the certificate in [at, endAt). Undefined when its structure is not that of RFC 5280 4.1 up to the subject. */
export function readCertificate(bytes: Uint8Array, at: number, endAt: number): Certificate | undefined {
  const outer: Element = { tag: 0, contentAt: 0, endAt: 0 }
  const field: Element = { tag: 0, contentAt: 0, endAt: 0 }
  if (!readTagged(bytes, at, endAt, outer, DER_SEQUENCE)) return undefined
  if (!readTagged(bytes, outer.contentAt, outer.endAt, outer, DER_SEQUENCE)) return undefined
  if (!readElement(bytes, outer.contentAt, outer.endAt, field)) return undefined
  if (field.tag === DER_VERSION && !readElement(bytes, field.endAt, outer.endAt, field)) return undefined
  if (field.tag !== DER_INTEGER) return undefined
  const serial = hexPairs(bytes, field.contentAt, Math.min(field.endAt, field.contentAt + MAX_SERIAL_LEN))
  if (!readElement(bytes, field.endAt, outer.endAt, field)) return undefined
  if (!readTagged(bytes, field.endAt, outer.endAt, field, DER_SEQUENCE)) return undefined
  const issuer = readName(bytes, field.contentAt, field.endAt)
  if (!readTagged(bytes, field.endAt, outer.endAt, field, DER_SEQUENCE)) return undefined
  const validityEndAt = field.endAt
  const notBefore: Element = { tag: 0, contentAt: 0, endAt: 0 }
  const notAfter: Element = { tag: 0, contentAt: 0, endAt: 0 }
  if (!readElement(bytes, field.contentAt, field.endAt, notBefore)) return undefined
  if (!readElement(bytes, notBefore.endAt, field.endAt, notAfter)) return undefined
  if (!readTagged(bytes, validityEndAt, outer.endAt, field, DER_SEQUENCE)) return undefined
  return {
    subject: readName(bytes, field.contentAt, field.endAt),
    issuer,
    serial,
    notBeforeMicros: readTime(bytes, notBefore),
    notAfterMicros: readTime(bytes, notAfter),
  }
}

/** X.690 8.1: identifier and definite length. False when it does not fit before `endAt`. */
function readElement(bytes: Uint8Array, at: number, endAt: number, element: Element): boolean {
  if (at + 2 > endAt) return false
  const first = bytes[at + 1]!
  let contentAt = at + 2
  let contentLen = first
  if (first >= 0x80) {
    // DER has no indefinite length, and three bytes count further than a TLS message reaches.
    const lengthLen = first & 0x7f
    if (lengthLen === 0 || lengthLen > 3 || contentAt + lengthLen > endAt) return false
    contentLen = 0
    for (let i = 0; i < lengthLen; i++) contentLen = (contentLen << 8) | bytes[contentAt + i]!
    contentAt += lengthLen
  }
  if (contentAt + contentLen > endAt) return false
  element.tag = bytes[at]!
  element.contentAt = contentAt
  element.endAt = contentAt + contentLen
  return true
}

function readTagged(bytes: Uint8Array, at: number, endAt: number, element: Element, tag: number): boolean {
  return readElement(bytes, at, endAt, element) && element.tag === tag
}

/** RFC 5280 4.1.2.4: a sequence of sets of (type, value). */
function readName(bytes: Uint8Array, at: number, endAt: number): string {
  const set: Element = { tag: 0, contentAt: 0, endAt: 0 }
  const pair: Element = { tag: 0, contentAt: 0, endAt: 0 }
  const parts: string[] = []
  while (parts.length < MAX_NAME_PARTS && readElement(bytes, at, endAt, set) && set.tag === DER_SET) {
    let pairAt = set.contentAt
    while (parts.length < MAX_NAME_PARTS && readElement(bytes, pairAt, set.endAt, pair) && pair.tag === DER_SEQUENCE) {
      const part = readAttribute(bytes, pair.contentAt, pair.endAt)
      if (part !== undefined) parts.push(part)
      pairAt = pair.endAt
    }
    at = set.endAt
  }
  return parts.join(', ')
}

function readAttribute(bytes: Uint8Array, at: number, endAt: number): string | undefined {
  const type: Element = { tag: 0, contentAt: 0, endAt: 0 }
  const value: Element = { tag: 0, contentAt: 0, endAt: 0 }
  if (!readElement(bytes, at, endAt, type) || type.tag !== DER_OID) return undefined
  if (!readElement(bytes, type.endAt, endAt, value)) return undefined
  const oid = hexPairs(bytes, type.contentAt, Math.min(type.endAt, type.contentAt + 16))
    .replaceAll(':', '')
    .toLowerCase()
  return `${ATTRIBUTES.get(oid) ?? `oid.${oid}`}=${readText(bytes, value)}`
}

function readText(bytes: Uint8Array, value: Element): string {
  const endAt = Math.min(value.endAt, value.contentAt + MAX_VALUE_LEN)
  if (value.tag === DER_UTF8_STRING) return utf8.decode(bytes.subarray(value.contentAt, endAt))
  if (value.tag !== DER_BMP_STRING) return latin1(bytes, value.contentAt, endAt)
  let text = ''
  for (let i = value.contentAt; i + 2 <= endAt; i += 2) text += String.fromCharCode((bytes[i]! << 8) | bytes[i + 1]!)
  return text
}

const utf8 = new TextDecoder()

/** RFC 5280 4.1.2.5: UTCTime with a two-digit year around 2000, GeneralizedTime with four digits; both in UTC. */
function readTime(bytes: Uint8Array, value: Element): number {
  const text = latin1(bytes, value.contentAt, Math.min(value.endAt, value.contentAt + 20))
  let match: RegExpExecArray | null = null
  if (value.tag === DER_UTC_TIME) match = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?Z$/.exec(text)
  if (value.tag === DER_GENERALIZED_TIME) match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?(?:\.\d+)?Z$/.exec(text)
  if (match === null) return Number.NaN
  const [year, month, day, hour, minute, second] = match.slice(1).map((digits) => Number(digits ?? 0))
  const fullYear = value.tag === DER_UTC_TIME ? year! + (year! < 50 ? 2000 : 1900) : year!
  return Date.UTC(fullYear, month! - 1, day!, hour!, minute!, second!) * 1000
}

function hexPairs(bytes: Uint8Array, at: number, endAt: number): string {
  let text = ''
  for (let i = at; i < endAt; i++) text += (i > at ? ':' : '') + bytes[i]!.toString(16).padStart(2, '0').toUpperCase()
  return text
}
