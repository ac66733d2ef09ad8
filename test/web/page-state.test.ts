// What the page knows after what it was told: leaked questions of this run, the present epoch, a connection that came back.
import type { HelloMessage, ServerMessage } from '../../src/api/messages.ts'
import { createPageState } from '../../src/web/page-state.ts'
import { toldEpoch, toldFinding, toldStats, toldVerdict } from './told.ts'

const NOW = Date.UTC(2026, 0, 2, 4)

function hello(changes: Partial<HelloMessage> = {}): HelloMessage {
  return {
    type: 'hello',
    seq: 100,
    schema: 2,
    version: '1.2.3',
    store: 'a',
    started: '2026-01-02T03:04:05.000000Z',
    epoch: null,
    verdict: toldVerdict(),
    stats: null,
    missed: 0,
    firstEpoch: 1,
    ...changes,
  }
}

const verdict = (outside: number, dns: 'ok' | 'mixed' = 'mixed'): ServerMessage => ({
  type: 'verdict',
  seq: 1,
  verdict: toldVerdict({ questionsOutside: outside }, dns),
})
const epoch = (id: number, leaked: number): ServerMessage => ({ type: 'epoch', seq: 1, epoch: toldEpoch(id, leaked) })
const stats = (changes = {}): ServerMessage => ({
  type: 'stats',
  seq: 1,
  stats: toldStats(changes),
  store: { paused: false, waiting: 0, lost: 0 },
})

/** A page that was told these epochs and then got the hello. */
function page(epochs: readonly [id: number, leaked: number][], firstEpoch = 1) {
  const keeper = createPageState()
  keeper.load(
    [],
    epochs.map(([id, leaked]) => toldEpoch(id, leaked)),
  )
  keeper.connected(hello({ firstEpoch }), false, NOW)
  return keeper
}

describe('leaked questions', () => {
  test('are those of the epochs of this verdict', () => {
    const keeper = page(
      [
        [1, 50],
        [2, 2],
        [3, 4],
      ],
      2,
    )
    keeper.message(verdict(9), NOW)
    expect(keeper.state.leaked()).toBe(6)
    keeper.message(epoch(2, 5), NOW)
    expect(keeper.state.leaked()).toBe(9)
    expect(keeper.state.epoch()?.id).toBe(3)
  })

  test('are not known when the first epochs of the verdict are not', () => {
    const keeper = page([[7, 3]], 2)
    keeper.message(verdict(9), NOW)
    expect(keeper.state.leaked()).toBeUndefined()
  })

  test('are not known while epochs and verdict contradict each other', () => {
    const keeper = page([[1, 3]])
    keeper.message(verdict(2), NOW)
    expect(keeper.state.leaked()).toBeUndefined()
    keeper.message(verdict(3), NOW)
    expect(keeper.state.leaked()).toBe(3)
    keeper.message(verdict(3, 'ok'), NOW)
    expect(keeper.state.leaked()).toBeUndefined()
    keeper.message(epoch(1, 0), NOW)
    expect(keeper.state.leaked()).toBe(0)
    keeper.message(verdict(3), NOW)
    expect(keeper.state.leaked()).toBeUndefined()
  })

  test('are summed over more epochs than are held', () => {
    const keeper = page([])
    keeper.message(verdict(5000), NOW)
    for (let id = 1; id <= 1200; id++) keeper.message(epoch(id, 2), NOW)
    expect(keeper.state.epochs()).toHaveLength(500)
    expect(keeper.state.leaked()).toBe(2400)
  })

  test('begin anew with another run, and when the clock was set', () => {
    const keeper = page([[1, 3]])
    keeper.lost(NOW)
    keeper.connected(hello({ firstEpoch: 2, started: '2026-01-02T05:00:00.000000Z' }), true, NOW)
    keeper.message(verdict(1), NOW)
    keeper.message(epoch(2, 1), NOW)
    expect(keeper.state.leaked()).toBe(1)
    keeper.status({ version: '1', started: '', firstEpoch: 3, findings: 8 })
    keeper.message(epoch(3, 0), NOW)
    keeper.message(verdict(0, 'ok'), NOW)
    expect(keeper.state.leaked()).toBe(0)
    expect(keeper.state.storedFindings).toBe(8)
  })
})

test('an epoch told late takes its place, the present one stays', () => {
  const keeper = page([
    [1, 0],
    [4, 0],
  ])
  keeper.message(epoch(2, 0), NOW)
  expect(keeper.state.epochs().map(({ id }) => id)).toEqual([1, 2, 4])
  expect(keeper.state.epoch()?.id).toBe(4)
})

test('a new finding is given back, one that was counted again is not', () => {
  const keeper = page([])
  const message = (seq: number, count: number): ServerMessage => ({
    type: 'finding',
    seq,
    number: 1,
    finding: toldFinding({ count }),
  })
  expect(keeper.message(message(101, 1), NOW)?.count).toBe(1)
  expect(keeper.message(message(102, 2), NOW)).toBeUndefined()
  expect(keeper.message(message(101, 1), NOW)).toBeUndefined()
  expect(keeper.state.findings.size).toBe(1)
})

describe('a connection that is back', () => {
  test('says how long it was gone and what came meanwhile', () => {
    const keeper = page([])
    keeper.lost(NOW)
    expect(keeper.state.connection).toBe('lost')
    keeper.connected(hello({ missed: 2 }), true, NOW + 65_000)
    expect(keeper.state.connection).toBe('live')
    expect(keeper.state.notice.text).toBe('Connected again after 1 min 5 s; 2 findings from meanwhile.')
  })

  test('says that nothing was captured when the daemon was gone', () => {
    const keeper = page([])
    keeper.lost(NOW)
    keeper.connected(hello({ missed: 1, started: '2026-01-02T03:59:00.000000Z' }), true, NOW + 3000)
    expect(keeper.state.notice.text).toMatch(
      /^The daemon is back after 3\.00 s \(started \d\d:\d\d:00\); 1 finding from meanwhile\. Nothing was captured while it was gone\.$/,
    )
  })

  test('says what retention took', () => {
    const keeper = page([])
    keeper.message({ type: 'gap', seq: 1, from: 1, to: 2, count: null, reason: 'retention' }, NOW)
    expect(keeper.state.notice).toEqual({ text: 'Some findings of the time away are no longer kept.', atMillis: NOW })
  })

  test('does not draw all that happened meanwhile into one second', () => {
    const keeper = page([])
    const totals = (questionsInTunnel: number) => toldVerdict({ questionsInTunnel })
    const second = (at: number) => keeper.message(stats({ time: new Date(NOW + at * 1000).toISOString() }), NOW)
    second(1)
    keeper.message({ type: 'verdict', seq: 2, verdict: totals(43) }, NOW)
    second(2)
    keeper.lost(NOW)
    keeper.connected(hello({ verdict: totals(900) }), true, NOW + 60_000)
    second(60)
    expect(keeper.state.samples.all().map(({ inside }) => inside)).toEqual([0, 3, 0])
  })
})
