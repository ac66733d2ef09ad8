// The interfaces that lead to the internet, each with the IP versions that it can carry. Pure.
import ipaddr from 'ipaddr.js'
import type { CheckInterface } from '../model/check.ts'
import type { InterfaceState, IpFamily, NetworkContext, RouteState } from '../model/network-context.ts'
import type { SystemHints } from './system-hints.ts'
import type { Target } from './target.ts'

const SCOPE_UNIVERSE = 0
const TABLE_LOCAL = 255
/** Looked up in the routes only: somewhere on the internet, as no name is resolved yet. */
const SAMPLES: Readonly<Record<IpFamily, readonly string[]>> = Object.freeze({
  4: ['3.90.0.1', '91.190.0.1', '151.80.0.1'],
  6: ['2001:470::1', '2a00:1450::1', '2600:1f00::1'],
})

/**
 * Tunnels first. A physical interface needs a default route, a tunnel one that leads to the internet; one that is `chosen`
 * (-i) needs neither. `note` hears why one is left out.
 */
export function waysOut(
  context: NetworkContext,
  target: Target,
  families: readonly IpFamily[],
  chosen: readonly string[],
  hints: SystemHints,
  note: (sentence: string) => void,
): CheckInterface[] {
  const found: CheckInterface[] = []
  for (const one of context.interfaces) {
    const { link, role } = one
    const { name } = link
    const isChosen = chosen.includes(name)
    if (!isChosen && (chosen.length > 0 || (role !== 'physical' && role !== 'tunnel'))) continue
    if (!isUp(one)) {
      if (isChosen) note(`${name} is not up.`)
      continue
    }
    const numbered = families.filter((family) => hasAddress(one, family))
    const routed = isChosen ? numbered : numbered.filter((family) => leadsOut(context.routes, one, family, target))
    if (numbered.length > 0 && routed.length === 0) {
      note(`${name} is left out: no route by it leads to the internet; -i ${name} tries it all the same.`)
    }
    const isStrict =
      role === 'physical' && hints.strictInterfaces.includes(name) && leavesElsewhere(context, link.index)
    if (isStrict && routed.includes(4)) note(strictWords(name))
    const open = isStrict ? routed.filter((family) => family === 6) : routed
    if (open.length > 0) {
      found.push({ name, role: role === 'tunnel' ? 'tunnel' : 'physical', mtu: link.mtu, families: open })
    }
  }
  return found.sort((a, b) => Number(a.role === 'physical') - Number(b.role === 'physical'))
}

/** It can carry packets. */
export function isUp({ link }: InterfaceState): boolean {
  return link.up && link.carrier
}

/** It has an address of that IP version that is good beyond its own wire. */
export function hasAddress({ addresses }: InterfaceState, family: IpFamily): boolean {
  return addresses.some((one) => one.family === family && one.scope === SCOPE_UNIVERSE)
}

/** Some table has a route to the address by that interface: a socket bound to it passes over all others. */
export function hasRoute(routes: readonly RouteState[], interfaceIndex: number, address: string): boolean {
  const family = address.includes(':') ? 6 : 4
  return routes.some(
    (one) => one.family === family && isVia(one, interfaceIndex) && isWithin(address, one.destination, one.prefixLen),
  )
}

/** An address of this machine, on any interface. Whoever answers must not have us speak to programs that listen here. */
export function isOurs({ interfaces }: NetworkContext, address: string): boolean {
  return interfaces.some(({ addresses }) => addresses.some((one) => one.address === address))
}

/** Both are of one IP version. */
export function isWithin(address: string, prefix: string, prefixLen: number): boolean {
  const one = ipaddr.parse(address)
  const other = ipaddr.parse(prefix)
  return one.kind() === other.kind() && one.match(other as never, prefixLen)
}

function leadsOut(routes: readonly RouteState[], state: InterfaceState, family: IpFamily, target: Target): boolean {
  const { index } = state.link
  if (target.addressFamily !== undefined) return hasRoute(routes, index, target.host)
  if (state.role === 'tunnel') return SAMPLES[family].some((address) => hasRoute(routes, index, address))
  return routes.some((one) => one.family === family && one.prefixLen === 0 && isVia(one, index))
}

function isVia({ type, table, nextHops }: RouteState, interfaceIndex: number): boolean {
  return type === 'unicast' && table !== TABLE_LOCAL && nextHops.some((hop) => hop.interfaceIndex === interfaceIndex)
}

/** Public IPv4 addresses leave by another interface. */
function leavesElsewhere({ egress }: NetworkContext, interfaceIndex: number): boolean {
  const way = egress.find((one) => one.family === 4)
  return way?.interfaceIndex !== undefined && (way.interfaceIndex !== interfaceIndex || way.mode === 'split')
}

/** RFC 3704 2.2. */
function strictWords(name: string): string {
  return `IPv4 over ${name} is left out: the kernel drops answers that come in where the routes do not lead (rp_filter is 1); sysctl -w net.ipv4.conf.all.rp_filter=2 lets them in.`
}
