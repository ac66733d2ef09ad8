// Cold path. Names of TLS numbers, https://www.iana.org/assignments/tls-parameters.

const VERSION_NAMES: Readonly<Record<number, string>> = Object.freeze({
  2: 'SSLv2',
  768: 'SSLv3',
  769: 'TLS 1.0',
  770: 'TLS 1.1',
  771: 'TLS 1.2',
  772: 'TLS 1.3',
})

/** The "draft version indicator" of RFC 8446's drafts: 0x7f and the draft's number. */
const DRAFT_MAJOR = 0x7f

/** `TLS 1.3`, `TLS 1.3 draft-28`, … or `0x0a0a`. */
export function tlsVersionName(version: number): string {
  if (version >> 8 === DRAFT_MAJOR) return `TLS 1.3 draft-${version & 0xff}`
  return VERSION_NAMES[version] ?? `0x${version.toString(16).padStart(4, '0')}`
}

const ALERT_NAMES: Readonly<Record<number, string>> = Object.freeze({
  0: 'close_notify',
  10: 'unexpected_message',
  20: 'bad_record_mac',
  21: 'decryption_failed',
  22: 'record_overflow',
  30: 'decompression_failure',
  40: 'handshake_failure',
  41: 'no_certificate',
  42: 'bad_certificate',
  43: 'unsupported_certificate',
  44: 'certificate_revoked',
  45: 'certificate_expired',
  46: 'certificate_unknown',
  47: 'illegal_parameter',
  48: 'unknown_ca',
  49: 'access_denied',
  50: 'decode_error',
  51: 'decrypt_error',
  52: 'too_many_cids_requested',
  60: 'export_restriction',
  70: 'protocol_version',
  71: 'insufficient_security',
  80: 'internal_error',
  86: 'inappropriate_fallback',
  90: 'user_canceled',
  100: 'no_renegotiation',
  109: 'missing_extension',
  110: 'unsupported_extension',
  111: 'certificate_unobtainable',
  112: 'unrecognized_name',
  113: 'bad_certificate_status_response',
  114: 'bad_certificate_hash_value',
  115: 'unknown_psk_identity',
  116: 'certificate_required',
  117: 'general_error',
  120: 'no_application_protocol',
  121: 'ech_required',
})

/** `unrecognized_name`, … or the number. */
export function tlsAlertName(description: number): string {
  return ALERT_NAMES[description] ?? String(description)
}

/** RFC 8446 6: `warning` or `fatal`; anything else as a number. */
export function tlsAlertLevelName(level: number): string {
  return level === 1 ? 'warning' : level === 2 ? 'fatal' : String(level)
}
