// What the analyzer makes of a join: a VPN that no message format gives away, on port 53, is known for what it is.

import { type Bytes, tcp, udp } from '../decoders/build-packet.ts'
import { createRandom } from '../fixtures/frames.ts'
import { findingsOf, ip, LAN_CLIENT, lookup, play, type Step, TUNNEL_CLIENT } from './scenario.ts'

const SERVER = '203.0.113.9'

/** Every inner packet with its outer one on UDP port 53, scrambled and 41 bytes longer. */
function tunnel(seed: number): Step[] {
  const random = createRandom(seed)
  const steps: Step[] = []
  for (let index = 0; index < 60; index++) {
    const atMillis = index * 100
    const outgoing = index % 2 === 0
    const payload = new Uint8Array(20 + (random() % 700))
    const flow = 40_000 + (index % 3)
    const inner = outgoing
      ? ip(TUNNEL_CLIENT, '198.51.100.80', 6, tcp(flow, 443, payload, { flags: 0x10 }))
      : ip('198.51.100.80', TUNNEL_CLIENT, 6, tcp(443, flow, payload, { flags: 0x10 }))
    const sealed = Uint8Array.from({ length: inner.length + 41 }, () => random() & 0xff)
    const outer = outgoing
      ? ip(LAN_CLIENT, SERVER, 17, udp(51_111, 53, sealed))
      : ip(SERVER, LAN_CLIENT, 17, udp(53, 51_111, sealed))
    steps.push({ on: 'tunnel-x', atMillis, outgoing, ip: inner as Bytes })
    steps.push({ on: 'eth0', atMillis: outgoing ? atMillis + 1 : atMillis - 1, outgoing, ip: outer })
  }
  return steps
}

const interfaces = [
  { name: 'eth0', linkType: 1 },
  { name: 'tunnel-x', linkType: 101 },
]

test('server, overhead and transport stand in the report, and nothing of it counts as DNS outside', () => {
  for (const seed of [1, 2, 3]) {
    const report = play(tunnel(seed), { interfaces })
    expect(report.tunnels).toMatchObject([
      {
        interface: 'tunnel-x',
        outerInterface: 'eth0',
        endpoint: SERVER,
        port: 53,
        transport: 'an unknown transport over UDP',
        overhead: 69,
        overheadIsExact: true,
        outerFamily: 'ipv4',
        neverLeft: 0,
      },
    ])
    expect(report.epochs.find((epoch) => epoch.tunnelUp)).toMatchObject({ endpoint: `${SERVER}:53` })
    expect(report.leaks).toEqual([])
    expect(report.verdict.dns).toBe('ok')
  }
})

test('a real question beside it is still a leak', () => {
  const report = play(
    [...tunnel(4), ...lookup({ on: 'eth0', atMillis: 3050, name: 'a.example', to: '198.51.100.53', answeredAfter: 4 })],
    { interfaces },
  )
  expect(findingsOf(report, 'dns-leak')).toHaveLength(1)
  expect(report.leaks).toMatchObject([{ name: 'a.example', server: '198.51.100.53' }])
})

/** WireGuard's data messages (whitepaper 5.4.6) around packets whose lengths another transport's padding fits as well. */
function wireGuardOfOddLengths(seed: number): Step[] {
  const random = createRandom(seed)
  const steps: Step[] = []
  for (let index = 0; index < 60; index++) {
    const outgoing = index % 2 === 0
    const payload = new Uint8Array(16 * (random() % 40) + 9 + (random() % 11))
    const inner = outgoing
      ? ip(TUNNEL_CLIENT, '198.51.100.80', 6, tcp(40_000, 443, payload, { flags: 0x10 }))
      : ip('198.51.100.80', TUNNEL_CLIENT, 6, tcp(443, 40_000, payload, { flags: 0x10 }))
    const sealed = Uint8Array.from({ length: Math.ceil(inner.length / 16) * 16 + 32 }, () => random() & 0xff)
    sealed.set([4, 0, 0, 0])
    const outer = outgoing
      ? ip(LAN_CLIENT, SERVER, 17, udp(51_111, 51_820, sealed))
      : ip(SERVER, LAN_CLIENT, 17, udp(51_820, 51_111, sealed))
    const atMillis = index * 100
    steps.push({ on: 'tunnel-x', atMillis, outgoing, ip: inner as Bytes })
    steps.push({ on: 'eth0', atMillis: outgoing ? atMillis + 1 : atMillis - 1, outgoing, ip: outer })
  }
  return steps
}

test('what the format of the messages says of the transport counts more than what their lengths suggest', () => {
  for (const seed of [1, 2, 3]) {
    const report = play(wireGuardOfOddLengths(seed), { interfaces })
    expect(report.tunnels).toMatchObject([{ endpoint: SERVER, transport: 'WireGuard', overhead: 60 }])
    const inside = report.inputs[0]!.interfaces.find((one) => one.name === 'tunnel-x')
    expect(inside!.reasons).toContain('its packets leave in WireGuard, 60 bytes longer')
    expect(JSON.stringify(report)).not.toContain('OpenVPN')
  }
})

/** Bursts of packets of several flows; outside, those of a burst leave together in segments of one TCP stream. */
function streamed(seed: number): Step[] {
  const random = createRandom(seed)
  const steps: Step[] = []
  for (let burst = 0; burst < 40; burst++) {
    const atMillis = burst * 700 + (random() % 300)
    for (const outgoing of [true, false]) {
      let total = 0
      for (let count = 1 + (random() % 12); count > 0; count--) {
        const segment = tcp(
          outgoing ? 40_000 + burst : 443,
          outgoing ? 443 : 40_000 + burst,
          new Uint8Array(random() % 900),
          {
            flags: 0x10,
          },
        )
        const there = `198.51.100.${1 + (burst % 90)}`
        const inner = outgoing ? ip(TUNNEL_CLIENT, there, 6, segment) : ip(there, TUNNEL_CLIENT, 6, segment)
        total += inner.length + 9
        steps.push({ on: 'tun0', atMillis: atMillis + 5, outgoing, ip: inner })
      }
      for (; total > 0; total -= 1300) {
        const sealed = new Uint8Array(Math.min(total, 1300)).fill(0xc5)
        const outer = outgoing
          ? ip(LAN_CLIENT, SERVER, 6, tcp(51_111, 8443, sealed, { flags: 0x18 }))
          : ip(SERVER, LAN_CLIENT, 6, tcp(8443, 51_111, sealed, { flags: 0x18 }))
        steps.push({ on: 'eth0', atMillis: atMillis + (outgoing ? 6 : 4), outgoing, ip: outer })
      }
    }
  }
  return steps
}

test('a transport that joins packets is told by its volume, without an overhead, and is the VPN’s own', () => {
  const interfaces = [
    { name: 'eth0', linkType: 1 },
    { name: 'tun0', linkType: 101 },
  ]
  for (const seed of [1, 2, 3]) {
    const report = play(streamed(seed), { interfaces })
    expect(report.tunnels).toMatchObject([
      { interface: 'tun0', outerInterface: 'eth0', endpoint: SERVER, port: 8443, transport: 'a TCP stream' },
    ])
    const [tunnel] = report.tunnels
    expect(tunnel).toMatchObject({ matchedBy: 'volume', confidence: 'probable', overheadIsExact: false })
    expect(Object.keys(tunnel!)).not.toEqual(expect.arrayContaining(['overhead']))
    expect(tunnel!.correlation).toBeGreaterThan(0.9)
    expect(report.epochs.find((epoch) => epoch.tunnelUp)).toMatchObject({
      endpoint: `${SERVER}:8443`,
      transport: 'a TCP stream',
    })
    expect(findingsOf(report, 'traffic-outside-tunnel')).toEqual([])
  }
})

test('without a tunnel there is none', () => {
  expect(play(lookup({ on: 'eth0', atMillis: 0, name: 'a.example', answeredAfter: 3 })).tunnels).toEqual([])
})
