// mtu-fragment-overlap: fragments that claim the same bytes: broken at best, an attack on firewalls at worst (RFC 5722).
import type { Detector, DetectorMeta } from '../detector.ts'
import { fragmentFilter } from '../display-filter.ts'

const meta: DetectorMeta = {
  id: 'mtu-fragment-overlap',
  title: 'Overlapping fragments',
  severity: 'warning',
  basis: 'RFC 5722 4, RFC 8200 4.5',
  message:
    'Fragments of IPv{ipVersion} datagrams from {source} to {destination} on {interface} overlap with other contents.',
  advice:
    'No honest sender does this: look who sends as {source}; IPv6 hosts must drop such datagrams, firewalls should drop the IPv4 ones.',
}

export const mtuFragmentOverlap: Detector = {
  meta,
  create(context) {
    return {
      fragmentSet(fact) {
        if (fact.kind !== 'overlap') return
        const { name, inputName } = context.interfaceOf(fact.interfaceId)
        context.raise(meta, {
          key: `${name} ${fact.srcAddress} ${fact.dstAddress}`,
          timeMicros: fact.timeMicros,
          confidence: fact.ipVersion === 6 ? 'proven' : 'strong',
          ...(fact.ipVersion === 6 ? {} : { basis: 'RFC 1858 3' }),
          interface: name,
          data: { source: fact.srcAddress, destination: fact.dstAddress, ipVersion: fact.ipVersion, ipId: fact.ipId },
          evidence: { source: inputName, frame: fact.frameNumber },
          filter: fragmentFilter(name, fact.srcAddress, fact.dstAddress, fact.ipVersion),
        })
      },
    }
  },
}
