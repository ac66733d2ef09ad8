// Machines as people have them: which interface is the way out, which is the tunnel, which is only in between.
import { interfaceStates } from '../../src/capture/interface-roles.ts'
import type { AddressState, LinkState, RouteState } from '../../src/model/network-context.ts'

const ETHERNET = 1
const NONE = 65534

function link(index: number, name: string, more: Partial<LinkState> = {}): LinkState {
  return { index, name, hardwareType: ETHERNET, flags: 0x10043, mtu: 1500, up: true, carrier: true, ...more }
}

const lo = link(1, 'lo', { hardwareType: 772 })

function address(interfaceIndex: number, text = '192.0.2.10', scope = 0): AddressState {
  return { interfaceIndex, family: text.includes(':') ? 6 : 4, address: text, prefixLen: 24, scope }
}

function defaultRoute(interfaceIndex: number, more: Partial<RouteState> = {}): RouteState {
  const nextHops = [{ interfaceIndex, gateway: '192.0.2.1', weight: 1 }]
  const prefix = { family: 4 as const, destination: '0.0.0.0', prefixLen: 0 }
  return { ...prefix, table: 254, priority: 0, type: 'unicast', scope: 0, protocol: 3, nextHops, ...more }
}

function roles(links: LinkState[], addresses: AddressState[] = [], routes: RouteState[] = []) {
  const states = interfaceStates([lo, ...links], addresses, routes)
  expect(states.every((state) => state.reason.length > 5)).toBe(true)
  return Object.fromEntries(states.slice(1).map((state) => [state.link.name, state.role]))
}

test('a laptop with WireGuard and OpenVPN', () => {
  const links = [
    link(2, 'eth0'),
    link(3, 'wlan0'),
    link(4, 'wg0', { kind: 'wireguard', hardwareType: NONE }),
    link(5, 'tun0', { kind: 'tun', tunType: 'tun', hardwareType: NONE }),
    link(6, 'ipsec0', { kind: 'xfrm' }),
    link(7, 'utun', { hardwareType: NONE }),
  ]
  expect(roles(links, [address(2)], [defaultRoute(2)])).toEqual({
    eth0: 'physical',
    wlan0: 'physical',
    wg0: 'tunnel',
    tun0: 'tunnel',
    ipsec0: 'tunnel',
    utun: 'tunnel',
  })
})

test('464XLAT: the translator has the default route for IPv4 and yet is no tunnel', () => {
  const links = [
    link(2, 'wlan0'),
    link(3, 'clat', { kind: 'tun', tunType: 'tun', hardwareType: NONE }),
    link(4, 'tun0', { kind: 'tun', tunType: 'tun', hardwareType: NONE }),
  ]
  const addresses = [address(2, '2001:db8:1::10'), address(3, '192.0.0.1'), address(4, '10.8.0.2')]
  expect(roles(links, addresses, [defaultRoute(3)])).toEqual({ wlan0: 'physical', clat: 'virtual', tun0: 'tunnel' })
})

test('Docker: the bridge and its cables are not the way out', () => {
  const links = [
    link(2, 'eth0'),
    link(3, 'docker0', { kind: 'bridge' }),
    link(5, 'veth1234', { kind: 'veth', master: 3, lower: 4, lowerNamespace: 0 }),
    link(6, 'cali1', { kind: 'veth', lower: 7, lowerNamespace: 1 }),
  ]
  const addresses = [address(2), address(3, '172.17.0.1'), address(6, 'fe80::1', 253)]
  expect(roles(links, addresses, [defaultRoute(2)])).toEqual({
    eth0: 'physical',
    docker0: 'virtual',
    veth1234: 'virtual',
    cali1: 'virtual',
  })
})

test('inside a container the veth is the way out, with and without a default route', () => {
  const veth = link(2, 'eth0', { kind: 'veth', lower: 9, lowerNamespace: 0 })
  expect(roles([veth], [address(2)], [defaultRoute(2)])).toEqual({ eth0: 'physical' })
  expect(roles([veth], [address(2)])).toEqual({ eth0: 'physical' })
  expect(roles([veth])).toEqual({ eth0: 'virtual' })
})

test('of a stack the upper one counts: bridge, bond, VLAN', () => {
  const bridge = [
    link(2, 'eth0', { master: 3 }),
    link(3, 'br0', { kind: 'bridge' }),
    link(4, 'tap0', { kind: 'tun', tunType: 'tap', master: 3 }),
  ]
  expect(roles(bridge, [address(3)], [defaultRoute(3)])).toEqual({ eth0: 'virtual', br0: 'physical', tap0: 'virtual' })
  // Also while a VPN has taken the default route away.
  expect(roles(bridge, [address(3)])).toMatchObject({ eth0: 'virtual', br0: 'physical' })
  const bond = [link(2, 'eth0', { master: 4 }), link(3, 'eth1', { master: 4 }), link(4, 'bond0', { kind: 'bond' })]
  expect(roles(bond, [address(4)], [defaultRoute(4)])).toEqual({ eth0: 'virtual', eth1: 'virtual', bond0: 'physical' })
  const vlan = [link(2, 'eth0'), link(3, 'eth0.7', { kind: 'vlan', lower: 2 })]
  expect(roles(vlan, [address(3)], [defaultRoute(3)])).toEqual({ eth0: 'virtual', 'eth0.7': 'physical' })
  expect(roles(vlan, [address(2), address(3)], [defaultRoute(3)])).toEqual({ eth0: 'physical', 'eth0.7': 'physical' })
})

test('PPP is the line itself, or a VPN beside it', () => {
  const ppp = link(3, 'ppp0', { hardwareType: 512 })
  expect(roles([link(2, 'eth0'), ppp], [address(3)], [defaultRoute(3)])).toMatchObject({ ppp0: 'physical' })
  expect(roles([link(2, 'eth0'), ppp], [address(2), address(3)], [defaultRoute(2), defaultRoute(3)])).toMatchObject({
    ppp0: 'tunnel',
  })
  // WireGuard over PPPoE does not make the line a VPN.
  const wg = link(4, 'wg0', { kind: 'wireguard', hardwareType: NONE })
  const routes = [defaultRoute(3), defaultRoute(4, { table: 51820 })]
  expect(roles([link(2, 'eth0'), ppp, wg], [address(3)], routes)).toMatchObject({ ppp0: 'physical', wg0: 'tunnel' })
})

test('taps, modems, and kinds without meaning for us', () => {
  const links = [
    link(2, 'tap0', { kind: 'tun', tunType: 'tap' }),
    link(3, 'tap1', { kind: 'tun', tunType: 'tap' }),
    link(4, 'wwan0', { hardwareType: NONE }),
    link(5, 'rmnet0', { hardwareType: 519 }),
    link(6, 'dummy0', { kind: 'dummy' }),
    link(7, 'vx0', { kind: 'vxlan' }),
  ]
  expect(roles(links, [address(2, '10.9.0.2'), address(6)])).toEqual({
    tap0: 'tunnel',
    tap1: 'virtual',
    wwan0: 'physical',
    rmnet0: 'physical',
    dummy0: 'virtual',
    vx0: 'virtual',
  })
})
