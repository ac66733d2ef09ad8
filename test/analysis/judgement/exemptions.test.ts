// Each exemption X1 … X12 by a story that has it, and by one that only looks like it and leaks (rules.md 1.4).
import { createNetworkHistory } from '../../../src/analysis/trackers/network-history.ts'
import { networkContext } from '../../network-story.ts'
import {
  connect,
  findingsOf,
  LAN_CLIENT,
  LAN_RESOLVER,
  type Lookup,
  lookup,
  type PlayOptions,
  PUBLIC_RESOLVER,
  play,
  START_MICROS,
  type Step,
  TUNNEL_RESOLVER,
} from '../scenario.ts'
import { vpnTransport } from './vpn-transport-steps.ts'

/** The tunnel is used from 0 to 10 s. */
const tunnelTime: Step[] = [
  ...lookup({ on: 'wg0', atMillis: 0, name: 'first.example', answeredAfter: 5 }),
  ...lookup({ on: 'wg0', atMillis: 10_000, name: 'last.example', answeredAfter: 5 }),
]

/** Reason codes of what was expected, and the names that leaked, of one story within the tunnel's time. */
function judged(steps: readonly Step[], options: PlayOptions = {}): { reasons: unknown[]; leaks: unknown[] } {
  const report = play([...tunnelTime, ...steps], options)
  return {
    reasons: findingsOf(report, 'dns-expected').map((finding) => finding.data['reason']),
    leaks: report.leaks.map((leak) => leak.name),
  }
}

function asked(o: Omit<Lookup, 'on' | 'atMillis'> & Partial<Lookup>): Step[] {
  return lookup({ on: 'eth0', atMillis: 1000, answeredAfter: 4, ...o })
}

/** The same packet, seen by the machine that it goes through. */
function turned(step: Step): Step {
  return { ...step, outgoing: !step.outgoing }
}

function answer(name: string, data: string) {
  return { answers: [{ name, type: 'A', ttl: 60, data } as const] }
}

describe('X1 endpoint-bootstrap', () => {
  const server = '203.0.113.9'
  const name = 'vpn.example.net'

  test('the name of a server that is in use within 30 s, in every record type', () => {
    const steps = [
      ...asked({ name, ...answer(name, server) }),
      ...asked({ name, type: 'AAAA', atMillis: 1010 }),
      ...vpnTransport('eth0', 2000, server),
    ]
    expect(judged(steps)).toEqual({ reasons: ['X1'], leaks: [] })
  })

  test('a name whose address is another one leaks', () => {
    const steps = [...asked({ name, ...answer(name, '203.0.113.10') }), ...vpnTransport('eth0', 2000, server)]
    expect(judged(steps)).toEqual({ reasons: [], leaks: [name] })
  })

  test('a name whose address is in use only 31 s later leaks', () => {
    const steps = [
      ...asked({ name, ...answer(name, server) }),
      ...lookup({ on: 'wg0', atMillis: 40_000, name: 'later.example', answeredAfter: 5 }),
      ...vpnTransport('eth0', 32_500, server),
    ]
    expect(judged(steps)).toEqual({ reasons: [], leaks: [name] })
  })
})

describe('X1 live, where nothing is held for long', () => {
  const server = '203.0.113.9'
  const name = 'vpn.example.net'

  function live(steps: readonly Step[], upAtMillis: number) {
    const network = createNetworkHistory(true)
    network.add(networkContext({ timeMicros: START_MICROS }))
    const context = networkContext({ timeMicros: START_MICROS + upAtMillis * 1000, tunnel: 'up' })
    network.add({ ...context, changes: ['wg0 up'] })
    return judged(steps, { isLive: true, more: { network } })
  }

  test('the name is asked again while the tunnel is up, long after its first answer was judged', () => {
    const steps = [
      ...asked({ name, atMillis: 100, ...answer(name, server) }),
      ...vpnTransport('eth0', 400, server),
      ...asked({ name, atMillis: 3000, ...answer(name, server) }),
      ...asked({ name, type: 'AAAA', atMillis: 6500 }),
    ]
    expect(live(steps, 450)).toEqual({ reasons: ['X1'], leaks: [] })
  })

  test('another server is resolved and dialled while the tunnel is up; it answers only after half a second', () => {
    const other = '203.0.113.77'
    const steps = [
      ...vpnTransport('eth0', 400, server),
      ...asked({ name, atMillis: 3000, ...answer(name, other) }),
      ...vpnTransport('eth0', 3008, other).filter((step) => step.atMillis === 3008 || step.atMillis > 3500),
    ]
    expect(live(steps, 450)).toEqual({ reasons: ['X1'], leaks: [] })
  })

  test('any other name leaks', () => {
    const steps = [
      ...vpnTransport('eth0', 400, server),
      ...asked({ name, atMillis: 3000, ...answer(name, '203.0.113.1') }),
    ]
    expect(live(steps, 450)).toEqual({ reasons: [], leaks: [name] })
  })
})

describe('X2 outer-traffic', () => {
  const name = 'a.example'

  test('DNS to an endpoint the operator named, on its port', () => {
    const options = { more: { endpoints: [`${PUBLIC_RESOLVER}:53`] } }
    expect(judged(asked({ name, to: PUBLIC_RESOLVER }), options)).toEqual({ reasons: ['X2'], leaks: [] })
  })

  test('another port of that address is no endpoint', () => {
    const options = { more: { endpoints: [`${PUBLIC_RESOLVER}:51820`] } }
    expect(judged(asked({ name, to: PUBLIC_RESOLVER }), options).leaks).toEqual([name])
  })
})

describe('X3 captive-portal', () => {
  test.each(['captive.apple.com', 'nmcheck.gnome.org', 'www.msftconnecttest.com'])('%s', (name) => {
    expect(judged(asked({ name }))).toEqual({ reasons: ['X3'], leaks: [] })
  })

  test('another name of the same company leaks', () => {
    expect(judged(asked({ name: 'www.apple.com' })).leaks).toEqual(['www.apple.com'])
  })
})

describe('X4 split-dns', () => {
  const options = { more: { splitDomains: ['Corp.Example'] } }

  test('a name under a domain that is resolved outside on purpose', () => {
    expect(judged(asked({ name: 'wiki.corp.example' }), options)).toEqual({ reasons: ['X4'], leaks: [] })
  })

  test('a name that only ends alike leaks', () => {
    expect(judged(asked({ name: 'notcorp.example' }), options).leaks).toEqual(['notcorp.example'])
  })
})

describe('X5 local-zones', () => {
  test.each([
    'printer.local',
    'router.home.arpa',
    'use-application-dns.net',
    'ipv4only.arpa',
    '_dns.resolver.arpa',
    'mask.icloud.com',
    // RFC 6303: private, documentation and link-local networks.
    '5.1.168.192.in-addr.arpa',
    'b._dns-sd._udp.0.0.0.10.in-addr.arpa',
    '20.2.0.192.in-addr.arpa',
    '255.255.255.255.in-addr.arpa',
    '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.e.f.ip6.arpa',
  ])('%s', (name) => {
    expect(judged(asked({ name }))).toEqual({ reasons: ['X5'], leaks: [] })
  })

  test.each([
    '8.8.8.8.in-addr.arpa',
    '192.in-addr.arpa',
    '255.in-addr.arpa',
    '0.0.ip6.arpa',
    'notlocal',
    'local.example.com',
    '8.8.8.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.6.8.4.0.6.8.4.1.0.0.2.ip6.arpa',
  ])('%s leaks', (name) => {
    expect(judged(asked({ name, to: PUBLIC_RESOLVER })).leaks).toEqual([name])
  })
})

describe('X6 lan-resolver-for-lan-name', () => {
  test.each(['nas', 'nas.lan', 'db.internal'])('%s at the LAN’s resolver', (name) => {
    expect(judged(asked({ name }))).toEqual({ reasons: ['X6'], leaks: [] })
  })

  test('the same names at a public resolver leak', () => {
    expect(judged(asked({ name: 'nas.lan', to: PUBLIC_RESOLVER })).leaks).toEqual(['nas.lan'])
  })

  test('a suffix that the operator names', () => {
    expect(judged(asked({ name: 'nas.haus' }), { more: { lanSuffixes: ['haus'] } }).reasons).toEqual(['X6'])
  })
})

describe('X7 excluded-app', () => {
  const processOf = (_transport: string, localPort: number) =>
    localPort === 40_777 ? { pid: 12, name: 'steam' } : { pid: 13, name: 'firefox' }
  const options = { more: { processOf, excludedApps: ['steam'] } }

  test('a program that is let out of the tunnel', () => {
    const steps = asked({ name: 'game.example', clientPort: 40_777 })
    expect(judged(steps, options)).toEqual({ reasons: ['X7'], leaks: [] })
  })

  test('any other program leaks, and the leak names it', () => {
    const report = play([...tunnelTime, ...asked({ name: 'shop.example', clientPort: 40_778 })], options)
    expect(report.leaks).toMatchObject([{ name: 'shop.example', process: { pid: 13, name: 'firefox' } }])
  })
})

describe('X8 forwarded', () => {
  const interfaces = [
    { name: 'eth0', linkType: 1 },
    { name: 'wg0', linkType: 101 },
    { name: 'veth7', linkType: 1 },
  ]
  const guest = (atMillis: number): Step[] =>
    lookup({ on: 'veth7', atMillis, name: 'guest.example', from: '172.17.0.2', to: '172.17.0.1', answeredAfter: 9 })

  test('the same question came in on a bridge 2 ms before', () => {
    const steps = [...guest(998), ...asked({ name: 'guest.example' })]
    expect(judged(steps, { interfaces })).toEqual({ reasons: ['X8'], leaks: [] })
  })

  test('this machine’s own question to a resolver in a container, which passes it on, is no guest’s', () => {
    const inContainer = { on: 'veth7', name: 'guest.example', atMillis: 997, answeredAfter: 9 }
    const steps = [
      ...lookup({ ...inContainer, from: '172.17.0.1', to: '172.17.0.2' }),
      ...lookup({ ...inContainer, atMillis: 998, from: '172.17.0.2', to: PUBLIC_RESOLVER }).map(turned),
      ...asked({ name: 'guest.example' }),
    ]
    expect(judged(steps, { interfaces })).toEqual({ reasons: [], leaks: ['guest.example'] })
  })

  test('a hotspot’s guest asked it on the radio 1 ms before', () => {
    const hotspot = [interfaces[0]!, interfaces[1]!, { name: 'ap0', linkType: 1 }]
    const name = 'guest.example'
    const steps = [
      ...connect('ap0', 500, '10.42.0.77', 22, '10.42.0.1'),
      ...connect('ap0', 600, '10.42.0.78', 22, '10.42.0.1'),
      ...lookup({ on: 'ap0', atMillis: 999, name, from: '10.42.0.77', to: PUBLIC_RESOLVER, answeredAfter: 9 }).map(
        turned,
      ),
      ...asked({ name, to: PUBLIC_RESOLVER }),
    ]
    expect(judged(steps, { interfaces: hotspot })).toEqual({ reasons: ['X8'], leaks: [] })
  })

  test('20 ms before is no forwarding', () => {
    const steps = [...guest(980), ...asked({ name: 'guest.example' })]
    expect(judged(steps, { interfaces }).leaks).toEqual(['guest.example'])
  })
})

describe('X9 own-probe', () => {
  test('the label of our own check', () => {
    expect(judged(asked({ name: 'tunnelscope-probe-1a2b.example.com' })).reasons).toEqual(['X9'])
    expect(judged(asked({ name: '3.c0ffee5ca1ab1e.bash.ws' }))).toEqual({ reasons: ['X9'], leaks: [] })
    expect(judged(asked({ name: 'www.bash.ws' })).leaks).toEqual(['www.bash.ws'])
  })

  test('a leak-test page is no probe of ours', () => {
    expect(judged(asked({ name: '1a2b.test.dnsleaktest.com' })).leaks).toEqual(['1a2b.test.dnsleaktest.com'])
  })
})

describe('X10 dns-over-tunnel-by-lan-address', () => {
  test('a private resolver inside the tunnel is inside, whatever its address', () => {
    const { verdict } = play(tunnelTime)
    expect(verdict).toMatchObject({ dns: 'ok', coverage: { questionsInTunnel: 2 } })
  })

  test('the same address outside leaks: the way out decides', () => {
    expect(judged(asked({ name: 'a.example', to: TUNNEL_RESOLVER })).leaks).toEqual(['a.example'])
  })
})

describe('X11 tunnel-in-tunnel', () => {
  test('a VPN inside the tunnel leaves that interface a tunnel', () => {
    const report = play([...tunnelTime, ...vpnTransport('wg0', 2000, '203.0.113.77')])
    expect(report.inputs[0]!.interfaces.find((one) => one.name === 'wg0')?.role).toBe('tunnel')
    expect(report.verdict.dns).toBe('ok')
  })
})

describe('X12 duplicate-view', () => {
  const interfaces = [
    { name: 'eth0', linkType: 1 },
    { name: 'wg0', linkType: 101 },
    { name: 'bond0', linkType: 1 },
  ]
  const same = { name: 'twice.example', clientPort: 41_000, id: 77, from: LAN_CLIENT, to: LAN_RESOLVER }

  test('the same packet on bond and port counts once', () => {
    const steps = [...asked({ ...same, on: 'bond0' }), ...asked({ ...same, atMillis: 1000.2 })]
    const report = play([...tunnelTime, ...steps], { interfaces })
    expect(report.leaks).toMatchObject([{ name: 'twice.example', count: 1 }])
    expect(findingsOf(report, 'dns-expected')[0]?.data).toMatchObject({ reason: 'X12' })
  })

  test('another id is another question', () => {
    const steps = [...asked({ ...same, on: 'bond0' }), ...asked({ ...same, id: 78, atMillis: 1000.2 })]
    expect(judged(steps, { interfaces }).leaks).toEqual(['twice.example', 'twice.example'])
  })
})

test('a connection to a resolver outside is no finding about traffic', () => {
  const report = play([...tunnelTime, ...connect('eth0', 1000, PUBLIC_RESOLVER, 53)])
  expect(findingsOf(report, 'traffic-outside-tunnel')).toEqual([])
})
