// Cold path. The `quic` event: what a connection's first packets show.
import type { QuicFact } from '../model/protocol-facts.ts'

/** Fields that were not seen are left out. A version negotiation has the versions the server offers instead of one. */
export function quicEvent(fact: QuicFact): Record<string, unknown> {
  const event: Record<string, unknown> = {}
  if (fact.kind === 'version-negotiation') event.versions = (fact.versions ?? []).map(quicVersionName)
  else event.version = quicVersionName(fact.version)
  if (fact.kind === 'retry') event.retry = true
  if (fact.sni !== undefined) event.sni = fact.sni
  if (fact.clientAlpns !== undefined) event.client_alpns = fact.clientAlpns
  if (fact.echPresent) event.ech = true
  if (fact.ja4 !== undefined) event.ja4 = fact.ja4
  return event
}

/** `1`, `2`, `draft-29`, `Q050`, `T051`, or the number; RFC 9000 15. */
export function quicVersionName(version: number): string {
  if (version === 1) return '1'
  if (version === 0x6b33_43cf) return '2'
  if (version >>> 8 === 0xff_0000) return `draft-${version & 0xff}`
  if (version >>> 8 === 0xfa_ceb0) return `mvfst-${(version & 0xff).toString(16)}`
  const characters = [24, 16, 8, 0].map((shift) => String.fromCharCode((version >>> shift) & 0xff)).join('')
  if (/^[QT]0\d\d$/.test(characters)) return characters
  return `0x${version.toString(16).padStart(8, '0')}`
}
