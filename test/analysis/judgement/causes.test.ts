// Each cause of a leak, R1 … R20, by a story that has it and one that has another (rules.md 1.3).
import {
  LAN_CLIENT_V6,
  type Lookup,
  lookup,
  PUBLIC_RESOLVER,
  PUBLIC_RESOLVER_V6,
  play,
  type Step,
  TUNNEL_CLIENT,
  TUNNEL_RESOLVER,
} from '../scenario.ts'

const tunnelTime: Step[] = [
  ...lookup({ on: 'wg0', atMillis: 0, name: 'first.example', answeredAfter: 5 }),
  ...lookup({ on: 'wg0', atMillis: 60_000, name: 'last.example', answeredAfter: 5 }),
]

/** The causes of what leaked, with the tunnel up. */
function causesOf(...steps: Step[][]): string[] {
  return play([...tunnelTime, ...steps.flat()]).leaks.map((leak) => leak.cause)
}

function outside(o: Partial<Lookup> = {}): Step[] {
  return lookup({ on: 'eth0', atMillis: 1000, name: 'a.example', to: PUBLIC_RESOLVER, answeredAfter: 9, ...o })
}

function inside(o: Partial<Lookup> = {}): Step[] {
  return lookup({ on: 'wg0', atMillis: 1000, name: 'a.example', ...o })
}

test('R1: past the tunnel', () => {
  expect(causesOf(outside())).toEqual(['outside-tunnel'])
})

test('R3: IPv6 around a tunnel without IPv6; a tunnel that carries IPv6 is not bypassed', () => {
  const v6 = outside({ to: PUBLIC_RESOLVER_V6, from: LAN_CLIENT_V6 })
  expect(causesOf(v6)).toEqual(['v6-bypass'])
  const carries = inside({ to: 'fd00:64::1', from: 'fd00:64::2', name: 'b.example', answeredAfter: 3 })
  const routed = inside({ to: '2001:db8:64::1', from: '2001:db8:64::2', name: 'c.example', answeredAfter: 3 })
  expect(causesOf(v6, carries, routed)).toEqual(['outside-tunnel'])
})

test('R8: a DNS message on another port', () => {
  expect(causesOf(outside({ port: 5300 }))).toEqual(['odd-port'])
})

test('R8: mDNS asked of one host far away is DNS on an odd port, of a neighbour it is not', () => {
  expect(causesOf(outside({ port: 5353 }))).toEqual(['odd-port'])
  expect(causesOf(outside({ port: 5353, to: '192.0.2.44' }))).toEqual([])
})

test('R11: the same question inside within 100 ms, before or after; 150 ms apart is something else', () => {
  expect(causesOf(inside({ atMillis: 950, answeredAfter: 5 }), outside())).toEqual(['parallel-resolution'])
  expect(causesOf(inside({ atMillis: 1060, answeredAfter: 5 }), outside())).toEqual(['parallel-resolution'])
  expect(causesOf(inside({ atMillis: 1150, answeredAfter: 5 }), outside())).toEqual(['outside-tunnel'])
  expect(causesOf(inside({ atMillis: 990, type: 'AAAA', answeredAfter: 5 }), outside())).toEqual(['outside-tunnel'])
})

test('R16: a resolver on the LAN', () => {
  expect(causesOf(outside({ to: '192.0.2.53' }))).toEqual(['lan-forwarder'])
  expect(causesOf(outside({ to: '192.168.1.1' }))).toEqual(['lan-forwarder'])
})

test('R16: the tunnel’s own resolver, asked on the way outside, is not on the LAN, nor are its names the LAN’s', () => {
  expect(causesOf(outside({ to: TUNNEL_RESOLVER }))).toEqual(['outside-tunnel'])
  expect(causesOf(outside({ to: TUNNEL_RESOLVER, name: 'wiki.corp' }))).toEqual(['outside-tunnel'])
  expect(causesOf(outside({ to: '192.168.1.1', name: 'wiki.corp' }))).toEqual([])
})

test('R19: no answer inside, then asked outside, with the time waited', () => {
  const report = play([...tunnelTime, ...inside({ atMillis: 1000 }), ...outside({ atMillis: 6000 })])
  const [finding] = report.findings.filter((one) => one.id === 'dns-leak')
  expect(finding).toMatchObject({
    cause: 'fallback-after-timeout',
    data: { silentServer: TUNNEL_RESOLVER, waitedMs: 5000 },
  })
  expect(finding!.summary).toContain(`${TUNNEL_RESOLVER} inside the tunnel did not answer within 5000 ms`)
})

test('R19: an answer inside, or silence half a minute ago, is no reason', () => {
  expect(causesOf(inside({ atMillis: 1000, answeredAfter: 5 }), outside({ atMillis: 6000 }))).toEqual([
    'outside-tunnel',
  ])
  expect(causesOf(inside({ atMillis: 1000 }), outside({ atMillis: 31_000 }))).toEqual(['outside-tunnel'])
})

test('R19: a second try inside that was answered ends the silence; the wait begins with the first that was not', () => {
  const silent = inside({ atMillis: 1000 })
  const second = inside({ atMillis: 2000, answeredAfter: 5 })
  expect(causesOf([...silent, ...second], outside({ atMillis: 6000 }))).toEqual(['outside-tunnel'])
  const report = play([...tunnelTime, ...inside({ atMillis: -30_000 }), ...silent, ...outside({ atMillis: 6000 })])
  const leak = report.findings.find((one) => one.id === 'dns-leak')
  expect(leak).toMatchObject({ data: { waitedMs: 5000 } })
})

test('R20: the tunnel’s address as source, the way out is physical', () => {
  // eth0 has an address of its own, as a question before the tunnel shows.
  const before = lookup({ on: 'eth0', atMillis: -100, name: 'before.example', answeredAfter: 5 })
  expect(causesOf(before, outside({ from: TUNNEL_CLIENT }))).toEqual(['misbound'])
  expect(causesOf(before, outside())).toEqual(['outside-tunnel'])
})
