// The doctor: each thing that is wrong is said with what to do, and nothing is said of what is right.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { nftOutputRules } from '../../src/daemon/dns-block.ts'
import { type DoctorFacts, type DoctorLine, diagnose } from '../../src/daemon/doctor.ts'
import type { InterfaceState, NetworkContext, RouteState } from '../../src/model/network-context.ts'
import type { InterfaceRole } from '../../src/model/report.ts'
import { canMakeNamespaces, Namespace, sayNotRun } from '../native/namespace.ts'

function linkOf(index: number, name: string, role: InterfaceRole, address: string): InterfaceState {
  const link = { index, name, hardwareType: 1, flags: 1, mtu: 1500, up: true, carrier: true }
  const family = address.includes(':') ? 6 : 4
  return {
    link,
    role,
    reason: 'said so',
    addresses: [{ interfaceIndex: index, family, address, prefixLen: 24, scope: 0 }],
  }
}

function route(destination: string, prefixLen: number, interfaceIndex: number): RouteState {
  const nextHops = [{ interfaceIndex, weight: 1 }]
  return {
    family: 4,
    destination,
    prefixLen,
    table: 254,
    priority: 0,
    type: 'unicast',
    scope: 0,
    protocol: 4,
    nextHops,
  }
}

/** eth0 with its network, a tunnel that has everything else. */
function network(changes: Partial<NetworkContext> = {}): NetworkContext {
  return {
    timeMicros: 0,
    changes: [],
    interfaces: [
      linkOf(1, 'lo', 'loopback', '127.0.0.1'),
      linkOf(2, 'eth0', 'physical', '192.0.2.7'),
      linkOf(3, 'wg0', 'tunnel', '10.64.0.2'),
    ],
    routes: [route('0.0.0.0', 0, 3), route('192.0.2.0', 24, 2)],
    rules: [],
    dnsServers: [{ address: '10.64.0.1', port: 53, source: '/etc/resolv.conf' }],
    searchDomains: [],
    egress: [{ family: 4, interfaceIndex: 3, mode: 'full', physicalIndex: 2 }],
    tunnels: [{ interfaceIndex: 3, name: 'wg0', family: 4, state: 'up' }],
    endpoints: [],
    routesCut: false,
    ...changes,
  }
}

const blocked = nftOutputRules(
  'table inet t {\nchain o {\ntype filter hook output priority 0; policy accept;\noifname != "wg0" meta l4proto { tcp, udp } th dport 53 drop\n}\n}',
)
const facts = (changes: Partial<DoctorFacts> = {}): DoctorFacts => ({
  network: network(),
  firewall: blocked,
  service: { version: '1', dropped: 0, verdictReasons: [], storePaused: false },
  chosenInterfaces: [],
  filter: '',
  backend: 'ring',
  ...changes,
})
const wrong = (changes: Partial<DoctorFacts>): DoctorLine[] =>
  diagnose(facts(changes)).filter(({ level }) => level === 'warning' || level === 'problem')

test('a machine that is all right has nothing wrong', () => {
  expect(wrong({})).toEqual([])
})

test.each<[string, Partial<DoctorFacts>, RegExp]>([
  [
    'a resolver of the LAN while the tunnel is up',
    { network: network({ dnsServers: [{ address: '192.0.2.1', port: 53, source: '/etc/resolv.conf' }] }) },
    /^192\.0\.2\.1 \(\/etc\/resolv\.conf\): a query leaves by eth0 \(physical\), outside the tunnel/,
  ],
  [
    'a resolver of the physical link',
    { network: network({ dnsServers: [{ address: '9.9.9.9', port: 53, source: '/run/x', interfaceIndex: 2 }] }) },
    /9\.9\.9\.9 for eth0 .*outside the tunnel/,
  ],
  ['no resolver', { network: network({ dnsServers: [] }) }, /no resolver is configured/],
  [
    'a family past the tunnel',
    {
      network: network({
        egress: [
          { family: 4, interfaceIndex: 3, mode: 'full' },
          { family: 6, interfaceIndex: 2, mode: 'none' },
        ],
      }),
    },
    /IPv6: public addresses leave by eth0 \(physical\), past the tunnel/,
  ],
  ['port 53 open', { firewall: [] }, /port 53 over UDP\/IPv4 on eth0 is open/],
  ['an interface that is not watched', { chosenInterfaces: ['wg0'] }, /eth0: physical .*: up and not watched/],
  ['a filter', { filter: 'port 53' }, /the filter "port 53" hides packets/],
  ['drops', { service: { version: '1', dropped: 12, verdictReasons: [], storePaused: false } }, /dropped 12 packets/],
  [
    'a verdict that is not complete',
    { service: { version: '1', verdictReasons: ['why'], storePaused: false } },
    /^why$/,
  ],
  ['a paused store', { service: { version: '1', verdictReasons: [], storePaused: true } }, /store cannot be written/],
  ['the cap backend', { backend: 'cap' }, /how many packets it drops is unknown/],
  ['routes beyond count', { network: network({ routesCut: true }) }, /more routes than we keep/],
])('%s is told, with what to do', (_, changes, words) => {
  const found = wrong(changes).find((line) => words.test(line.words))
  expect(found).toBeDefined()
  expect(found!.advice).toBeTruthy()
})

test('without a service and a right, capturing is the problem', () => {
  const { service: _, ...rest } = facts({ captureRefusal: 'capturing needs CAP_NET_RAW: run with sudo' })
  const levels = diagnose(rest).filter(({ level }) => level === 'problem')
  expect(levels.map(({ words }) => words)).toEqual(['capturing needs CAP_NET_RAW: run with sudo'])
})

test('with a service, a person without rights has nothing to mend', () => {
  expect(wrong({ captureRefusal: 'capturing needs CAP_NET_RAW' })).toEqual([])
})

test('without a tunnel DNS outside is no matter', () => {
  const plain = network({
    tunnels: [],
    egress: [{ family: 4, interfaceIndex: 2, mode: 'none' }],
    routes: [route('0.0.0.0', 0, 2)],
  })
  expect(wrong({ network: plain, firewall: [] })).toEqual([])
})

if (!canMakeNamespaces) {
  test('doctor in a namespace did not run', () => sayNotRun('doctor in a namespace'))
} else {
  test('on a machine with a tunnel and a resolver outside it', () => {
    const space = new Namespace()
    const other = new Namespace()
    try {
      space.cable('eth0', other, 'far')
      space.ip('addr add 192.0.2.7/24 dev eth0')
      space.ip('tuntap add dev tun0 mode tun')
      space.ip('addr add 10.64.0.2/24 dev tun0')
      space.ip('link set tun0 up')
      space.ip('route add 0.0.0.0/1 dev tun0')
      const program = fileURLToPath(new URL('./programs/doctor.ts', import.meta.url))
      const loader = new URL('../native/register-typescript.mjs', import.meta.url).href
      const { stdout } = spawnSync('ip', ['netns', 'exec', space.name, process.execPath, '--import', loader, program], {
        encoding: 'utf8',
        timeout: 30_000,
      })
      const lines = JSON.parse(stdout) as DoctorLine[]
      expect(lines.find(({ words }) => words.startsWith('tun0: tunnel'))).toMatchObject({ level: 'ok' })
      expect(lines.find(({ section }) => section === 'capture')).toMatchObject({ level: 'ok' })
    } finally {
      space.remove()
      other.remove()
    }
  })
}
