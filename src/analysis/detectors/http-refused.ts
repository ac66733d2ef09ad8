// http-refused: 403, 429 or 451: the site does not want this client: its address range, its rate, or the law of a country.
import type { Detector, DetectorMeta } from '../detector.ts'
import { answerFinding, createGoodAnswers } from '../http-answer.ts'

const meta: DetectorMeta = {
  id: 'http-refused',
  title: 'A site refuses this client',
  severity: 'warning',
  basis: 'RFC 9110 15.5.4, RFC 6585 4, RFC 7725 3',
  message: '{host} answered {status} {reason} on {interface}{byWords}{elsewhereWords}: {meaning}.',
  advice:
    'Not a leak and not an MTU matter: try another VPN location, whose exit address may have a better name with this site.',
}

const REASONS: Readonly<Record<number, readonly [string, string]>> = Object.freeze({
  403: ['Forbidden', 'it refuses this client, often by the address range of the VPN’s exit'],
  429: ['Too Many Requests', 'too many requests came from this address, which others share'],
  451: ['Unavailable For Legal Reasons', 'it must not serve clients in the country of that address'],
})

export const httpRefused: Detector = {
  meta,
  create(context) {
    const good = createGoodAnswers()
    return {
      httpExchange(request, response) {
        if (response?.status === undefined) return
        good.note(context, request, response)
        const words = REASONS[response.status]
        if (words === undefined) return
        const raised = answerFinding(context, request, response)
        const elsewhere = good.elsewhere(raised.data.host as string, raised.interface ?? '')
        raised.data.reason = words[0]
        raised.data.meaning = words[1]
        if (elsewhere.length > 0) {
          raised.cause = 'only-here'
          raised.severity = 'critical'
          raised.data.elsewhereWords = `, but well on ${elsewhere.join(', ')}`
        }
        context.raise(meta, raised)
      },
    }
  },
}
