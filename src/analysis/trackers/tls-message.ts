// What a handshake message says, as the fact that is told of it.
import { u16 } from '../../decoders/cursor.ts'
import { isGrease, type TlsHello } from '../../decoders/tls.ts'
import { readCertificate } from '../../decoders/x509.ts'
import type { ConnectionFact } from '../../model/connection-facts.ts'
import type { TlsFact } from '../../model/protocol-facts.ts'
import { connectionOf } from './stream-consumer.ts'
import { type Hasher, helloVersion, ja3sText, ja3Text, ja4 } from './tls-fingerprints.ts'

/** The fact of a message that `where` completed; `fromClient`: by the side that TLS calls so, `swapped` as in connectionOf. */
export function tlsFact(kind: TlsFact['kind'], fromClient: boolean, where: ConnectionFact, swapped: boolean): TlsFact {
  // Written to and not copied: there are as many as connections.
  const fact = connectionOf(where, swapped) as TlsFact
  fact.kind = kind
  fact.fromClient = fromClient
  return fact
}

const CERTIFICATE_LIST_LEN = 3
const CERTIFICATE_LEN_LEN = 3

/** Fingerprints, and the lists they are made of, need a hasher; fingerprints a whole hello too. */
export function fillClientHello(fact: TlsFact, hello: TlsHello, hasher: Hasher | undefined): void {
  fact.version = helloVersion(hello)
  if (hello.sni !== undefined) fact.sni = hello.sni
  if (hello.alpns.length > 0) fact.clientAlpns = hello.alpns
  fact.echPresent = hello.echPresent
  if (hasher === undefined) return
  fact.supportedVersions = hello.supportedVersions.filter((value) => !isGrease(value))
  fact.groups = hello.groups.filter((value) => !isGrease(value))
  fact.cipherSuites = hello.cipherSuites.filter((value) => !isGrease(value))
  if (!hello.whole) return
  fact.ja3Text = ja3Text(hello)
  fact.ja3 = hasher.md5(fact.ja3Text)
  fact.ja4 = ja4(hello, hasher)
}

/** As fillClientHello. */
export function fillServerHello(fact: TlsFact, hello: TlsHello, hasher: Hasher | undefined): void {
  fact.version = helloVersion(hello)
  if (hello.cipherSuites.length > 0) fact.cipherSuite = hello.cipherSuites[0]!
  if (hello.alpns.length > 0) fact.serverAlpn = hello.alpns[0]!
  if (hello.helloRetryRequest) fact.helloRetryRequest = true
  if (!hello.whole || hasher === undefined) return
  fact.ja3sText = ja3sText(hello)
  fact.ja3s = hasher.md5(fact.ja3sText)
}

/** RFC 5246 7.4.2: of the list in [at, endAt) the first is the sender's own. False when it cannot be read. */
export function fillCertificate(fact: TlsFact, bytes: Uint8Array, at: number, endAt: number): boolean {
  const lenAt = at + CERTIFICATE_LIST_LEN
  const certificateAt = lenAt + CERTIFICATE_LEN_LEN
  if (certificateAt > endAt) return false
  const certificateLen = (bytes[lenAt]! << 16) | u16(bytes, lenAt + 1)
  const certificate = readCertificate(bytes, certificateAt, Math.min(endAt, certificateAt + certificateLen))
  if (certificate === undefined) return false
  fact.subject = certificate.subject
  fact.issuer = certificate.issuer
  fact.serial = certificate.serial
  if (!Number.isNaN(certificate.notBeforeMicros)) fact.notBeforeMicros = certificate.notBeforeMicros
  if (!Number.isNaN(certificate.notAfterMicros)) fact.notAfterMicros = certificate.notAfterMicros
  return true
}

/** RFC 8446 4.4.2: as fillCertificate, behind the context of a request. */
export function fillCertificate13(fact: TlsFact, bytes: Uint8Array, at: number, endAt: number): boolean {
  return at < endAt && fillCertificate(fact, bytes, at + 1 + bytes[at]!, endAt)
}
