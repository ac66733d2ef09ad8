// The resolvers that matter, and over which interface each is asked. Pure.
import ipaddr from 'ipaddr.js'
import { RouteLookup } from '../capture/route-lookup.ts'
import type { CheckInterface, CheckResolver, ResolverSource } from '../model/check.ts'
import type { InterfaceState, NetworkContext } from '../model/network-context.ts'
import type { SystemHints } from './system-hints.ts'
import { leavesTheMachine } from './target.ts'
import { hasAddress, hasRoute, isOurs, isWithin } from './ways-out.ts'

const LOOPBACK = 'lo'
const DNS_PORT = 53
/** ipaddr.js's names of what does not cross the internet. */
const LOCAL_RANGES: readonly string[] = ['private', 'uniqueLocal', 'carrierGradeNat', 'linkLocal']

/** In the order in which they matter: the person's (`given`), the system's, those of links; one that has two ways is two. */
export function resolversFor(
  context: NetworkContext,
  interfaces: readonly CheckInterface[],
  given: readonly string[],
  hints: SystemHints,
): CheckResolver[] {
  const found: CheckResolver[] = []
  const add = (address: string, port: number, source: ResolverSource, link?: string) => {
    for (const over of placesOf(context, interfaces, address, link)) {
      const isKnown = found.some((one) => one.address === address && one.port === port && one.over === over)
      if (!isKnown) found.push({ address, port, over, source })
    }
  }
  for (const address of given) add(address, DNS_PORT, 'given')
  for (const { address, port, interfaceIndex } of context.dnsServers) {
    const link = context.interfaces.find((one) => one.link.index === interfaceIndex)?.link.name
    if (interfaceIndex === undefined) add(address, port, 'system')
    else if (link !== undefined) add(address, port, 'link', link)
  }
  for (const { address, interfaceName } of hints.linkResolvers) add(address, DNS_PORT, 'lease', interfaceName)
  for (const { name, role } of interfaces) {
    // Only somebody outside the VPN can show that its resolver is wrong, and routers of homes forward questions.
    if (role !== 'physical' || found.some((one) => one.over === name)) continue
    const gateway = gatewayOf(context, name)
    if (gateway !== undefined) add(gateway, DNS_PORT, 'router', name)
  }
  return found
}

/** Interfaces over which that resolver can be asked: one of a link only there, one on the internet over each. */
function placesOf(
  context: NetworkContext,
  interfaces: readonly CheckInterface[],
  address: string,
  link: string | undefined,
): string[] {
  const range = ipaddr.parse(address).range()
  if (isOurs(context, address) || range === 'loopback') return [LOOPBACK]
  if (!leavesTheMachine(address)) return []
  const states = interfaces.map((one) => stateOf(context, one.name))
  if (link !== undefined) return states.some((one) => one.link.name === link) ? [link] : []
  // Without its link nobody knows whose it is (RFC 4007 6).
  if (range === 'linkLocal') return []
  const onLink = context.interfaces.filter(({ addresses }) =>
    addresses.some((one) => isWithin(address, one.address, one.prefixLen)),
  )
  if (onLink.length > 0) return states.filter((one) => onLink.includes(one)).map((one) => one.link.name)
  const family = address.includes(':') ? 6 : 4
  const able = states.filter((one) => hasAddress(one, family) && hasRoute(context.routes, one.link.index, address))
  if (!LOCAL_RANGES.includes(range)) return able.map((one) => one.link.name)
  const { interfaceIndex } = new RouteLookup(context).lookup({ address })
  return able.filter((one) => one.link.index === interfaceIndex).map((one) => one.link.name)
}

function stateOf(context: NetworkContext, name: string): InterfaceState {
  return context.interfaces.find((one) => one.link.name === name)!
}

function gatewayOf(context: NetworkContext, name: string): string | undefined {
  const { index } = stateOf(context, name).link
  return context.routes
    .filter((one) => one.prefixLen === 0)
    .flatMap((one) => one.nextHops)
    .find((hop) => hop.interfaceIndex === index && hop.gateway !== undefined)?.gateway
}
