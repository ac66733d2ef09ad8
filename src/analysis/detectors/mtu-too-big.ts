// mtu-too-big: a router says which size fits, and quotes a packet that was really sent (RFC 1191, RFC 8201).
import type { Detector, DetectorMeta } from '../detector.ts'
import { outerOf, tooBigFinding } from '../too-big-finding.ts'

const meta: DetectorMeta = {
  id: 'mtu-too-big',
  title: 'A router names the MTU of a path',
  severity: 'info',
  basis: 'RFC 1191 4, RFC 4443 3.2, RFC 8201 4',
  message:
    '{router} says on {interface} that the path to {server} takes {nextHopMtu} bytes, about a packet of {packetLen}: {quoted}.',
  advice: 'Nothing if the sender shrinks its packets to {nextHopMtu}; a TCP MSS of {suggestedMss} avoids the message.',
}

const MESSAGE_WITHOUT_MTU =
  '{router} says on {interface} that {packetLen} bytes are too big for the path to {server} but not what fits; the next common size is {nextHopMtu}: {quoted}.'

export const mtuTooBig: Detector = {
  meta,
  create(context) {
    return {
      tooBig(fact) {
        if (fact.standing !== 'validated' || outerOf(context, fact) !== undefined) return
        const raised = tooBigFinding(context, fact)
        if (fact.nextHopMtu === 0) {
          raised.severity = 'warning'
          raised.confidence = 'probable'
          raised.basis = 'RFC 1191 5, RFC 1191 7'
          raised.cause = 'no-mtu-told'
          raised.message = MESSAGE_WITHOUT_MTU
        }
        context.raise(meta, raised)
      },
    }
  },
}
