// The certificate that a server showed, and in words why it is not trusted. The handshake went on for the sake of looking.
import { rootCertificates, type TLSSocket } from 'node:tls'
import { readBounded } from '../daemon/bounded-file.ts'
import { OperatorError } from '../model/operator-error.ts'
import type { SiteCertificate } from '../model/site.ts'
import { systemErrorText } from '../text/system-error.ts'

/** Characters kept of a name; a certificate may hold any. */
const MAX_NAME_LEN = 200

/** All CAs that browsers know take 250 KB. */
const MAX_PEM_LEN = 16 << 20

/** Codes of OpenSSL (X509_verify_cert_error_string) and Node. */
const WORDS: Readonly<Record<string, string>> = Object.freeze({
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet',
  CERT_REVOKED: 'it is revoked',
  CERT_UNTRUSTED: 'its root is not trusted for this',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is signed by itself',
  ERR_TLS_CERT_ALTNAME_INVALID: 'it is for other names',
  SELF_SIGNED_CERT_IN_CHAIN: 'its issuer is no CA that this machine trusts',
  UNABLE_TO_GET_ISSUER_CERT: 'its issuer is no CA that this machine trusts',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its issuer is no CA that this machine trusts',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its issuer is not shown and is no CA that this machine trusts',
})

/** Undefined when the server showed none. */
export function certificateOf(socket: TLSSocket): SiteCertificate | undefined {
  const shown = socket.getPeerCertificate()
  if (shown.fingerprint256 === undefined) return undefined
  const notBefore = timeOf(shown.valid_from)
  const notAfter = timeOf(shown.valid_to)
  return {
    subject: nameText(shown.subject),
    issuer: nameText(shown.issuer),
    ...(notBefore === undefined ? {} : { notBefore }),
    ...(notAfter === undefined ? {} : { notAfter }),
    fingerprint: shown.fingerprint256,
    ...(socket.authorized ? {} : { fault: faultWords(socket.authorizationError) }),
  }
}

/** A string at run time, whatever the types say. */
function faultWords(error: Error | string | null): string {
  const code = typeof error === 'string' ? error : ((error as NodeJS.ErrnoException | null)?.code ?? 'unknown')
  return WORDS[code] ?? code
}

/** `C=US, O=Example, CN=example.com`. */
function nameText(name: object | undefined): string {
  const parts = Object.entries(name ?? {}).flatMap(([key, value]) => [value].flat().map((one) => `${key}=${one}`))
  return parts.join(', ').slice(0, MAX_NAME_LEN)
}

function timeOf(text: string): string | undefined {
  const millis = Date.parse(text)
  return Number.isNaN(millis) ? undefined : new Date(millis).toISOString()
}

/** The usual CAs, those of NODE_EXTRA_CA_CERTS, and those of a file of --ca. @throws OperatorError `bad-file` */
export function readTrusted(file: string): string[] {
  const { NODE_EXTRA_CA_CERTS: extra = '' } = process.env
  // Whoever names CAs replaces what Node trusts by itself, its extra file too.
  return [...rootCertificates, ...(extra === '' ? [] : [readPem('NODE_EXTRA_CA_CERTS', extra)]), readPem('--ca', file)]
}

function readPem(flag: string, file: string): string {
  let text: string | undefined
  try {
    text = readBounded(file, MAX_PEM_LEN)?.toString('latin1')
  } catch (error) {
    throw new OperatorError('bad-file', `${flag} ${file}: ${systemErrorText(error)}.`)
  }
  if (text === undefined) throw new OperatorError('bad-file', `${flag} ${file}: more than ${MAX_PEM_LEN >> 20} MB.`)
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text
  throw new OperatorError('bad-file', `${flag} ${file}: no certificate in PEM form is in it.`)
}
