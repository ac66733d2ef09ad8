// mtu-ptb-invalid: a "packet too big" message with an MTU that no host may heed (RFC 8201 4, RFC 1191 3).
import type { Detector, DetectorMeta } from '../detector.ts'
import { tooBigFinding } from '../too-big-finding.ts'

const meta: DetectorMeta = {
  id: 'mtu-ptb-invalid',
  title: '"Packet too big" with an impossible MTU',
  severity: 'warning',
  basis: 'RFC 8201 4, RFC 1191 3, RFC 8899 4.6.2',
  message:
    '{router} claims on {interface} that the path to {server} takes only {nextHopMtu} bytes; every path takes {leastMtu}.',
  advice: 'Treat it as an attack or a broken router: hosts must throw it away; filter such messages from {router}.',
}

export const mtuPtbInvalid: Detector = {
  meta,
  create(context) {
    return {
      tooBig(fact) {
        if (fact.standing !== 'invalid') return
        const raised = tooBigFinding(context, fact)
        delete raised.data.suggestedMss
        raised.data.leastMtu = fact.ipVersion === 6 ? 1280 : 68
        context.raise(meta, raised)
      },
    }
  },
}
