// What each interface is for us, and why: by what the kernel says about it, never by its name alone. Pure.
import type { AddressState, InterfaceState, LinkState, RouteState } from '../model/network-context.ts'
import type { InterfaceRole } from '../model/report.ts'

/** ARPHRD_* of linux/if_arp.h. */
const ARPHRD_PPP = 512
const ARPHRD_RAWIP = 519
const ARPHRD_LOOPBACK = 772
const ARPHRD_NONE = 65534
const TUNNEL_HARDWARE: Readonly<Record<number, string>> = {
  768: 'IPIP',
  769: 'IPv6 in IPv6',
  776: 'IPv6 in IPv4',
  778: 'GRE',
  823: 'GRE over IPv6',
}

const SCOPE_UNIVERSE = 0

/** 192.0.0.0/29, what 464XLAT gives the host side of its translator (RFC 6877, RFC 7335). */
const TRANSLATOR_ADDRESS = /^192\.0\.0\.[0-7]$/

/** Kinds (IFLA_INFO_KIND) that carry packets within packets. */
const TUNNEL_KINDS = new Set([
  'wireguard',
  'amneziawg',
  'ovpn',
  'ipip',
  'sit',
  'gre',
  'ip6tnl',
  'ip6gre',
  'vti',
  'vti6',
  'xfrm',
])

/** Kinds that stand above other links and show the same packets again; the upper one is the way out. */
const STACKED_KINDS = new Set(['bridge', 'bond', 'team', 'vlan', 'macvlan', 'ipvlan'])

interface Verdict {
  role: InterfaceRole
  reason: string
}

/** The role of every link, ordered by index. */
export function interfaceStates(
  links: readonly LinkState[],
  addresses: readonly AddressState[],
  routes: readonly RouteState[],
): InterfaceState[] {
  const surroundings = new Surroundings(links, addresses, routes)
  return [...links]
    .sort((a, b) => a.index - b.index)
    .map((link) => ({
      link,
      ...roleOf(link, surroundings),
      addresses: addresses.filter((address) => address.interfaceIndex === link.index),
    }))
}

/** What the verdict about one link needs to know about the others. */
class Surroundings {
  readonly #links: ReadonlyMap<number, LinkState>
  readonly #numbered = new Set<number>()
  readonly #defaults = new Set<number>()
  readonly #gateways = new Set<number>()
  readonly #translators = new Set<number>()

  constructor(links: readonly LinkState[], addresses: readonly AddressState[], routes: readonly RouteState[]) {
    this.#links = new Map(links.map((link) => [link.index, link]))
    for (const address of addresses) {
      if (TRANSLATOR_ADDRESS.test(address.address)) this.#translators.add(address.interfaceIndex)
      if (address.scope === SCOPE_UNIVERSE) this.#numbered.add(address.interfaceIndex)
    }
    for (const route of routes) {
      if (route.type !== 'unicast') continue
      for (const hop of route.nextHops) {
        if (route.prefixLen === 0) this.#defaults.add(hop.interfaceIndex)
        if (hop.gateway !== undefined) this.#gateways.add(hop.interfaceIndex)
      }
    }
  }

  /** It has an address that is good beyond its own wire. */
  hasAddress(link: LinkState): boolean {
    return this.#numbered.has(link.index)
  }

  hasDefaultRoute(link: LinkState): boolean {
    return this.#defaults.has(link.index)
  }

  /** A router stands behind it. */
  hasGateway(link: LinkState): boolean {
    return this.#gateways.has(link.index)
  }

  /** Its address is one that only IPv4 over IPv6 uses. */
  isTranslator(link: LinkState): boolean {
    return this.#translators.has(link.index)
  }

  master(link: LinkState): LinkState | undefined {
    return link.master === undefined ? undefined : this.#links.get(link.master)
  }

  /** Links that stand on this one: VLANs, macvlans. */
  above(link: LinkState): LinkState | undefined {
    return [...this.#links.values()].find(
      (other) => other.lower === link.index && other.lowerNamespace === undefined && isStacked(other),
    )
  }

  /** Links that belong to this one. */
  membersOf(link: LinkState): LinkState[] {
    return [...this.#links.values()].filter((other) => other.master === link.index)
  }

  lower(link: LinkState): LinkState | undefined {
    return link.lower === undefined || link.lowerNamespace !== undefined ? undefined : this.#links.get(link.lower)
  }

  hasHardware(): boolean {
    return [...this.#links.values()].some(isHardware)
  }

  /** Another link with a router behind it, by which the outer packets of a tunnel could leave. */
  hasOtherWayOut(link: LinkState): boolean {
    return [...this.#links.values()].some(
      (other) =>
        other.index !== link.index && !isTunnel(other) && (this.hasDefaultRoute(other) || this.hasGateway(other)),
    )
  }
}

function roleOf(link: LinkState, around: Surroundings): Verdict {
  if (link.hardwareType === ARPHRD_LOOPBACK) return { role: 'loopback', reason: 'the loopback device' }
  const { kind } = link
  const master = around.master(link)
  if (master !== undefined && master.kind !== 'vrf') {
    return {
      role: 'virtual',
      reason: `belongs to ${master.kind ?? 'interface'} ${master.name}, which is judged instead`,
    }
  }
  if (kind === 'tun') {
    if (around.isTranslator(link)) {
      return { role: 'virtual', reason: 'a 464XLAT translator: what enters it leaves as IPv6 on another interface' }
    }
    if (link.tunType !== 'tap') return { role: 'tunnel', reason: 'a tun device' }
    return around.hasAddress(link)
      ? { role: 'tunnel', reason: 'a tap device with an address' }
      : { role: 'virtual', reason: 'a tap device without an address, as of a virtual machine' }
  }
  if (kind !== undefined && TUNNEL_KINDS.has(kind)) return { role: 'tunnel', reason: `kind ${kind}` }
  if (link.hardwareType === ARPHRD_PPP) return pppRole(link, around)
  const carried = TUNNEL_HARDWARE[link.hardwareType]
  if (carried !== undefined) return { role: 'tunnel', reason: `link type ${carried}` }
  if (link.hardwareType === ARPHRD_RAWIP || (link.hardwareType === ARPHRD_NONE && link.name.startsWith('wwan'))) {
    return { role: 'physical', reason: 'a mobile network modem' }
  }
  if (link.hardwareType === ARPHRD_NONE && kind === undefined)
    return { role: 'tunnel', reason: 'link type none (65534)' }
  if (kind === undefined) return hardwareRole(link, around)
  if (kind === 'veth') return vethRole(link, around)
  if (STACKED_KINDS.has(kind)) return stackedRole(link, kind, around)
  if (around.hasDefaultRoute(link)) return { role: 'physical', reason: `kind ${kind} with a default route` }
  return { role: 'virtual', reason: `kind ${kind}` }
}

function hardwareRole(link: LinkState, around: Surroundings): Verdict {
  const above = around.above(link)
  if (above !== undefined && !around.hasAddress(link) && !around.hasDefaultRoute(link)) {
    return { role: 'virtual', reason: `carries ${above.kind} ${above.name} only, which is judged instead` }
  }
  return { role: 'physical', reason: 'a network card' }
}

/** PPP is a VPN (L2TP, PPTP, SSTP) when there is another way out for its outer packets, else the line itself (PPPoE). */
function pppRole(link: LinkState, around: Surroundings): Verdict {
  return around.hasOtherWayOut(link)
    ? { role: 'tunnel', reason: 'PPP beside another way out' }
    : { role: 'physical', reason: 'PPP as the only way out, as with PPPoE' }
}

function vethRole(link: LinkState, around: Surroundings): Verdict {
  if (around.hasDefaultRoute(link) || around.hasGateway(link)) {
    return { role: 'physical', reason: 'a veth that leads to a router: the way out of this network namespace' }
  }
  if (around.hasAddress(link) && link.lowerNamespace !== undefined && !around.hasHardware()) {
    return { role: 'physical', reason: 'a veth with an address, in a network namespace without network cards' }
  }
  return { role: 'virtual', reason: 'a veth: the cable of a container or namespace' }
}

function stackedRole(link: LinkState, kind: string, around: Surroundings): Verdict {
  if (around.hasDefaultRoute(link)) return { role: 'physical', reason: `${kind} with a default route` }
  const below = [...around.membersOf(link), around.lower(link)].find(
    (other) => other !== undefined && isHardware(other),
  )
  if (below !== undefined && (around.hasAddress(link) || kind === 'bond' || kind === 'team')) {
    return { role: 'physical', reason: `${kind} over ${below.name}` }
  }
  return {
    role: 'virtual',
    reason: below === undefined ? `${kind} without a network card` : `${kind} without an address`,
  }
}

/** Without a doubt; PPP may be either. */
function isTunnel(link: LinkState): boolean {
  if (link.kind !== undefined && (link.kind === 'tun' || TUNNEL_KINDS.has(link.kind))) return true
  return link.hardwareType in TUNNEL_HARDWARE || link.hardwareType === ARPHRD_NONE
}

function isStacked(link: LinkState): boolean {
  return link.kind !== undefined && STACKED_KINDS.has(link.kind)
}

function isHardware(link: LinkState): boolean {
  return link.kind === undefined && link.hardwareType !== ARPHRD_LOOPBACK && link.hardwareType !== ARPHRD_NONE
}
