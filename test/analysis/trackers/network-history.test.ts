import type { EndpointSpan } from '../../../src/analysis/trackers/epoch-span.ts'
import { createNetworkHistory } from '../../../src/analysis/trackers/network-history.ts'
import { MAX_EPOCHS, MAX_RECONNECT_MICROS } from '../../../src/constants/limits.ts'
import type { NetworkEventFact } from '../../../src/model/facts.ts'
import { type NetworkStory, networkContext } from '../../network-story.ts'

const SECOND = 1_000_000

/** A history at seconds, and what it told. */
function history(stories: readonly NetworkStory[], live = true) {
  const network = createNetworkHistory(live)
  const told: NetworkEventFact[] = []
  const tell = (event: NetworkEventFact) => void told.push(event)
  for (const story of stories) network.add(networkContext({ ...story, timeMicros: story.timeMicros * SECOND }))
  return { network, told, tell, states: () => network.epochs.map(({ state }) => state) }
}

const words = (told: readonly NetworkEventFact[]) =>
  told.filter(({ kind }) => kind !== 'epoch').map((event) => [event.kind, event.timeMicros / SECOND])

test('a tunnel that comes, is lost and comes back under another index is lost in between', () => {
  const { network, told, tell, states } = history([
    { timeMicros: 10 },
    { timeMicros: 20, tunnel: 'up' },
    { timeMicros: 30, changes: ['link wg0 went'] },
    { timeMicros: 40, tunnel: 'up', tunnelIndex: 8 },
  ])
  network.tick(50 * SECOND, tell)
  expect(states()).toEqual(['none', 'up', 'lost', 'up'])
  expect(words(told)).toEqual([
    ['tunnel-lost', 30],
    ['tunnel-back', 40],
  ])
  expect(told.find(({ kind }) => kind === 'tunnel-lost')).toMatchObject({ how: 'wg0 deleted', interfaceNames: ['wg0'] })
  expect([19, 20, 29.9, 30, 39.9, 40].map((second) => network.stateAt(second * SECOND))).toEqual([
    'none',
    'up',
    'up',
    'lost',
    'lost',
    'up',
  ])
  expect(network.epochs.map(({ reason }) => reason)[2]).toBe('link wg0 went')
  expect(network.epochs.map(({ startMicros, endMicros }) => [startMicros / SECOND, endMicros / SECOND])).toEqual([
    [10, 20],
    [20, 30],
    [30, 40],
    [40, 50],
  ])
})

test.each([
  ['link-down', 'wg0 switched off'],
  ['no-address', 'wg0 lost its address'],
] as const)('%s is a loss as well: %s', (tunnel, how) => {
  const { network, told, tell } = history([
    { timeMicros: 1, tunnel: 'up' },
    { timeMicros: 2, tunnel },
  ])
  network.tick(3 * SECOND, tell)
  expect(told.find(({ kind }) => kind === 'tunnel-lost')).toMatchObject({ timeMicros: 2 * SECOND, how })
})

test('nothing is judged during a loss, and afterwards only when its end was told', () => {
  const { network, tell } = history([{ timeMicros: 1, tunnel: 'up' }, { timeMicros: 2 }])
  expect(network.decidedBefore(3 * SECOND)).toBe(1 * SECOND)
  network.tick(3 * SECOND, tell)
  expect(network.decidedBefore(3 * SECOND)).toBe(2 * SECOND)
  expect(network.lostMicros()).toBe(2 * SECOND)
  network.add(networkContext({ timeMicros: 4 * SECOND, tunnel: 'up' }))
  network.tick(3.5 * SECOND, tell)
  expect(network.decidedBefore(3.5 * SECOND)).toBe(2 * SECOND)
  network.tick(5 * SECOND, tell)
  expect(network.decidedBefore(5 * SECOND)).toBe(5 * SECOND)
})

test('a tunnel that stays away too long, or until the end, was switched off', () => {
  const stories: NetworkStory[] = [{ timeMicros: 1, tunnel: 'up' }, { timeMicros: 2 }]
  const waiting = history(stories)
  waiting.network.tick(2 * SECOND + MAX_RECONNECT_MICROS, waiting.tell)
  expect(waiting.states()).toEqual(['up', 'lost'])
  waiting.network.tick(2 * SECOND + MAX_RECONNECT_MICROS + 1, waiting.tell)
  expect(waiting.states()).toEqual(['up', 'none'])
  expect(words(waiting.told).at(-1)).toEqual(['tunnel-stopped', 602])

  const ended = history(stories)
  ended.network.end(9 * SECOND, ended.tell)
  expect(ended.states()).toEqual(['up', 'none'])
  expect(words(ended.told)).toEqual([
    ['tunnel-lost', 2],
    ['tunnel-stopped', 9],
  ])
  expect(ended.network.epochs.every(({ isOpen }) => isOpen === undefined)).toBe(true)
})

test('offline the same contexts give the same states', () => {
  const stories: NetworkStory[] = [
    { timeMicros: 1, tunnel: 'up' },
    { timeMicros: 2 },
    { timeMicros: 2 + MAX_RECONNECT_MICROS / SECOND + 1, tunnel: 'up' },
  ]
  const { network, tell, states } = history(stories, false)
  expect(network.decidedBefore(3 * SECOND)).toBe(Number.NEGATIVE_INFINITY)
  network.tick(stories[2]!.timeMicros * SECOND, tell)
  expect(states()).toEqual(['up', 'none', 'up'])
})

describe('what counts as the tunnel', () => {
  test('one that public addresses do not take promises nothing', () => {
    const { network, states } = history([{ timeMicros: 1, tunnel: 'up', isFull: false }])
    expect(states()).toEqual(['none'])
    expect(network.hasTunnel).toBe(false)
    expect(network.isFullTunnel?.(SECOND, 4)).toBe(false)
  })

  test('routes that lead around it later take nothing back', () => {
    const { network, states } = history([
      { timeMicros: 1, tunnel: 'up' },
      { timeMicros: 2, tunnel: 'up', isFull: false },
    ])
    expect(states()).toEqual(['up', 'up'])
    expect(network.isFullTunnel?.(3 * SECOND, 4)).toBe(true)
    expect(network.isFullTunnel?.(3 * SECOND, 6)).toBe(false)
  })

  test('one that comes back counts when it carries again', () => {
    const { network } = history([
      { timeMicros: 1, tunnel: 'up' },
      { timeMicros: 2 },
      { timeMicros: 3, tunnel: 'up', isFull: false },
      { timeMicros: 4, tunnel: 'up' },
    ])
    expect([3.5, 4.5].map((second) => network.stateAt(second * SECOND))).toEqual(['lost', 'up'])
  })
})

test('another resolver is another epoch; a change that does not matter is none', () => {
  const { network } = history([
    { timeMicros: 1 },
    { timeMicros: 2, changes: ['link veth9 came'] },
    { timeMicros: 3, resolver: '198.51.100.53', changes: ['resolver 198.51.100.53 added'] },
  ])
  expect(network.epochs.map(({ reason }) => reason)).toEqual(['capture starts', 'resolver 198.51.100.53 added'])
})

describe('changes that come together', () => {
  test('resolver and routes soon after the tunnel are its epoch, which names them', () => {
    const { network } = history([
      { timeMicros: 1 },
      { timeMicros: 10, tunnel: 'up', changes: ['rule 200 added'] },
      { timeMicros: 10.3, tunnel: 'up', resolver: '10.64.0.1', changes: ['resolver 10.64.0.1 added'] },
      { timeMicros: 11, tunnel: 'up', resolver: '10.64.0.9', changes: ['resolver 10.64.0.9 added'] },
    ])
    expect(network.epochs.map(({ reason, details }) => [reason, details?.resolvers])).toEqual([
      ['capture starts', ['192.0.2.53']],
      ['rule 200 added; resolver 10.64.0.1 added', ['10.64.0.1']],
      ['resolver 10.64.0.9 added', ['10.64.0.9']],
    ])
  })

  test('the tunnel’s own times stay as they are: a first step just before it is no epoch, an earlier one is', () => {
    const at = (resolverAt: number) =>
      history([
        { timeMicros: 1 },
        { timeMicros: resolverAt, resolver: '10.64.0.1' },
        { timeMicros: 10, resolver: '10.64.0.1', tunnel: 'up' },
      ]).network.epochs.map(({ id, state, startMicros }) => [id, state, startMicros / SECOND])
    expect(at(9.95)).toEqual([
      [1, 'none', 1],
      [2, 'up', 10],
    ])
    expect(at(9.5)).toEqual([
      [1, 'none', 1],
      [2, 'none', 9.5],
      [3, 'up', 10],
    ])
  })

  test('what a tunnel promised counts from its moment, not from the epoch’s start', () => {
    const { network } = history([
      { timeMicros: 10, tunnel: 'up', isFull: false },
      { timeMicros: 10.5, tunnel: 'up' },
    ])
    expect([10.4, 10.6].map((second) => network.isFullTunnel?.(second * SECOND, 4))).toEqual([false, true])
  })
})

describe('another VPN server inside one tunnel', () => {
  /** A server that was talked to from one second to another, so far. */
  const stint = (server: string, from: number, to: number, packets = 20): EndpointSpan => ({
    server,
    transport: 'WireGuard',
    startMicros: from * SECOND,
    endMicros: to * SECOND,
    packets,
  })

  /** The tunnel is up from second 10 on; each step says what the packets have shown at that second. */
  function follow(steps: readonly (readonly [number, readonly EndpointSpan[]])[]) {
    const { network, tell } = history([{ timeMicros: 1 }, { timeMicros: 10, tunnel: 'up' }])
    let known: readonly EndpointSpan[] = []
    network.watchServers(() => known)
    const see = (second: number, spans: readonly EndpointSpan[]) => {
      known = spans
      network.tick(second * SECOND, tell)
      return network.decidedBefore(second * SECOND) / SECOND
    }
    const held = steps.map(([second, spans]) => see(second, spans))
    const epochs = () => network.epochs.map((one) => [one.id, one.startMicros / SECOND, one.endpoint?.server])
    return { network, tell, see, held, epochs }
  }

  test('begins an epoch where the new one was first spoken to, once the old one is silent', () => {
    const { epochs, held, network } = follow([
      [20, [stint('a', 10, 19.9)]],
      [20.4, [stint('a', 10, 20), stint('b', 20.1, 20.4)]],
      [21.2, [stint('a', 10, 20), stint('b', 20.1, 21.2)]],
    ])
    expect(epochs()).toEqual([
      [1, 1, undefined],
      [2, 10, 'a'],
      [3, 20.1, 'b'],
    ])
    // Meanwhile nothing is judged that belongs to the one or the other.
    expect(held).toEqual([20, 20.1, 21.2])
    expect(network.epochs[2]).toMatchObject({ reason: 'VPN server changes from a to b', isOpen: true, state: 'up' })
    expect(network.epochs[1]).toMatchObject({ endMicros: 20.1 * SECOND })
    expect(network.epochs[1]!.isOpen).toBeUndefined()
  })

  test.each([
    ['both go on', [stint('a', 10, 30), stint('b', 20, 30)]],
    ['only a handshake and keepalives', [stint('a', 10, 20), stint('b', 20.1, 29, 7)]],
    ['the old one has the last word', [stint('a', 10, 21), stint('b', 20.1, 20.9)]],
  ])('is none when %s; judging goes on soon', (_, spans) => {
    const { epochs, held } = follow([
      [21, spans],
      [30, spans],
    ])
    expect(epochs()).toHaveLength(2)
    expect(held[1]).toBe(30)
  })

  test('back at the first one is an epoch of its own', () => {
    const spans = [stint('a', 10, 20), stint('b', 20.1, 30), stint('a', 30.1, 40)]
    const { epochs } = follow([
      [28, spans.slice(0, 2)],
      [40, spans],
    ])
    expect(epochs().slice(1)).toEqual([
      [2, 10, 'a'],
      [3, 20.1, 'b'],
      [4, 30.1, 'a'],
    ])
  })

  test('is known when the network changes before the old one was silent for long', () => {
    const { network, epochs } = follow([[20.4, [stint('a', 10, 20), stint('b', 20.1, 20.4)]]])
    network.add(networkContext({ timeMicros: 20.5 * SECOND }))
    expect(epochs().map(([id, start]) => [id, start])).toEqual([
      [1, 1],
      [2, 10],
      [3, 20.1],
      [4, 20.5],
    ])
    expect(network.epochs.map(({ state }) => state)).toEqual(['none', 'up', 'up', 'lost'])
  })

  test('a resolver that changes with it is the same epoch, in whatever order they come', () => {
    const resolver = { tunnel: 'up', resolver: '10.99.0.1', changes: ['resolver 10.99.0.1 added'] } as const
    const spans = [stint('a', 10, 20), stint('b', 20.1, 25)]
    const after = follow([[22, spans]])
    after.network.add(networkContext({ timeMicros: 20.6 * SECOND, ...resolver }))
    expect(after.network.epochs.at(-1)).toMatchObject({
      id: 3,
      startMicros: 20.1 * SECOND,
      reason: 'VPN server changes from a to b; resolver 10.99.0.1 added',
      details: { resolvers: ['10.99.0.1'] },
    })
    const before = follow([[19.8, [stint('a', 10, 19.8)]]])
    before.network.add(networkContext({ timeMicros: 19.9 * SECOND, ...resolver }))
    before.see(25, spans)
    expect(before.epochs().slice(1)).toEqual([
      [2, 10, 'a'],
      [3, 19.9, 'b'],
    ])
  })

  test('offline, with all contexts before the first packet, the epochs are the same', () => {
    const spans = [stint('a', 10, 20), stint('b', 20.1, 30)]
    const live = follow([
      [15, spans.slice(0, 1)],
      [30, spans],
    ])
    live.network.add(networkContext({ timeMicros: 31 * SECOND }))
    live.network.end(35 * SECOND, live.tell)
    const { network, tell } = history([{ timeMicros: 1 }, { timeMicros: 10, tunnel: 'up' }, { timeMicros: 31 }], false)
    network.watchServers(() => spans)
    network.end(35 * SECOND, tell)
    expect(network.epochs).toEqual(live.network.epochs)
    expect(network.epochs.map(({ id }) => id)).toEqual([1, 2, 3, 4])
  })
})

test('an interface that is up and not captured is told once', () => {
  const { network, told, tell } = history([
    { timeMicros: 1, watched: ['wg0'] },
    { timeMicros: 2, watched: ['wg0'], tunnel: 'up' },
  ])
  network.tick(3 * SECOND, tell)
  expect(told.filter(({ kind }) => kind === 'unwatched')).toEqual([
    { kind: 'unwatched', timeMicros: SECOND, interfaceName: 'eth0', role: 'physical' },
  ])
  expect(network.interfacesUp().map(({ name, isWatched }) => [name, isWatched])).toEqual([
    ['eth0', false],
    ['wg0', true],
  ])
})

test('epochs are bounded; ids go on', () => {
  const network = createNetworkHistory(true)
  for (let n = 0; n < MAX_EPOCHS + 50; n++) {
    network.add(networkContext({ timeMicros: n * SECOND, ...(n % 2 === 0 ? {} : { tunnel: 'up' }) }))
    network.tick(n * SECOND, () => {})
  }
  expect(network.epochs.length).toBe(MAX_EPOCHS)
  expect(network.epochs.at(-1)?.id).toBe(MAX_EPOCHS + 50)
})

test('what the system does not tell is not known: gaps are handed on, an MTU of 0 is none', () => {
  const network = createNetworkHistory(true)
  const context = networkContext({ timeMicros: SECOND, tunnel: 'up' })
  network.add({
    ...context,
    gaps: ['The routes could not be read.'],
    interfaces: context.interfaces.map((one) => ({ ...one, link: { ...one.link, mtu: 0 } })),
  })
  expect(network.gaps()).toEqual(['The routes could not be read.'])
  expect(network.mtu('wg0')).toBeUndefined()
  expect(network.epochs[0]!.details!.tunnelMtu).toBeUndefined()
})
