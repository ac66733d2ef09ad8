// TLS messages built by hand, byte by byte, from RFC 8446, RFC 5246 and RFC 5280.

export type Bytes = number[]

export function u8(value: number): Bytes {
  return [value & 0xff]
}

export function u16(value: number): Bytes {
  return [(value >> 8) & 0xff, value & 0xff]
}

export function u24(value: number): Bytes {
  return [(value >> 16) & 0xff, (value >> 8) & 0xff, value & 0xff]
}

export function ascii(text: string): Bytes {
  return Array.from(text, (character) => character.charCodeAt(0))
}

/** A vector with a length of one, two or three bytes before it. */
export function vector8(body: Bytes): Bytes {
  return [...u8(body.length), ...body]
}

export function vector16(body: Bytes): Bytes {
  return [...u16(body.length), ...body]
}

export function vector24(body: Bytes): Bytes {
  return [...u24(body.length), ...body]
}

export function u16s(values: number[]): Bytes {
  return values.flatMap(u16)
}

export function extension(type: number, body: Bytes): Bytes {
  return [...u16(type), ...vector16(body)]
}

export const extensions = {
  serverName: (name: string) => extension(0, vector16([0, ...vector16(ascii(name))])),
  groups: (values: number[]) => extension(10, vector16(u16s(values))),
  pointFormats: (values: number[]) => extension(11, vector8(values)),
  signatureAlgorithms: (values: number[]) => extension(13, vector16(u16s(values))),
  alpn: (names: string[]) => extension(16, vector16(names.flatMap((name) => vector8(ascii(name))))),
  supportedVersions: (values: number[]) => extension(43, vector8(u16s(values))),
  supportedVersion: (value: number) => extension(43, u16(value)),
}

export interface HelloParts {
  version?: number
  random?: Bytes
  sessionId?: Bytes
  cipherSuites?: number[]
  extensions?: Bytes[]
}

export function clientHello(parts: HelloParts): Bytes {
  const body = [
    ...u16(parts.version ?? 0x0303),
    ...(parts.random ?? new Array<number>(32).fill(0x5a)),
    ...vector8(parts.sessionId ?? []),
    ...vector16(u16s(parts.cipherSuites ?? [0x1301])),
    ...vector8([0]),
    ...(parts.extensions === undefined ? [] : vector16(parts.extensions.flat())),
  ]
  return handshake(1, body)
}

export function serverHello(parts: HelloParts): Bytes {
  const body = [
    ...u16(parts.version ?? 0x0303),
    ...(parts.random ?? new Array<number>(32).fill(0xa5)),
    ...vector8(parts.sessionId ?? []),
    ...u16(parts.cipherSuites?.[0] ?? 0x1301),
    0,
    ...(parts.extensions === undefined ? [] : vector16(parts.extensions.flat())),
  ]
  return handshake(2, body)
}

/** SHA-256("HelloRetryRequest"), RFC 8446 4.1.3. */
export const HELLO_RETRY_RANDOM: Bytes = Array.from(
  Buffer.from('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c', 'hex'),
)

export function handshake(type: number, body: Bytes): Bytes {
  return [type, ...vector24(body)]
}

export function certificateMessage(certificates: Bytes[]): Bytes {
  return handshake(11, vector24(certificates.flatMap(vector24)))
}

export function record(type: number, body: Bytes, version = 0x0303): Bytes {
  return [type, ...u16(version), ...vector16(body)]
}

/** A handshake message cut into records of at most `recordLen` bytes. */
export function records(type: number, body: Bytes, recordLen: number): Bytes {
  const parts: Bytes = []
  for (let at = 0; at < body.length; at += recordLen) parts.push(...record(type, body.slice(at, at + recordLen)))
  return parts
}

export function alert(level: number, description: number): Bytes {
  return record(21, [level, description])
}

export const changeCipherSpec: Bytes = record(20, [1])

/** DER: tag, length in its shortest form, content. */
export function der(tag: number, ...content: Bytes[]): Bytes {
  const body = content.flat()
  if (body.length < 0x80) return [tag, body.length, ...body]
  if (body.length < 0x100) return [tag, 0x81, body.length, ...body]
  return [tag, 0x82, ...u16(body.length), ...body]
}

const OIDS: Record<string, Bytes> = {
  C: [0x55, 4, 6],
  O: [0x55, 4, 10],
  CN: [0x55, 4, 3],
}

export function distinguishedName(parts: [string, string][]): Bytes {
  const sets = parts.map(([type, value]) =>
    der(0x31, der(0x30, der(6, OIDS[type]!), der(0x0c, [...Buffer.from(value)]))),
  )
  return der(0x30, ...sets)
}

export interface CertificateParts {
  serial?: Bytes
  subject: [string, string][]
  issuer: [string, string][]
  notBefore: string
  notAfter: string
  /** Version 1 certificates have no version field. */
  version1?: boolean
}

/** A certificate whose key and signature are zeros; times of 13 characters are UTCTime, longer ones GeneralizedTime. */
export function certificate(parts: CertificateParts): Bytes {
  const time = (text: string) => der(text.length === 13 ? 0x17 : 0x18, ascii(text))
  const algorithm = der(0x30, der(6, [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11]), der(5))
  const body = der(
    0x30,
    parts.version1 === true ? [] : der(0xa0, der(2, [2])),
    der(2, parts.serial ?? [0x0a, 0x1b]),
    algorithm,
    distinguishedName(parts.issuer),
    der(0x30, time(parts.notBefore), time(parts.notAfter)),
    distinguishedName(parts.subject),
    der(0x30, algorithm, der(3, new Array<number>(260).fill(0))),
  )
  return der(0x30, body, algorithm, der(3, new Array<number>(257).fill(0)))
}
