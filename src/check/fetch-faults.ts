// Why a request went no further, in words for a person.
import type { RequestStage } from '../model/site.ts'
import { systemErrorText } from '../text/system-error.ts'

const WORDS: Readonly<Record<string, string>> = Object.freeze({
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'no route leads there',
  EADDRNOTAVAIL: 'no route leads there',
  ETIMEDOUT: 'no answer',
  EPIPE: 'reset',
  EPERM: 'this machine’s firewall refuses it',
  EACCES: 'this machine’s firewall refuses it',
  ENOKEY: 'the tunnel carries no packets for that address',
  EMSGSIZE: 'a packet does not fit',
  HPE_HEADER_OVERFLOW: 'its headers are longer than 16 KiB',
})

/** What did not come within the time. */
export function silenceWords(stage: RequestStage, millis: number): string {
  const within = `within ${Math.round(millis / 100) / 10} s`
  switch (stage) {
    case 'connect':
      return `no answer to the connection ${within}`
    case 'tls':
      return `TLS did not come to its end ${within}`
    case 'answer':
      return `no answer to the request ${within}`
    default:
      return `the answer did not come to its end ${within}`
  }
}

/** `reset`, `TLS alert handshake_failure`, `what came is no HTTP`. */
export function faultWords(error: Error, stage: RequestStage): string {
  const { code = '' } = error as NodeJS.ErrnoException
  const alert = /^ERR_SSL_(?:SSLV3|TLSV1|TLSV13)_ALERT_(\w+)$/.exec(code)?.[1]
  if (alert !== undefined) return `TLS alert ${alert.toLowerCase()}`
  // Node calls a connection that was closed too early a reset too.
  if (error.message === 'socket hang up' && stage === 'answer') return 'closed without an answer'
  if (error.message.startsWith('Client network socket disconnected')) return 'closed in the TLS handshake'
  if (WORDS[code] !== undefined) return WORDS[code]
  if (code.startsWith('HPE_')) return `what came is no HTTP (${codeWords(code, 'HPE_')})`
  if (stage === 'tls') return `what came is no TLS (${code === '' ? error.message : codeWords(code, 'ERR_SSL_')})`
  return code === '' ? error.message : systemErrorText(error)
}

/** `HPE_INVALID_CONSTANT` as `invalid constant`. */
function codeWords(code: string, prefix: string): string {
  return code.replace(prefix, '').toLowerCase().replaceAll('_', ' ')
}
