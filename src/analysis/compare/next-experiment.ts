// The one thing to change next: the toggle that splits the explanations that are left most evenly, and what each outcome
// would mean.
import type { Difference, Experiment, Hypothesis } from '../../model/comparison.ts'
import type { SiteObservation } from '../../model/site.ts'

/** What blames each explanation, as the end of "… is to blame". */
const BLAMED: Readonly<Record<Hypothesis, string>> = Object.freeze({
  resolver: 'the resolver’s answer',
  exit: 'the VPN’s exit (its address range, or the way from there)',
  mtu: 'the size of packets in the tunnel',
  family: 'one IP version',
  local: 'software on this machine or its LAN',
  gateway: 'the site’s own gateway',
})

/** Small enough for every tunnel over every path that carries IPv6 (RFC 8200 5). */
const SAFE_MTU = 1280

function instructionFor(toggle: Hypothesis, cause: string, control: SiteObservation, test: SiteObservation): string {
  const { host } = test
  switch (toggle) {
    case 'resolver': {
      if (cause === 'slow' || cause === 'unanswered') {
        return `Leave the VPN as it is, let this machine ask another resolver than ${test.dns?.server ?? 'this one'} through it, and open ${host} again.`
      }
      const address = (control.dns?.answers ?? [])[0] ?? control.addresses[0]?.address ?? 'the other address'
      return `Leave the VPN as it is and open ${host} at ${address}, the address that ${control.dns?.server ?? 'the other resolver'} gave (curl --resolve, or a line in the hosts file).`
    }
    case 'exit':
      return `Change only the VPN’s location, with the same resolver, and open ${host} again.`
    case 'mtu':
      return `Set only the tunnel’s MTU to ${SAFE_MTU} and open ${host} again.`
    case 'family':
      return `Open ${host} with IPv${control.network.family ?? 4} only (curl -${control.network.family ?? 4}).`
    case 'local':
      return `Switch off proxies, ad blockers and virus scanners on this machine, and nothing else, and open ${host} again.`
    case 'gateway':
      return `Change nothing and open ${host} again in some minutes.`
  }
}

/**
 * Changing `toggle` would make the site work if that explanation is true. With one explanation left the experiment
 * confirms it; undefined when none is left.
 */
export function nextExperiment(
  { hypotheses, cause }: Difference,
  control: SiteObservation,
  test: SiteObservation,
): Experiment | undefined {
  // Each toggle undoes one explanation, so all split alike: the likeliest stands first and leaves the least.
  const toggle = hypotheses[0]
  if (toggle === undefined) return undefined
  const others = hypotheses.filter((one) => one !== toggle)
  const isLast = others.length === 0
  return {
    toggle,
    instruction: instructionFor(toggle, cause, control, test),
    ifItWorks: `${BLAMED[toggle]} is to blame`,
    ifItFails: isLast
      ? `it is not ${BLAMED[toggle]} alone: ${control.network.boundTo === undefined ? 'capture that try too and compare again' : 'check again then'}`
      : `${others.map((one) => BLAMED[one]).join(' or ')} is to blame`,
  }
}
