// The findings a page holds: each once, newest activity first, bounded, filtered.

import { createFindingList, MAX_HELD, SEVERITIES, titleOf } from '../../src/web/finding-list.ts'
import { FINDING_TITLES } from '../../src/web/finding-titles.ts'
import { META } from '../support/finding-meta.ts'
import { toldFinding } from './told.ts'

const ALL = { severities: new Set(SEVERITIES), id: '', words: [] }
const find = (list: ReturnType<typeof createFindingList>, changes: object = {}) =>
  list.matching({ ...ALL, ...changes }).map(({ finding }) => finding.key)

test('each finding has the title of its detector', () => {
  expect(FINDING_TITLES).toEqual(META)
  expect([titleOf('dns-leak'), titleOf('of-a-later-version'), titleOf('constructor')]).toEqual([
    'DNS outside the tunnel',
    'of-a-later-version',
    'constructor',
  ])
})

test('the same finding is one, as it stands last, whatever order it is told in', () => {
  const list = createFindingList()
  expect(list.add(5, 1, toldFinding({ key: 'a', count: 2 }))).toBe(true)
  expect(list.add(6, 2, toldFinding({ key: 'b' }))).toBe(true)
  expect(list.add(9, 1, toldFinding({ key: 'a', count: 7 }))).toBe(false)
  expect(list.add(5, 1, toldFinding({ key: 'a', count: 2 }))).toBe(false)
  expect(list.matching(ALL).map(({ finding }) => [finding.key, finding.count])).toEqual([
    ['a', 7],
    ['b', 1],
  ])
  expect(list.add(10, 3, toldFinding({ key: 'a', epoch: 2 }))).toBe(true)
  expect(list.size).toBe(3)
})

test('a finding that became graver is held once', () => {
  const list = createFindingList()
  list.add(1, 1, toldFinding({ severity: 'info' }))
  list.add(2, 1, toldFinding({ severity: 'critical' }))
  expect(list.size).toBe(1)
  expect(list.counts(1)).toEqual({ critical: 1, warning: 0, info: 0 })
})

test('a flood of small things pushes out no great one; what is let go is the oldest, and counted', () => {
  const list = createFindingList(10)
  list.add(1, 1, toldFinding({ key: 'grave' }))
  // As the page loads them: newest first.
  for (let seq = 120; seq > 100; seq--) list.add(seq, seq, toldFinding({ key: `n${seq}`, severity: 'info' }))
  for (let seq = 200; seq < 1000; seq++) list.add(seq, seq, toldFinding({ key: `n${seq}`, severity: 'info' }))
  expect([list.size, list.forgotten]).toEqual([11, 810])
  expect(find(list).slice(0, 2)).toEqual(['n999', 'n998'])
  expect(find(list).at(-1)).toBe('grave')
  expect(MAX_HELD).toBeLessThanOrEqual(500)
})

test('filters: severity, id, and every word somewhere in it', () => {
  const list = createFindingList()
  list.add(1, 1, toldFinding({ key: 'a', summary: 'Names left, e.g. Bank.example.com' }))
  list.add(2, 2, toldFinding({ key: 'b', id: 'tls-reset', severity: 'warning', interface: 'wg0' }))
  list.add(
    3,
    3,
    toldFinding({ key: 'c', severity: 'info', process: { pid: 7, name: 'firefox' }, data: { names: ['x.test'] } }),
  )
  expect(find(list, { severities: new Set(['critical', 'info']) })).toEqual(['c', 'a'])
  expect(find(list, { id: 'tls-reset' })).toEqual(['b'])
  expect(find(list, { words: ['bank', 'left'] })).toEqual(['a'])
  expect(find(list, { words: ['bank', 'right'] })).toEqual([])
  expect(find(list, { words: ['wg0'] })).toEqual(['b'])
  expect(find(list, { words: ['firefox[7]'] })).toEqual(['c'])
  expect(find(list, { words: ['x.test'] })).toEqual(['c'])
  expect(find(list, { words: ['handshake'] })).toEqual(['b'])
  expect(list.ids()).toEqual([
    ['dns-leak', 2],
    ['tls-reset', 1],
  ])
})

test('counts are of this run', () => {
  const list = createFindingList()
  list.add(1, 1, toldFinding({ epoch: 3 }))
  list.add(2, 2, toldFinding({ epoch: 4 }))
  expect(list.counts(4).critical).toBe(1)
})
