// A machine's network for tests: eth0 with a router, wg0 as the kernel tells of it when it is up.
import type { InterfaceState, NetworkContext } from '../src/model/network-context.ts'

export interface NetworkStory {
  timeMicros: number
  /** Absent: there is no wg0. */
  tunnel?: 'up' | 'link-down' | 'no-address'
  /** wg0's kernel index; it is another one each time it is made. */
  tunnelIndex?: number
  /** Public addresses leave by wg0; as the tunnel is up unless given. */
  isFull?: boolean
  resolver?: string
  watched?: readonly string[]
  changes?: readonly string[]
}

/** The context the kernel would tell. Addresses of RFC 5737. */
export function networkContext(story: NetworkStory): NetworkContext {
  const { timeMicros, tunnel, tunnelIndex = 7, resolver = '192.0.2.53', watched, changes = ['start'] } = story
  const isUp = tunnel === 'up'
  const isFull = story.isFull ?? isUp
  const eth0: InterfaceState = {
    link: { index: 2, name: 'eth0', hardwareType: 1, flags: 0x1043, mtu: 1500, up: true, carrier: true },
    role: 'physical',
    reason: 'a network card',
    addresses: [{ interfaceIndex: 2, family: 4, address: '192.0.2.10', prefixLen: 24, scope: 0 }],
  }
  const linked = tunnel !== 'link-down'
  const wg0: InterfaceState = {
    link: {
      index: tunnelIndex,
      name: 'wg0',
      kind: 'wireguard',
      hardwareType: 65534,
      flags: 0xd1,
      mtu: 1420,
      up: linked,
      carrier: linked,
    },
    role: 'tunnel',
    reason: 'kind wireguard',
    addresses:
      tunnel === 'no-address'
        ? []
        : [{ interfaceIndex: tunnelIndex, family: 4, address: '10.64.0.2', prefixLen: 32, scope: 0 }],
  }
  return {
    timeMicros,
    changes,
    interfaces: tunnel === undefined ? [eth0] : [eth0, wg0],
    routes: [],
    rules: [],
    dnsServers: [{ address: resolver, port: 53, source: '/etc/resolv.conf' }],
    searchDomains: [],
    egress: [
      { family: 4, interfaceIndex: isFull ? tunnelIndex : 2, mode: isFull ? 'full' : 'none', physicalIndex: 2 },
      { family: 6, mode: 'none' },
    ],
    tunnels:
      tunnel === undefined
        ? []
        : [
            {
              interfaceIndex: tunnelIndex,
              name: 'wg0',
              family: 4,
              state: isUp ? 'up' : tunnel === 'no-address' ? 'absent' : 'down',
            },
            { interfaceIndex: tunnelIndex, name: 'wg0', family: 6, state: 'absent' },
          ],
    endpoints: [],
    routesCut: true,
    ...(watched === undefined ? {} : { watched }),
  }
}
