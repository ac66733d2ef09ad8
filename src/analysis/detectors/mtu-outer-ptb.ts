// mtu-outer-ptb: the path to the VPN server is narrower than the tunnel's packets, and a router says so (RFC 4459 3.2).
import type { TooBigFact } from '../../model/connection-facts.ts'
import type { Detector, DetectorMeta, RaisedFinding } from '../detector.ts'
import { assumptionOf, innerMtuOf, mssOf, sumText } from '../path-context.ts'
import { outerOf, tooBigFinding } from '../too-big-finding.ts'

const meta: DetectorMeta = {
  id: 'mtu-outer-ptb',
  title: 'The path to the VPN server is too narrow for the tunnel',
  severity: 'warning',
  basis: 'RFC 1191 4, RFC 8201 4, RFC 4459 3.2',
  message:
    '{router} says that the path to the VPN server {server} takes {nextHopMtu} bytes; the tunnel sent {packetLen} over {interface}.',
  advice:
    "Set the tunnel's MTU to {suggestedTunnelMtu} ({sum}){assumed}, or clamp the MSS inside it to {suggestedMss} for IPv4 and {suggestedMssV6} for IPv6.",
}

const ADVICE_UNKNOWN = "Set the tunnel's MTU to {nextHopMtu} minus what the VPN adds to each packet."

export const mtuOuterPtb: Detector = {
  meta,
  create(context) {
    /** Told before it was clear who the VPN server is. */
    const undecided: TooBigFact[] = []

    function raise(fact: TooBigFact): boolean {
      const outer = outerOf(context, fact)
      if (outer === undefined) return false
      const raised: RaisedFinding = tooBigFinding(context, fact)
      raised.key = `${raised.interface} ${outer.server} ${fact.mtu}`
      raised.data.server = outer.server
      raised.data.transport = outer.transport
      delete raised.data.suggestedMss
      const fits = innerMtuOf(outer, fact.mtu)
      if (fits === undefined) raised.advice = ADVICE_UNKNOWN
      else {
        raised.data.suggestedTunnelMtu = fits
        raised.data.suggestedMss = mssOf(fits, 4)
        raised.data.suggestedMssV6 = mssOf(fits, 6)
        raised.data.sum = sumText(outer, fact.mtu, fits)
        const assumed = assumptionOf(outer)
        raised.data.assumed = assumed === '' ? '' : `, ${assumed}`
      }
      context.raise(meta, raised)
      return true
    }

    return {
      tooBig(fact) {
        if (fact.standing === 'invalid' || fact.standing === 'mismatch') return
        if (!raise(fact) && undecided.length < MAX_UNDECIDED) undecided.push({ ...fact })
      },
      end() {
        for (const fact of undecided) raise(fact)
      },
    }
  },
}

/** Messages kept until the tunnel is known; more say nothing new. */
const MAX_UNDECIDED = 64
