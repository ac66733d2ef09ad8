// Packets that we send ourselves: no leak, whatever they look like (rules.md X9), known by their ends and not by their names,
// and observed way by way however many others go to the same site.
import { createNetworkHistory } from '../../src/analysis/trackers/network-history.ts'
import type { OwnProbes } from '../../src/model/own-probes.ts'
import { createStory, httpRequest, httpResponse, SITE } from '../fixtures/path-story.ts'
import { networkContext } from '../network-story.ts'
import {
  connect,
  findingsOf,
  lookup,
  PUBLIC_RESOLVER,
  play,
  playAnalyzer,
  START_MICROS,
  type Step,
} from './scenario.ts'

const OWN_PORT = 50_001
const own: OwnProbes = {
  siteOf: (port, address) => (port === OWN_PORT && address === PUBLIC_RESOLVER ? 'shop.example' : undefined),
}

/** A full tunnel, as the kernel tells of it. */
function withTunnel(): Record<string, unknown> {
  const network = createNetworkHistory(true)
  network.add(networkContext({ timeMicros: START_MICROS - 1000, tunnel: 'up' }))
  return { network }
}

const inside: Step[] = [
  ...lookup({ on: 'wg0', atMillis: 0, name: 'first.example', answeredAfter: 5 }),
  ...lookup({ on: 'wg0', atMillis: 20_000, name: 'last.example', answeredAfter: 5 }),
]
const outside = (clientPort: number, over: 'udp' | 'tcp' = 'udp') =>
  lookup({ on: 'eth0', atMillis: 1000, name: 'shop.example', to: PUBLIC_RESOLVER, clientPort, answeredAfter: 9, over })

test('a question of ours outside is expected with X9; the same of anybody else is a leak', () => {
  const ours = play([...inside, ...outside(OWN_PORT)], { more: { ...withTunnel(), ownProbes: own } })
  expect(ours.leaks).toEqual([])
  expect(ours.verdict.dns).toBe('ok')
  expect(findingsOf(ours, 'dns-expected')[0]).toMatchObject({ data: { reason: 'X9' } })
  const theirs = play([...inside, ...outside(OWN_PORT + 1)], { more: { ...withTunnel(), ownProbes: own } })
  expect(theirs.verdict.dns).toBe('mixed')
  expect(play([...inside, ...outside(OWN_PORT)], { more: withTunnel() }).verdict.dns).toBe('mixed')
})

test('a connection of ours outside is no traffic-outside-tunnel', () => {
  const steps = [...inside, ...Array.from({ length: 8 }, (_, at) => connect('eth0', 1000 + at * 100, SITE, 443)).flat()]
  const everything: OwnProbes = { siteOf: () => 'shop.example' }
  expect(findingsOf(play(steps, { more: withTunnel() }), 'traffic-outside-tunnel')).toHaveLength(1)
  expect(
    findingsOf(play(steps, { more: { ...withTunnel(), ownProbes: everything } }), 'traffic-outside-tunnel'),
  ).toEqual([])
})

test('each way is observed by itself: its connection, its question, and nothing of others', () => {
  const story = createStory(11)
  const visit = (atMillis: number, on: 'wg0' | 'eth0', status: string) => {
    const answer = httpResponse(status, 'Server: edge\r\n', 'x')
    const one = story
      .connection({ on, port: 80 })
      .open(atMillis)
      .out(atMillis + 30, 0, httpRequest('shop.example'))
    one.back(atMillis + 60, 0, answer).ackOut(atMillis + 61, answer.length)
  }
  visit(100, 'wg0', '502 Bad Gateway')
  visit(300, 'eth0', '200 OK')
  for (let other = 0; other < 20; other++) visit(1000 + other * 100, 'wg0', '200 OK')
  const ports = portsOf(story.steps)
  const taken = new Set(ports.slice(0, 2))
  const ownProbes: OwnProbes = { siteOf: (port) => (taken.has(port) ? 'shop.example' : undefined) }
  const asked = lookup({
    on: 'wg0',
    atMillis: 0,
    name: 'shop.example',
    clientPort: OWN_PORT,
    answeredAfter: 7,
    answers: [{ type: 'A', name: 'shop.example', ttl: 9, data: SITE }],
  })
  const analyzer = playAnalyzer([...story.steps, ...asked], { more: { ...withTunnel(), ownProbes } })
  const observe = (port: number, tunnel: 'up' | 'none') =>
    analyzer.observe({
      host: 'shop.example',
      network: { tunnel },
      connections: [{ clientPort: port, serverAddress: SITE }],
      questions: [{ clientPort: OWN_PORT, serverAddress: '10.64.0.1' }],
    })
  expect(observe(ports[0]!, 'up')).toMatchObject({
    outcome: 'fails',
    visits: 1,
    network: { tunnel: 'up', interface: 'wg0' },
    http: { status: 502 },
    dns: { server: '10.64.0.1', interface: 'wg0', questions: 1, answered: 1, latencyMs: 7, answers: [SITE] },
  })
  expect(observe(ports[1]!, 'none')).toMatchObject({
    outcome: 'works',
    visits: 1,
    network: { interface: 'eth0' },
    http: { status: 200 },
  })
  expect(observe(ports[5]!, 'up')).toMatchObject({ visits: 0, dns: { questions: 1 } })
  expect(
    analyzer.observe({ host: 'shop.example', network: { tunnel: 'up' }, connections: [], questions: [] }),
  ).toBeUndefined()
})

test('a connection of ours that nobody answers belongs to its site without any name in it', () => {
  const syn = connect('eth0', 500, SITE, 443).slice(0, 1)
  const [port] = portsOf(syn)
  const ownProbes: OwnProbes = { siteOf: (one) => (one === port ? SITE : undefined) }
  const analyzer = playAnalyzer([...inside, ...syn], { more: { ...withTunnel(), ownProbes } })
  const seen = analyzer.observe({
    host: SITE,
    network: { tunnel: 'none' },
    connections: [{ clientPort: port!, serverAddress: SITE }],
    questions: [],
  })
  expect(seen).toMatchObject({ host: SITE, outcome: 'fails', tcp: { tried: 1, silent: 1 } })
})

/** Local ports of the IPv4 SYNs, in order. */
function portsOf(steps: readonly { ip: Uint8Array; outgoing: boolean; atMillis: number }[]): number[] {
  return [...steps]
    .sort((a, b) => a.atMillis - b.atMillis)
    .filter(({ ip, outgoing }) => outgoing && ip[9] === 6 && (ip[33]! & 0x12) === 0x02)
    .map(({ ip }) => (ip[20]! << 8) | ip[21]!)
}
