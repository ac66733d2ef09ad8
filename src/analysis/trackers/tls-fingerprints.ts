// JA3, JA3S and JA4 of hello messages. JA4: https://github.com/FoxIO-LLC/ja4/blob/main/technical_details/JA4.md
import { isGrease, TLS_EXT_ALPN, TLS_EXT_SERVER_NAME, type TlsHello } from '../../decoders/tls.ts'

/** Hash functions, handed in by the platform: hex digests of a text's bytes (all text here is ASCII). */
export interface Hasher {
  md5(text: string): string
  sha256(text: string): string
}

const JA4_HASH_LEN = 12
const JA4_NO_HASH = '000000000000'
const JA4_VERSIONS: Readonly<Record<number, string>> = Object.freeze({
  772: '13',
  771: '12',
  770: '11',
  769: '10',
  768: 's3',
  2: 's2',
})

/** The text that JA3 hashes: version, ciphers, extensions, groups, point formats, without GREASE. */
export function ja3Text(hello: TlsHello): string {
  return [
    hello.legacyVersion,
    dashed(hello.cipherSuites),
    dashed(hello.extensions),
    dashed(hello.groups),
    hello.pointFormats.join('-'),
  ].join(',')
}

/** The text that JA3S hashes: version, cipher, extensions. */
export function ja3sText(hello: TlsHello): string {
  return [hello.legacyVersion, hello.cipherSuites.join('-'), hello.extensions.join('-')].join(',')
}

/** The highest version a ClientHello offers, or the one a ServerHello chose. */
export function helloVersion(hello: TlsHello): number {
  let version = 0
  for (const offered of hello.supportedVersions) if (!isGrease(offered) && offered > version) version = offered
  return version === 0 ? hello.legacyVersion : version
}

/** JA4 of a ClientHello over TCP (`t`) or QUIC (`q`). */
export function ja4(hello: TlsHello, hasher: Hasher, transport: 't' | 'q' = 't'): string {
  const ciphers = hello.cipherSuites.filter((value) => !isGrease(value))
  const extensions = hello.extensions.filter((value) => !isGrease(value))
  const version = JA4_VERSIONS[helloVersion(hello)] ?? '00'
  const sni = hello.extensions.includes(TLS_EXT_SERVER_NAME) ? 'd' : 'i'
  const prefix = `${transport}${version}${sni}${twoDigits(ciphers.length)}${twoDigits(extensions.length)}${alpnMark(hello.alpns)}`
  const cipherHash = ciphers.length === 0 ? JA4_NO_HASH : shortHash(hexSorted(ciphers), hasher)
  const hashed = extensions.filter((type) => type !== TLS_EXT_SERVER_NAME && type !== TLS_EXT_ALPN)
  const algorithms = hello.signatureAlgorithms.filter((value) => !isGrease(value)).map(hex4)
  const extensionText = hexSorted(hashed) + (algorithms.length === 0 ? '' : `_${algorithms.join(',')}`)
  const extensionHash = extensions.length === 0 ? JA4_NO_HASH : shortHash(extensionText, hasher)
  return `${prefix}_${cipherHash}_${extensionHash}`
}

function dashed(values: number[]): string {
  return values.filter((value) => !isGrease(value)).join('-')
}

function twoDigits(count: number): string {
  return String(Math.min(count, 99)).padStart(2, '0')
}

/** First and last character of the first protocol; their first and last hex digit when one is not alphanumeric. */
function alpnMark(alpns: string[]): string {
  const name = alpns[0]
  if (name === undefined || name.length === 0) return '00'
  const first = name[0]!
  const last = name[name.length - 1]!
  if (/^[0-9A-Za-z]{2}$/.test(first + last)) return first + last
  return hex2(first)[0]! + hex2(last)[1]!
}

function hex2(character: string): string {
  return character.charCodeAt(0).toString(16).padStart(2, '0')
}

function hex4(value: number): string {
  return value.toString(16).padStart(4, '0')
}

function hexSorted(values: number[]): string {
  return values.map(hex4).sort().join(',')
}

function shortHash(text: string, hasher: Hasher): string {
  return hasher.sha256(text).slice(0, JA4_HASH_LEN)
}
