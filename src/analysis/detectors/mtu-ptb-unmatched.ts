// mtu-ptb-unmatched: a "packet too big" message about a packet that nobody is seen to have sent: forged, or broken by a NAT.
import type { Detector, DetectorMeta } from '../detector.ts'
import { tooBigFinding } from '../too-big-finding.ts'

const meta: DetectorMeta = {
  id: 'mtu-ptb-unmatched',
  title: '"Packet too big" about a packet that was not sent',
  severity: 'warning',
  basis: 'RFC 5927 7, RFC 8899 4.6.1',
  message:
    '{router} claims on {interface} that the path to {server} takes {nextHopMtu} bytes, but the packet it quotes is none of the conversation seen: {quoted}.',
  advice:
    'Look for a NAT between {router} and this machine that does not translate the quoted packet, or for somebody who forges such messages; a sender rightly ignores it.',
}

const MESSAGE_UNKNOWN =
  '{router} says on {interface} that the path to {server} takes {nextHopMtu} bytes; no connection seen in this capture fits the packet it quotes: {quoted}.'

export const mtuPtbUnmatched: Detector = {
  meta,
  create(context) {
    return {
      tooBig(fact) {
        if (fact.standing !== 'mismatch' && fact.standing !== 'unknown') return
        const raised = tooBigFinding(context, fact)
        raised.confidence = 'probable'
        raised.cause = fact.standing
        if (fact.standing === 'unknown') {
          raised.severity = 'info'
          raised.message = MESSAGE_UNKNOWN
          raised.advice = 'Capture from before the connection begins to see what becomes of it.'
        }
        context.raise(meta, raised)
      },
    }
  },
}
