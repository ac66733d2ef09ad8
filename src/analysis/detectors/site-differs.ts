// site-differs: a site fails now and worked in an earlier network context; the comparison says at which stage and why.
import type { LabelledObservation } from '../../model/comparison.ts'
import type { SiteObservation } from '../../model/site.ts'
import { compareSite } from '../compare/compare-sites.ts'
import { networkWords } from '../compare/observation.ts'
import type { Detector, DetectorMeta } from '../detector.ts'

const meta: DetectorMeta = {
  id: 'site-differs',
  title: 'A site fails here and worked in another network context',
  // What is wrong has a finding of its own, with its own severity; this one says what to change to settle it.
  severity: 'info',
  basis: 'heuristic',
  message: '{host} fails {networkWords} and worked {controlWords}. {why}',
  advice: '{next}',
}

const UNSHOWN = 'What was captured of it does not show why.'

export const siteDiffers: Detector = {
  meta,
  create(context) {
    /** Failures told so far, by site and epoch: a site is looked at again whenever something of it changes. */
    const told = new Map<string, number>()
    return {
      siteFails(now, others, timeMicros) {
        const all = [...others.filter((one) => one.epoch < now.epoch), now].map(
          (observation): LabelledObservation => ({ label: `epoch ${observation.epoch}`, observation }),
        )
        const found = compareSite(all).find((one) => one.test?.observation === now)
        if (found?.control === undefined) return
        const control = found.control.observation
        if (isOneNetwork(control, now)) return
        const key = `${now.host} ${now.epoch}`
        const before = told.get(key) ?? 0
        if (before >= now.failures && before > 0) return
        if (told.size < MAX_SITES) told.set(key, now.failures)
        const { difference, next, settledBy } = found
        context.raise(meta, {
          key,
          timeMicros,
          confidence: difference?.confidence ?? 'weak',
          interface: now.network.interface,
          count: now.failures - before,
          ...(difference === undefined ? {} : { cause: difference.axis, basis: difference.basis }),
          data: {
            host: now.host,
            networkWords: networkWords(now),
            controlWords: networkWords(control),
            why: difference?.summary ?? UNSHOWN,
            next: next === undefined ? SETTLED : `${next.instruction} If it works, ${next.ifItWorks}.`,
            stage: difference?.stage ?? 'state',
            changed: found.changed ?? [],
            ...(settledBy === undefined ? {} : { settledBy }),
            comparison: { control, test: now, difference, next },
          },
          ...(now.evidence[0] === undefined ? {} : { evidence: now.evidence[0] }),
          ...filterOf(now),
        })
      },
    }
  },
}

const MAX_SITES = 16_384
const SETTLED = 'Stay with the network in which it works, or tell the VPN’s operator what it does in this one.'

/** Nothing of the network has changed: sites have bad days. */
function isOneNetwork(a: SiteObservation, b: SiteObservation): boolean {
  return (
    a.network.tunnel === b.network.tunnel &&
    a.network.endpoint === b.network.endpoint &&
    a.dns?.server === b.dns?.server
  )
}

function filterOf(now: SiteObservation): { filter?: string } {
  const address = now.addresses[0]?.address
  if (address === undefined) return {}
  return { filter: `${address.includes(':') ? 'ipv6' : 'ip'}.addr == ${address}` }
}
