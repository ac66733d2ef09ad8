// http-gateway-error: 502, 503 or 504: a gateway was reached, and what stands behind it was not (RFC 9110 15.6.3 to 15.6.5).
import type { Detector, DetectorMeta } from '../detector.ts'
import { createStatusJudge, type StatusReasons } from '../http-answer.ts'

const meta: DetectorMeta = {
  id: 'http-gateway-error',
  title: 'A gateway could not answer',
  severity: 'warning',
  basis: 'RFC 9110 15.6.3, RFC 9110 15.6.4, RFC 9110 15.6.5',
  message: '{host} answered {status} {reason} on {interface}{byWords}{proxyWords}{elsewhereWords}: {meaning}.',
  advice:
    'Not a leak and not an MTU matter: try another VPN location; the gateway at {address} was reached, what is behind it was not.',
}

const REASONS: StatusReasons = Object.freeze({
  502: ['Bad Gateway', 'the gateway got no valid answer from the server behind it'],
  503: ['Service Unavailable', 'it is overloaded, or does not want to serve this client now'],
  504: ['Gateway Timeout', 'the gateway waited in vain for the server behind it'],
})

export const httpGatewayError: Detector = {
  meta,
  create: (context) => createStatusJudge(context, meta, REASONS),
}
