// mtu-ptb-ignored: a sender was told the MTU of its path and goes on sending what does not fit (RFC 8201 5.4, RFC 1191 6).
import type { Detector, DetectorMeta } from '../detector.ts'
import { innerMtuOf, mssOf } from '../path-context.ts'
import { outerOf, tooBigFinding, tooLongFilter } from '../too-big-finding.ts'

const meta: DetectorMeta = {
  id: 'mtu-ptb-ignored',
  title: 'A sender ignores "packet too big"',
  severity: 'critical',
  basis: 'RFC 8201 5.4, RFC 1191 6',
  message:
    '{sender} was told by {router} that the path to {server} takes {nextHopMtu} bytes and goes on sending {ignoredLen} ({ignoredCount} {ignoredCount|packet|packets} after two round trips).',
  advice:
    'Let ICMP "packet too big" reach the sender (a firewall or NAT on {sender} eats it), or set the MTU of {interface} to {adviseMtu} and the MSS to {suggestedMss}.',
}

export const mtuPtbIgnored: Detector = {
  meta,
  create(context) {
    return {
      tooBigIgnored(fact) {
        const outer = outerOf(context, fact)
        const raised = tooBigFinding(context, fact)
        const { name, inputName } = context.interfaceOf(fact.interfaceId)
        const fits = outer === undefined ? fact.mtu : innerMtuOf(outer, fact.mtu)
        raised.timeMicros = fact.ignoredMicros
        raised.evidence = { source: inputName, frame: fact.ignoredFrame }
        raised.filter = tooLongFilter(name, fact)
        raised.data.sender = fact.srcAddress
        raised.data.ignoredLen = fact.ignoredLen
        raised.data.ignoredCount = fact.ignoredCount
        raised.data.adviseMtu = fits ?? fact.mtu
        raised.data.smallestLost = fact.ignoredLen
        const isTunnelled = outer !== undefined || context.network.roleOf(fact.interfaceId) !== 'physical'
        if (fits !== undefined && isTunnelled) {
          raised.data.suggestedTunnelMtu = fits
          raised.data.suggestedMss = mssOf(fits, outer === undefined ? fact.ipVersion : 4)
        }
        context.raise(meta, raised)
      },
    }
  },
}
