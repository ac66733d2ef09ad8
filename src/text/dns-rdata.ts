// Cold path. What a resource record says: RDATA by type. Names in it may be compressed (RFC 3597 4).
import { bytesAddressText } from './address.ts'
import { asciiText, base32HexText, base64Text, hexText, u16, u32 } from './binary-text.ts'
import type { DnsData } from './dns-data.ts'
import { readEdnsOptions } from './dns-edns.ts'
import { type NameMemo, type NameReading, readName } from './dns-name.ts'
import { readSvcParams } from './dns-svc-params.ts'

/** The message a record stands in, and what reading names needs. `name.nextAt` is behind the last name read. */
export interface DnsMessageBytes {
  readonly bytes: Uint8Array
  readonly at: number
  readonly endAt: number
  readonly memo: NameMemo
  readonly name: NameReading
  /** Types whose data is wanted; all when undefined. */
  readonly onlyTypes?: readonly number[] | undefined
}

/** Types one NSEC record may list here; the registry has about a hundred, a hostile bitmap 65,536. */
const MAX_LISTED_TYPES = 1024

/** For data that nobody asked for. */
const NOT_READ: DnsData = Object.freeze({ kind: 'other', hex: '' })

/** Reads the data in [at, endAt), or undefined when it does not fit its type. */
type ReadData = (message: DnsMessageBytes, at: number, endAt: number) => DnsData | undefined

/**
 * The data in [at, endAt) of a record of `type`; unknown types and what does not fit its type as `other`, and so, empty,
 * types that are not wanted. Never throws.
 */
export function readData(message: DnsMessageBytes, type: number, at: number, endAt: number): DnsData {
  if (message.onlyTypes !== undefined && !message.onlyTypes.includes(type)) return NOT_READ
  return READERS[type]?.(message, at, endAt) ?? { kind: 'other', hex: hexText(message.bytes, at, endAt) }
}

const readIpv4: ReadData = ({ bytes }, at, endAt) =>
  endAt - at === 4 ? { kind: 'address', address: bytesAddressText(bytes, at, 4) } : undefined

const readIpv6: ReadData = ({ bytes }, at, endAt) =>
  endAt - at === 16 ? { kind: 'address', address: bytesAddressText(bytes, at, 16) } : undefined

const readNameOnly: ReadData = (message, at, endAt) => {
  const name = lastName(message, at, endAt)
  return name === undefined ? undefined : { kind: 'name', name }
}

/** RFC 1035 3.3.13. */
const readSoa: ReadData = (message, at, endAt) => {
  const { bytes } = message
  const mname = nameIn(message, at, endAt)
  if (mname === undefined) return undefined
  const rname = nameIn(message, message.name.nextAt, endAt)
  if (rname === undefined) return undefined
  const tailAt = message.name.nextAt
  if (endAt - tailAt !== 20) return undefined
  return {
    kind: 'soa',
    mname,
    rname,
    serial: u32(bytes, tailAt),
    refresh: u32(bytes, tailAt + 4),
    retry: u32(bytes, tailAt + 8),
    expire: u32(bytes, tailAt + 12),
    minimum: u32(bytes, tailAt + 16),
  }
}

/** RFC 1035 3.3.9; AFSDB, RT and KX have the same form. */
const readMx: ReadData = (message, at, endAt) => {
  if (endAt - at < 3) return undefined
  const exchange = lastName(message, at + 2, endAt)
  return exchange === undefined ? undefined : { kind: 'mx', preference: u16(message.bytes, at), exchange }
}

const readStrings: ReadData = ({ bytes }, at, endAt) => {
  const strings: string[] = []
  while (at < endAt) {
    const stringEndAt = at + 1 + bytes[at]!
    if (stringEndAt > endAt) return undefined
    strings.push(asciiText(bytes, at + 1, stringEndAt))
    at = stringEndAt
  }
  return { kind: 'strings', strings }
}

/** RFC 2782. */
const readSrv: ReadData = (message, at, endAt) => {
  if (endAt - at < 7) return undefined
  const { bytes } = message
  const target = lastName(message, at + 6, endAt)
  if (target === undefined) return undefined
  return { kind: 'srv', priority: u16(bytes, at), weight: u16(bytes, at + 2), port: u16(bytes, at + 4), target }
}

/** RFC 3403 4.1: two numbers, three strings, a name. */
const readNaptr: ReadData = (message, at, endAt) => {
  if (endAt - at < 8) return undefined
  const { bytes } = message
  const strings: string[] = []
  let next = at + 4
  for (let i = 0; i < 3; i++) {
    if (next >= endAt || next + 1 + bytes[next]! > endAt) return undefined
    const stringEndAt = next + 1 + bytes[next]!
    strings.push(asciiText(bytes, next + 1, stringEndAt))
    next = stringEndAt
  }
  const replacement = lastName(message, next, endAt)
  if (replacement === undefined) return undefined
  return {
    kind: 'naptr',
    order: u16(bytes, at),
    preference: u16(bytes, at + 2),
    flags: strings[0]!,
    services: strings[1]!,
    regexp: strings[2]!,
    replacement,
  }
}

const readOpt: ReadData = ({ bytes }, at, endAt) => {
  const options = readEdnsOptions(bytes, at, endAt)
  return options === undefined ? undefined : { kind: 'opt', options }
}

/** RFC 4034 5.1. */
const readDs: ReadData = ({ bytes }, at, endAt) => {
  if (endAt - at < 4) return undefined
  return {
    kind: 'ds',
    keyTag: u16(bytes, at),
    algorithm: bytes[at + 2]!,
    digestType: bytes[at + 3]!,
    digest: hexText(bytes, at + 4, endAt),
  }
}

/** RFC 4255 3.1. */
const readSshfp: ReadData = ({ bytes }, at, endAt) => {
  if (endAt - at < 2) return undefined
  const fingerprint = hexText(bytes, at + 2, endAt, ':')
  return { kind: 'sshfp', algorithm: bytes[at]!, fingerprintType: bytes[at + 1]!, fingerprint }
}

/** RFC 4034 3.1. */
const readRrsig: ReadData = (message, at, endAt) => {
  if (endAt - at < 19) return undefined
  const { bytes } = message
  const signer = nameIn(message, at + 18, endAt)
  if (signer === undefined) return undefined
  return {
    kind: 'rrsig',
    typeCovered: u16(bytes, at),
    algorithm: bytes[at + 2]!,
    labels: bytes[at + 3]!,
    originalTtl: u32(bytes, at + 4),
    expiration: u32(bytes, at + 8),
    inception: u32(bytes, at + 12),
    keyTag: u16(bytes, at + 16),
    signer,
    signature: base64Text(bytes, message.name.nextAt, endAt),
  }
}

/** RFC 4034 4.1. */
const readNsec: ReadData = (message, at, endAt) => {
  const nextName = nameIn(message, at, endAt)
  if (nextName === undefined) return undefined
  const types = readTypeBitmaps(message.bytes, message.name.nextAt, endAt)
  return types === undefined ? undefined : { kind: 'nsec', nextName, types }
}

/** RFC 4034 2.1. */
const readDnskey: ReadData = ({ bytes }, at, endAt) => {
  if (endAt - at < 4) return undefined
  return {
    kind: 'dnskey',
    flags: u16(bytes, at),
    protocol: bytes[at + 2]!,
    algorithm: bytes[at + 3]!,
    publicKey: base64Text(bytes, at + 4, endAt),
  }
}

/** RFC 5155 3.2. */
const readNsec3: ReadData = ({ bytes }, at, endAt) => {
  if (endAt - at < 6) return undefined
  const saltAt = at + 5
  const hashLenAt = saltAt + bytes[at + 4]!
  if (hashLenAt >= endAt) return undefined
  const bitmapsAt = hashLenAt + 1 + bytes[hashLenAt]!
  if (bitmapsAt > endAt) return undefined
  const types = readTypeBitmaps(bytes, bitmapsAt, endAt)
  if (types === undefined) return undefined
  return {
    kind: 'nsec3',
    hashAlgorithm: bytes[at]!,
    flags: bytes[at + 1]!,
    iterations: u16(bytes, at + 2),
    salt: hexText(bytes, saltAt, hashLenAt),
    nextHashed: base32HexText(bytes, hashLenAt + 1, bitmapsAt),
    types,
  }
}

/** RFC 6698 2.1; SMIMEA (RFC 8162 2) has the same form. */
const readTlsa: ReadData = ({ bytes }, at, endAt) => {
  if (endAt - at < 3) return undefined
  const certificate = hexText(bytes, at + 3, endAt)
  return { kind: 'tlsa', usage: bytes[at]!, selector: bytes[at + 1]!, matchingType: bytes[at + 2]!, certificate }
}

/** RFC 9460 2.2. */
const readSvcb: ReadData = (message, at, endAt) => {
  if (endAt - at < 3) return undefined
  const target = nameIn(message, at + 2, endAt)
  if (target === undefined) return undefined
  const params = readSvcParams(message.bytes, message.name.nextAt, endAt)
  return params === undefined ? undefined : { kind: 'svcb', priority: u16(message.bytes, at), target, params }
}

/** RFC 8659 4.1. */
const readCaa: ReadData = ({ bytes }, at, endAt) => {
  if (endAt - at < 2) return undefined
  const valueAt = at + 2 + bytes[at + 1]!
  if (valueAt > endAt) return undefined
  return {
    kind: 'caa',
    flags: bytes[at]!,
    tag: asciiText(bytes, at + 2, valueAt),
    value: asciiText(bytes, valueAt, endAt),
  }
}

/** RFC 1002 4.2.1.3: flags and address of each owner of a NetBIOS name. */
export const readNetbios: ReadData = ({ bytes }, at, endAt) => {
  if ((endAt - at) % 6 !== 0) return undefined
  const nodes: { flags: number; address: string }[] = []
  for (let node = at; node < endAt; node += 6) {
    nodes.push({ flags: u16(bytes, node), address: bytesAddressText(bytes, node + 2, 4) })
  }
  return { kind: 'netbios', nodes }
}

const READERS: Readonly<Record<number, ReadData>> = Object.freeze({
  1: readIpv4,
  2: readNameOnly,
  3: readNameOnly,
  4: readNameOnly,
  5: readNameOnly,
  6: readSoa,
  7: readNameOnly,
  8: readNameOnly,
  9: readNameOnly,
  12: readNameOnly,
  13: readStrings,
  15: readMx,
  16: readStrings,
  18: readMx,
  21: readMx,
  28: readIpv6,
  33: readSrv,
  35: readNaptr,
  36: readMx,
  39: readNameOnly,
  41: readOpt,
  43: readDs,
  44: readSshfp,
  46: readRrsig,
  47: readNsec,
  48: readDnskey,
  50: readNsec3,
  52: readTlsa,
  53: readTlsa,
  59: readDs,
  60: readDnskey,
  64: readSvcb,
  65: readSvcb,
  99: readStrings,
  257: readCaa,
  32769: readDs,
})

/** The name at `at`, which must end before `endAt`; undefined when it is broken. */
function nameIn(message: DnsMessageBytes, at: number, endAt: number): string | undefined {
  readName(message.bytes, message.at, message.endAt, at, message.memo, message.name)
  return message.name.fault !== 0 || message.name.nextAt > endAt ? undefined : message.name.text
}

/** The name that fills [at, endAt). */
function lastName(message: DnsMessageBytes, at: number, endAt: number): string | undefined {
  const name = nameIn(message, at, endAt)
  return message.name.nextAt === endAt ? name : undefined
}

/** RFC 4034 4.1.2: windows in ascending order, each with 1 to 32 bytes of bitmap. */
function readTypeBitmaps(bytes: Uint8Array, at: number, endAt: number): number[] | undefined {
  const types: number[] = []
  let lastWindow = -1
  while (at < endAt) {
    if (endAt - at < 3) return undefined
    const window = bytes[at]!
    const bitmapLen = bytes[at + 1]!
    if (window <= lastWindow || bitmapLen === 0 || bitmapLen > 32 || at + 2 + bitmapLen > endAt) return undefined
    for (let bit = 0; bit < bitmapLen * 8 && types.length < MAX_LISTED_TYPES; bit++) {
      if (((bytes[at + 2 + (bit >> 3)]! >> (7 - (bit & 7))) & 1) === 1) types.push(window * 256 + bit)
    }
    lastWindow = window
    at += 2 + bitmapLen
  }
  return types
}
