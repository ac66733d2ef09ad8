// Cold path. The `tls` event: what one handshake message or alert shows in clear.
import type { TlsFact } from '../model/protocol-facts.ts'
import { eventTime } from './timestamp.ts'
import { tlsAlertLevelName, tlsAlertName, tlsVersionName } from './tls-tables.ts'

/** Fields that were not seen are left out. */
export function tlsEvent(fact: TlsFact): Record<string, unknown> {
  const event: Record<string, unknown> = {}
  if (fact.sni !== undefined) event.sni = fact.sni
  if (fact.version !== undefined) event.version = tlsVersionName(fact.version)
  if (fact.subject !== undefined) event.subject = fact.subject
  if (fact.issuer !== undefined) event.issuerdn = fact.issuer
  if (fact.serial !== undefined) event.serial = fact.serial
  if (fact.notBeforeMicros !== undefined) event.notbefore = eventTime(fact.notBeforeMicros).slice(0, 19)
  if (fact.notAfterMicros !== undefined) event.notafter = eventTime(fact.notAfterMicros).slice(0, 19)
  if (fact.ja3 !== undefined)
    event.ja3 = { hash: fact.ja3, ...(fact.ja3Text === undefined ? {} : { string: fact.ja3Text }) }
  if (fact.ja3s !== undefined)
    event.ja3s = { hash: fact.ja3s, ...(fact.ja3sText === undefined ? {} : { string: fact.ja3sText }) }
  if (fact.ja4 !== undefined) event.ja4 = fact.ja4
  if (fact.clientAlpns !== undefined) event.client_alpns = fact.clientAlpns
  if (fact.serverAlpn !== undefined) event.server_alpns = [fact.serverAlpn]
  if (fact.echPresent) event.ech = true
  if (fact.alertDescription !== undefined) {
    event.alert = {
      level: tlsAlertLevelName(fact.alertLevel ?? 0),
      description: tlsAlertName(fact.alertDescription),
      from: fact.fromClient ? 'client' : 'server',
    }
  }
  return event
}
