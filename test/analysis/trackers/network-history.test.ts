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
  expect(network.lostMicros).toBe(2 * SECOND)
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
