// What follows from the kernel's tables: where public addresses leave, which tunnels are up, which servers are kept out
// of the tunnel, and in words what changed from one moment to the next. Pure.
import type {
  AddressState,
  EgressState,
  EndpointHint,
  InterfaceState,
  IpFamily,
  NetworkContext,
  RouteState,
  RuleState,
  TunnelMode,
  TunnelState,
} from '../model/network-context.ts'
import { RouteLookup } from './route-lookup.ts'

const TABLE_LOCAL = 255
const SCOPE_UNIVERSE = 0
/** RTPROT_*: routes that the system makes by itself. */
const PROTOCOL_KERNEL = 2
const PROTOCOL_ROUTER_ADVERTISEMENT = 9
const PROTOCOL_DHCP = 16

/**
 * Public addresses all over the routed space. They are only looked up in the routing table, nothing is ever sent to
 * them; a route for one of them alone does not sway the majority.
 */
const PUBLIC_SAMPLES: Readonly<Record<IpFamily, readonly string[]>> = {
  4: [
    '3.90.0.1',
    '13.60.0.1',
    '23.40.0.1',
    '34.100.0.1',
    '45.60.0.1',
    '57.90.0.1',
    '66.110.0.1',
    '78.20.0.1',
    '91.190.0.1',
    '104.40.0.1',
    '123.30.0.1',
    '138.68.0.1',
    '151.80.0.1',
    '173.200.0.1',
    '188.40.0.1',
    '205.180.0.1',
    '217.70.0.1',
  ],
  6: ['2001:470::1', '2400:8900::1', '2600:1f00::1', '2607:f8b0::1', '2804:1::1', '2a00:1450::1', '2a02:6b8::1'],
}

/** Where public addresses of each family leave. */
export function egressStates(
  interfaces: readonly InterfaceState[],
  routes: readonly RouteState[],
  rules: readonly RuleState[],
): EgressState[] {
  const lookup = new RouteLookup({ routes, rules })
  return [egressOf(4, interfaces, routes, lookup), egressOf(6, interfaces, routes, lookup)]
}

function egressOf(
  family: IpFamily,
  interfaces: readonly InterfaceState[],
  routes: readonly RouteState[],
  lookup: RouteLookup,
): EgressState {
  const roles = new Map(interfaces.map((state) => [state.link.index, state.role]))
  const answers = PUBLIC_SAMPLES[family]
    .map((address) => lookup.lookup({ address }))
    .filter((answer) => answer.outcome === 'leaves' && answer.interfaceIndex !== undefined)
  const counts = new Map<number, number>()
  for (const { interfaceIndex } of answers) counts.set(interfaceIndex!, (counts.get(interfaceIndex!) ?? 0) + 1)
  const most = [...counts].sort((a, b) => b[1] - a[1])[0]?.[0]
  const physicalIndex = physicalWayOut(family, routes, roles)
  const mode = tunnelMode(
    family,
    answers.map((answer) => roles.get(answer.interfaceIndex!) === 'tunnel'),
    routes,
    roles,
  )
  const below = physicalIndex === undefined ? {} : { physicalIndex }
  if (most === undefined) return { family, mode, ...below }
  const sample = answers.find((answer) => answer.interfaceIndex === most)!
  return {
    family,
    interfaceIndex: most,
    ...(sample.gateway === undefined ? {} : { gateway: sample.gateway }),
    table: sample.route!.table,
    shape: sample.route!.prefixLen === 0 ? 'default' : sample.route!.prefixLen === 1 ? 'halves' : 'prefixes',
    mode,
    ...below,
  }
}

/** Full: whatever public address has a route, it is the tunnel's. */
function tunnelMode(
  family: IpFamily,
  byTunnel: readonly boolean[],
  routes: readonly RouteState[],
  roles: ReadonlyMap<number, string>,
): TunnelMode {
  if (byTunnel.length > 0 && byTunnel.every(Boolean)) return 'full'
  if (byTunnel.some(Boolean)) return 'split'
  const chosen = (route: RouteState) =>
    route.family === family &&
    route.type === 'unicast' &&
    route.protocol !== PROTOCOL_KERNEL &&
    route.table !== TABLE_LOCAL &&
    route.nextHops.some((hop) => roles.get(hop.interfaceIndex) === 'tunnel')
  return routes.some(chosen) ? 'split' : 'none'
}

function physicalWayOut(
  family: IpFamily,
  routes: readonly RouteState[],
  roles: ReadonlyMap<number, string>,
): number | undefined {
  let best: RouteState | undefined
  for (const route of routes) {
    if (route.family !== family || route.prefixLen !== 0 || route.type !== 'unicast') continue
    if (!route.nextHops.some((hop) => roles.get(hop.interfaceIndex) === 'physical')) continue
    if (best === undefined || route.priority < best.priority) best = route
  }
  return best?.nextHops.find((hop) => roles.get(hop.interfaceIndex) === 'physical')?.interfaceIndex
}

/** Two entries, one per family, for every tunnel interface. */
export function tunnelStates(interfaces: readonly InterfaceState[]): TunnelState[] {
  const states: TunnelState[] = []
  for (const { link, role, addresses } of interfaces) {
    if (role !== 'tunnel') continue
    for (const family of [4, 6] as const) {
      const numbered = addresses.some((address) => address.family === family && address.scope === SCOPE_UNIVERSE)
      const state = !numbered ? 'absent' : link.up && link.carrier ? 'up' : 'down'
      states.push({ interfaceIndex: link.index, name: link.name, family, state })
    }
  }
  return states
}

/** Single addresses routed by a router past a tunnel: how OpenVPN and many clients keep their server reachable. */
export function endpointHints(
  interfaces: readonly InterfaceState[],
  routes: readonly RouteState[],
  egress: readonly EgressState[],
): EndpointHint[] {
  const physical = new Set(interfaces.filter((state) => state.role === 'physical').map((state) => state.link.index))
  const hints: EndpointHint[] = []
  for (const route of routes) {
    const { family, prefixLen, type, table, protocol, nextHops } = route
    if (type !== 'unicast' || table === TABLE_LOCAL || prefixLen !== (family === 4 ? 32 : 128)) continue
    if (protocol === PROTOCOL_ROUTER_ADVERTISEMENT || protocol === PROTOCOL_DHCP || protocol === PROTOCOL_KERNEL)
      continue
    if (egress.every((state) => state.family !== family || state.mode === 'none')) continue
    const hop = nextHops.find((candidate) => candidate.gateway !== undefined && physical.has(candidate.interfaceIndex))
    if (hop === undefined) continue
    hints.push({ address: route.destination, interfaceIndex: hop.interfaceIndex, basis: 'host-route' })
  }
  return hints
}

/** What `after` has that `before` had not, and the reverse, in words; empty when nothing a person cares for changed. */
export function describeChanges(before: NetworkContext, after: NetworkContext): string[] {
  const names = new Map([...before.interfaces, ...after.interfaces].map((state) => [state.link.index, state.link.name]))
  const nameOf = (index: number) => names.get(index) ?? `if${index}`
  const changes: string[] = []
  const compare = (old: readonly string[], now: readonly string[], verbs: [string, string]) => {
    const had = new Set(old)
    const has = new Set(now)
    for (const item of had) if (!has.has(item)) changes.push(`${item} ${verbs[1]}`)
    for (const item of has) if (!had.has(item)) changes.push(`${item} ${verbs[0]}`)
  }
  const all = (context: NetworkContext, describe: (state: InterfaceState) => string[]) =>
    context.interfaces.flatMap(describe)
  compare(
    all(before, ({ link }) => [`link ${link.name} (${link.index})`]),
    all(after, ({ link }) => [`link ${link.name} (${link.index})`]),
    ['came', 'went'],
  )
  const isUp = ({ link }: InterfaceState) => (link.up && link.carrier ? [`link ${link.name}`] : [])
  compare(all(before, isUp), all(after, isUp), ['up', 'down'])
  const mtu = ({ link }: InterfaceState) => [`mtu ${link.mtu} of ${link.name}`]
  compare(all(before, mtu), all(after, mtu), ['set', 'gone'])
  const role = ({ link, role }: InterfaceState) => [`role ${role} of ${link.name}`]
  compare(all(before, role), all(after, role), ['taken', 'given up'])
  const address = ({ link, addresses }: InterfaceState) =>
    addresses.map((one: AddressState) => `address ${one.address}/${one.prefixLen} of ${link.name}`)
  compare(all(before, address), all(after, address), ['added', 'removed'])
  const route = (one: RouteState) => {
    const hops = one.nextHops.map(
      (hop) => `${hop.gateway === undefined ? '' : `via ${hop.gateway} `}dev ${nameOf(hop.interfaceIndex)}`,
    )
    const what = one.type === 'unicast' ? '' : `${one.type} `
    return `route ${what}${one.destination}/${one.prefixLen} ${hops.join(', ')} table ${one.table} metric ${one.priority}`
  }
  // The local table follows the addresses.
  const chosen = (context: NetworkContext) => context.routes.filter((one) => one.table !== TABLE_LOCAL).map(route)
  if (before.routes !== after.routes) compare(chosen(before), chosen(after), ['added', 'removed'])
  const rule = ({ rules }: NetworkContext) =>
    rules.map((one) => `IPv${one.family} rule ${one.priority} for table ${one.table}`)
  compare(rule(before), rule(after), ['added', 'removed'])
  const server = ({ dnsServers }: NetworkContext) =>
    dnsServers.map(({ address, port, source }) => `resolver ${address}${port === 53 ? '' : `:${port}`} in ${source}`)
  compare(server(before), server(after), ['added', 'removed'])
  return changes
}
