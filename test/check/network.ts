// A machine as the kernel tells of it, for the plans of a check: eth0 with a router, wg0 as wg-quick makes it.
import type {
  InterfaceState,
  IpFamily,
  NetworkContext,
  RouteState,
  RuleState,
} from '../../src/model/network-context.ts'
import { networkContext } from '../network-story.ts'

const ETH0 = 2
const WG0 = 7
const WG_TABLE = 51820

export interface MachineStory {
  /** wg0 is up; `split`: it leads to 10.0.0.0/8 only. */
  tunnel?: 'full' | 'split'
  /** IPv6 on both. */
  isV6?: boolean
  dnsServers?: NetworkContext['dnsServers']
}

export function machine({ tunnel, isV6 = false, dnsServers }: MachineStory = {}): NetworkContext {
  const base = networkContext({
    timeMicros: 1,
    ...(tunnel === undefined ? {} : { tunnel: 'up', isFull: tunnel === 'full' }),
  })
  const families: IpFamily[] = isV6 ? [4, 6] : [4]
  return {
    ...base,
    interfaces: base.interfaces.map((one) => (isV6 ? withV6(one) : one)),
    routes: families.flatMap((family) => routesOf(family, tunnel)),
    rules: tunnel === 'full' ? families.flatMap(rulesOf) : [],
    ...(dnsServers === undefined ? {} : { dnsServers }),
  }
}

export function route(prefix: string, interfaceIndex: number, more: Partial<RouteState> = {}): RouteState {
  const [destination = '', len] = prefix.split('/')
  return {
    family: destination.includes(':') ? 6 : 4,
    destination,
    prefixLen: Number(len),
    table: 254,
    priority: 0,
    type: 'unicast',
    scope: 0,
    protocol: 3,
    nextHops: [{ interfaceIndex, weight: 1 }],
    ...more,
  }
}

function withV6(one: InterfaceState): InterfaceState {
  const address = one.link.index === ETH0 ? '2001:db8:1::10' : 'fd00:64::2'
  const more = {
    interfaceIndex: one.link.index,
    family: 6 as const,
    address,
    prefixLen: one.link.index === ETH0 ? 64 : 128,
    scope: 0,
  }
  return { ...one, addresses: [...one.addresses, more] }
}

function routesOf(family: IpFamily, tunnel: MachineStory['tunnel']): RouteState[] {
  const [all, lan, gateway, corporate] =
    family === 4
      ? ['0.0.0.0/0', '192.0.2.0/24', '192.0.2.1', '10.0.0.0/8']
      : ['::/0', '2001:db8:1::/64', '2001:db8:1::1', 'fd00::/8']
  const made = [
    route(lan!, ETH0),
    route(all!, ETH0, { nextHops: [{ interfaceIndex: ETH0, gateway: gateway!, weight: 1 }] }),
  ]
  if (tunnel === 'full') made.push(route(all!, WG0, { table: WG_TABLE }))
  if (tunnel === 'split') made.push(route(corporate!, WG0))
  return made
}

function rulesOf(family: IpFamily): RuleState[] {
  const rule = (priority: number, table: number, more: Partial<RuleState> = {}): RuleState => ({
    family,
    priority,
    action: 'table',
    table,
    invert: false,
    vrf: false,
    ...more,
  })
  return [
    rule(0, 255),
    rule(100, 254, { suppressPrefixLen: 0 }),
    rule(200, WG_TABLE, { mark: WG_TABLE, invert: true }),
    rule(32766, 254),
  ]
}
