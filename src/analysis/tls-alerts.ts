// What an alert means: an end as it should be, or that something is wrong (RFC 8446 6).
import { TLS_ALERT_CLOSE_NOTIFY, TLS_ALERT_USER_CANCELED, TLS_ALERT_WARNING } from '../decoders/tls.ts'
import type { TlsFact } from '../model/facts.ts'

/**
 * An alert by which one side gives the connection up. RFC 8446 6 lets the level be ignored; older versions use warnings for
 * what does not end the connection.
 */
export function isErrorAlert({ kind, alertLevel, alertDescription }: TlsFact): boolean {
  if (kind !== 'alert' || alertDescription === undefined || alertLevel === TLS_ALERT_WARNING) return false
  return alertDescription !== TLS_ALERT_CLOSE_NOTIFY && alertDescription !== TLS_ALERT_USER_CANCELED
}
