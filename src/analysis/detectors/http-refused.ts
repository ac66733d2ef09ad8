// http-refused: 403, 429 or 451: the site does not want this client: its address range, its rate, or the law of a country.
import type { Detector, DetectorMeta } from '../detector.ts'
import { createStatusJudge, type StatusReasons } from '../http-answer.ts'

const meta: DetectorMeta = {
  id: 'http-refused',
  title: 'A site refuses this client',
  severity: 'warning',
  basis: 'RFC 9110 15.5.4, RFC 6585 4, RFC 7725 3',
  message: '{host} answered {status} {reason} on {interface}{byWords}{elsewhereWords}: {meaning}.',
  advice:
    'Not a leak and not an MTU matter: try another VPN location, whose exit address may have a better name with this site.',
}

const REASONS: StatusReasons = Object.freeze({
  403: ['Forbidden', 'it refuses this client, often by the address range of the VPN’s exit'],
  429: ['Too Many Requests', 'too many requests came from this address, which others share'],
  451: ['Unavailable For Legal Reasons', 'it must not serve clients in the country of that address'],
})

export const httpRefused: Detector = {
  meta,
  create: (context) => createStatusJudge(context, meta, REASONS),
}
