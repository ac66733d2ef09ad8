// The words and figures of store-paused; that it is raised and told is tested with a full disk in store-queue.test.ts.
import { storePaused, storeResumed } from '../../../src/daemon/service-findings/store-paused.ts'

const begin = '2026-01-02T03:04:05.000000Z'
const pause = { time: begin, epoch: 3, path: '/var/lib/x/store.db', reason: 'the disk is full', code: 'SQLITE_FULL' }

test('a pause says which store and why, and is one finding from its begin to its end', () => {
  const paused = storePaused(pause)
  expect(paused).toMatchObject({
    id: 'store-paused',
    severity: 'warning',
    epoch: 3,
    count: 1,
    summary: 'The store /var/lib/x/store.db could not be written (the disk is full); findings waited in memory.',
    data: { path: '/var/lib/x/store.db', code: 'SQLITE_FULL' },
  })
  const resumed = storeResumed(paused, '2026-01-02T03:04:17.250000Z', 4)
  expect([resumed.id, resumed.key, resumed.epoch]).toEqual([paused.id, paused.key, paused.epoch])
  expect(resumed).toMatchObject({ time: begin, data: { pausedMs: 12_250, lostRecords: 4 } })
})
