// Rules and routes as VPN clients make them; test/native/context.test.ts asks the kernel the same questions.
import { defaultRules, RouteLookup } from '../../src/capture/route-lookup.ts'
import type { RouteState, RuleState } from '../../src/model/network-context.ts'

const ETH = 2
const TUNNEL = 3

function route(prefix: string, dev: number | undefined, more: Partial<RouteState> = {}): RouteState {
  const [destination, len] = prefix.split('/')
  return {
    family: destination!.includes(':') ? 6 : 4,
    destination: destination!,
    prefixLen: Number(len),
    table: 254,
    priority: 0,
    type: 'unicast',
    scope: 0,
    protocol: 3,
    nextHops: dev === undefined ? [] : [{ interfaceIndex: dev, weight: 1 }],
    ...more,
  }
}

function rule(priority: number, table: number, more: Partial<RuleState> = {}): RuleState {
  return { family: 4, priority, action: 'table', table, invert: false, vrf: false, ...more }
}

const lan = [
  route('192.0.2.0/24', ETH),
  route('0.0.0.0/0', ETH, { nextHops: [{ interfaceIndex: ETH, gateway: '192.0.2.1', weight: 1 }] }),
  route('192.0.2.10/32', ETH, { table: 255, type: 'local' }),
  route('192.0.2.255/32', ETH, { table: 255, type: 'broadcast' }),
]

test('without rules the kernel’s own hold: local, main, default', () => {
  const lookup = new RouteLookup({ routes: [...lan, route('198.51.100.0/24', ETH, { table: 253 })], rules: [] })
  expect(lookup.lookup({ address: '8.8.8.8' })).toMatchObject({
    outcome: 'leaves',
    interfaceIndex: ETH,
    gateway: '192.0.2.1',
  })
  expect(lookup.lookup({ address: '192.0.2.77' })).not.toHaveProperty('gateway')
  expect(lookup.lookup({ address: '192.0.2.10' }).outcome).toBe('local')
  expect(lookup.lookup({ address: '192.0.2.255' }).outcome).toBe('group')
  expect(lookup.lookup({ address: '2001:db8::1' }).outcome).toBe('no-route')
  expect(lookup.lookup({ address: 'nonsense' }).outcome).toBe('no-route')
})

test('wg-quick: everything but marked packets and the LAN enters the tunnel', () => {
  const lookup = new RouteLookup({
    routes: [...lan, route('0.0.0.0/0', TUNNEL, { table: 51820 })],
    rules: [
      ...defaultRules(4),
      rule(32764, 254, { suppressPrefixLen: 0 }),
      rule(32765, 51820, { invert: true, mark: 0xca6c, markMask: 0xffffffff }),
    ],
  })
  expect(lookup.lookup({ address: '8.8.8.8' }).interfaceIndex).toBe(TUNNEL)
  expect(lookup.lookup({ address: '8.8.8.8', mark: 0xca6c }).interfaceIndex).toBe(ETH)
  expect(lookup.lookup({ address: '192.0.2.53' }).interfaceIndex).toBe(ETH)
  expect(lookup.lookup({ address: '192.0.2.10' }).outcome).toBe('local')
})

test('OpenVPN: two halves beat the default route, the server’s host route beats the halves', () => {
  const lookup = new RouteLookup({
    routes: [...lan, route('0.0.0.0/1', TUNNEL), route('128.0.0.0/1', TUNNEL), route('203.0.113.10/32', ETH)],
    rules: defaultRules(4),
  })
  expect(lookup.lookup({ address: '8.8.8.8' }).interfaceIndex).toBe(TUNNEL)
  expect(lookup.lookup({ address: '203.0.113.11' }).interfaceIndex).toBe(TUNNEL)
  expect(lookup.lookup({ address: '203.0.113.10' }).interfaceIndex).toBe(ETH)
})

test('the smaller metric wins, dead routes are passed over, throw goes on to the next rule', () => {
  const routes = [
    route('0.0.0.0/0', ETH, { priority: 600 }),
    route('0.0.0.0/0', TUNNEL, { priority: 50 }),
    route('10.1.0.0/16', undefined),
    route('10.2.0.0/16', undefined, { type: 'throw', table: 100 }),
    route('10.3.0.0/16', undefined, { type: 'blackhole', table: 100 }),
    route('10.0.0.0/8', 7, { table: 100 }),
  ]
  const lookup = new RouteLookup({ routes, rules: [rule(10, 100), ...defaultRules(4)] })
  expect(lookup.lookup({ address: '8.8.8.8' }).interfaceIndex).toBe(TUNNEL)
  expect(lookup.lookup({ address: '10.1.0.1' }).interfaceIndex).toBe(7)
  expect(lookup.lookup({ address: '10.2.0.1' }).interfaceIndex).toBe(TUNNEL)
  expect(lookup.lookup({ address: '10.3.0.1' }).outcome).toBe('blackhole')
})

test('rules by source, user, protocol, port, interface, goto, and those that forbid', () => {
  const routes = [route('0.0.0.0/0', ETH), route('0.0.0.0/0', TUNNEL, { table: 100 })]
  const through = (more: Partial<RuleState>, query: Record<string, unknown>) =>
    new RouteLookup({ routes, rules: [rule(10, 100, more), ...defaultRules(4)] }).lookup({
      address: '8.8.8.8',
      ...query,
    }).interfaceIndex
  const source = { source: '10.8.0.0', sourceLen: 24 }
  expect(through(source, { source: '10.8.0.2' })).toBe(TUNNEL)
  expect(through(source, { source: '10.9.0.2' })).toBe(ETH)
  expect(through(source, {})).toBe(ETH)
  expect(through({ uidFirst: 1000, uidLast: 1999 }, { uid: 1500 })).toBe(TUNNEL)
  expect(through({ uidFirst: 1000, uidLast: 1999 }, { uid: 2000 })).toBe(ETH)
  expect(through({ ipProtocol: 17, destinationPortFirst: 53, destinationPortLast: 53 }, { ipProtocol: 17 })).toBe(ETH)
  const dns = { ipProtocol: 17, destinationPort: 53 }
  expect(through({ ipProtocol: 17, destinationPortFirst: 53, destinationPortLast: 53 }, dns)).toBe(TUNNEL)
  expect(through({ outputInterface: 'tun0' }, { outputInterface: 'tun0' })).toBe(TUNNEL)
  expect(through({ inputInterface: 'br0' }, {})).toBe(ETH)
  expect(through({ destination: '8.8.0.0', destinationLen: 16 }, {})).toBe(TUNNEL)
  expect(through({ mark: 1, markMask: 1 }, { mark: 3 })).toBe(TUNNEL)
  expect(through({ mark: 1, markMask: 3 }, { mark: 3 })).toBe(ETH)
  expect(through({ vrf: true }, {})).toBe(ETH)
  const rules = [rule(5, 0, { action: 'goto', target: 20 }), rule(10, 100), ...defaultRules(4)]
  expect(new RouteLookup({ routes, rules }).lookup({ address: '8.8.8.8' }).interfaceIndex).toBe(ETH)
  const forbidden = new RouteLookup({ routes, rules: [rule(5, 0, { action: 'prohibit' }), ...defaultRules(4)] })
  expect(forbidden.lookup({ address: '8.8.8.8' }).outcome).toBe('prohibit')
})

test('IPv6: prefixes that end within a byte, and source-specific routes', () => {
  const lookup = new RouteLookup({
    routes: [
      route('2001:db8:8000::/33', TUNNEL),
      route('::/0', ETH),
      route('::/0', TUNNEL, { source: '2001:db8:1::', sourceLen: 48 }),
    ],
    rules: [],
  })
  expect(lookup.lookup({ address: '2001:db8:ffff::1' }).interfaceIndex).toBe(TUNNEL)
  expect(lookup.lookup({ address: '2001:db8:7fff::1' }).interfaceIndex).toBe(ETH)
  expect(lookup.lookup({ address: '2600::1', source: '2001:db8:1::5' }).interfaceIndex).toBe(TUNNEL)
})
