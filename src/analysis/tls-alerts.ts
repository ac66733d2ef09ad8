// What an alert means: an end as it should be, or that something is wrong (RFC 8446 6).
import { TLS_ALERT_CLOSE_NOTIFY, TLS_ALERT_USER_CANCELED, TLS_ALERT_WARNING } from '../decoders/tls.ts'
import type { TlsFact } from '../model/protocol-facts.ts'

/**
 * An alert by which one side refuses the handshake. RFC 8446 6 lets the level be ignored; older versions use warnings for what
 * does not end the connection. Whoever has sent content has not refused it: OpenSSL, for one, sends decode_error when the
 * other side has closed the connection without a word.
 */
export function refusesHandshake({ kind, alertLevel, alertDescription, afterContent }: TlsFact): boolean {
  if (kind !== 'alert' || alertDescription === undefined || afterContent === true) return false
  if (alertLevel === TLS_ALERT_WARNING) return false
  return alertDescription !== TLS_ALERT_CLOSE_NOTIFY && alertDescription !== TLS_ALERT_USER_CANCELED
}
