import { spawnSync } from 'node:child_process'
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { openEventLog } from '../../src/daemon/event-log.ts'
import { createStoreQueue, type StoreQueueOptions } from '../../src/daemon/store-queue.ts'
import { StoreFailure } from '../../src/daemon/store-thread.ts'
import {
  type DnsRecord,
  findingRecord,
  LATENCY_BUCKETS,
  type StoredPlace,
  type StoreRecord,
  siteRecord,
} from '../../src/store/records.ts'
import { makeEpoch, makeFinding, makeSite } from '../support/findings.ts'
import { type RunningService, runService as start } from '../support/running-service.ts'

/** Whatever a test leaves running is stopped. */
const started: RunningService[] = []
afterEach(async () => {
  for (const running of started.splice(0)) await running.stop()
})

async function runService(...args: Parameters<typeof start>): Promise<RunningService> {
  const running = await start(...args)
  started.push(running)
  return running
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

async function until(condition: () => boolean, what: string): Promise<void> {
  const end = Date.now() + 10_000
  while (!condition()) {
    if (Date.now() > end) throw new Error(`not in time: ${what}`)
    await sleep(5)
  }
}

const record = (key: string, count = 1) => findingRecord(makeFinding({ key, count }))
const rollup: DnsRecord = {
  kind: 'dns',
  epoch: 1,
  server: '10.64.0.1',
  port: 53,
  transport: 'udp',
  interface: 'wg0',
  side: 'tunnel',
  name: 'a.example',
  type: 1,
  queries: 1,
  answered: 1,
  failed: 0,
  firstMicros: 1,
  lastMicros: 1,
  latency: new Array(LATENCY_BUCKETS).fill(0),
  latencyMicros: 0,
}

/** A queue whose store is a list, and can be told to fail. */
function makeQueue(changes: Partial<StoreQueueOptions> = {}) {
  const batches: StoreRecord[][] = []
  const stored: [string, number][] = []
  const told: string[] = []
  const store = { failWith: undefined as string | undefined, seq: 0 }
  const queue = createStoreQueue({
    async write(records) {
      await sleep(1)
      if (store.failWith !== undefined) throw new StoreFailure(store.failWith, 'no')
      batches.push(records)
      return records.map((one): StoredPlace => ({ seq: one.kind === 'finding' ? ++store.seq : 0, number: 1 }))
    },
    onStored(records, places) {
      records.forEach((one, index) => {
        if (one.kind === 'finding') stored.push([`${one.key} ${one.count}`, places[index]!.seq])
      })
    },
    onPaused: (code) => told.push(`paused ${code}`),
    onResumed: () => told.push('resumed'),
    retryMs: 10,
    ...changes,
  })
  return { queue, batches, stored, told, store }
}

describe('the queue', () => {
  test('what arrives together is one batch, in order, at most 1,000 records', async () => {
    const { queue, batches, stored } = makeQueue()
    for (let index = 0; index < 2500; index++) queue.push(record(`${index}`))
    expect(await queue.drain(5000)).toBe(true)
    expect(batches.map((batch) => batch.length)).toEqual([1000, 1000, 500])
    expect(stored.map(([key]) => key)).toEqual(Array.from({ length: 2500 }, (_, index) => `${index} 1`))
  })

  test('a newer state of a finding takes the place of the one still waiting', async () => {
    const { queue, stored } = makeQueue()
    queue.push(record('a', 1))
    queue.push(record('b', 1))
    queue.push(record('a', 2))
    await queue.drain(5000)
    expect(stored.map(([key]) => key)).toEqual(['a 2', 'b 1'])
    expect(queue.state()).toEqual({ waiting: 0, lost: 0, folded: 1, paused: false })
  })

  test('rollups of the same thing are added up while they wait', async () => {
    const { queue, batches } = makeQueue()
    const latency = rollup.latency.map((_, bucket) => (bucket === 2 ? 5 : 0))
    queue.push({
      ...rollup,
      queries: 3,
      answered: 2,
      failed: 1,
      firstMicros: 9,
      lastMicros: 20,
      latency,
      latencyMicros: 7,
    })
    queue.push({ ...rollup, queries: 4, firstMicros: 5, lastMicros: 12, latency, latencyMicros: 1 })
    queue.push({ ...rollup, name: 'b.example' })
    queue.push({ ...rollup, side: 'outside' })
    const minute = {
      kind: 'statistics',
      minuteMicros: 60,
      interface: 'eth0',
      packets: 2,
      bytes: 100,
      dropped: 1,
    } as const
    queue.push(minute)
    queue.push({ ...minute, packets: 3 })
    queue.push({ ...minute, minuteMicros: 120 })
    await queue.drain(5000)
    expect(batches.flat()).toEqual([
      {
        ...rollup,
        queries: 7,
        answered: 3,
        failed: 1,
        firstMicros: 5,
        lastMicros: 20,
        latency: latency.map((count) => count * 2),
        latencyMicros: 8,
      },
      { ...rollup, name: 'b.example' },
      { ...rollup, side: 'outside' },
      { ...minute, packets: 5, bytes: 200, dropped: 2 },
      { ...minute, minuteMicros: 120 },
    ])
    expect(queue.state()).toMatchObject({ lost: 0, folded: 2 })
  })

  test('a newer state of a site takes the place of the one still waiting, and having no number is no loss', async () => {
    const { queue, batches } = makeQueue()
    queue.push(siteRecord(makeSite({ visits: 1 })))
    queue.push(siteRecord(makeSite({ visits: 1, epoch: 2 })))
    queue.push(siteRecord(makeSite({ visits: 2 })))
    await queue.drain(5000)
    expect(batches.flat().map((one) => one.kind === 'site' && [one.epoch, JSON.parse(one.body).visits])).toEqual([
      [1, 2],
      [2, 1],
    ])
    expect(queue.state()).toMatchObject({ lost: 0, folded: 1 })
  })

  test('full: new findings are refused and counted, known ones still fold, rollups leave room', async () => {
    const { queue, store } = makeQueue({ capacity: 10 })
    store.failWith = 'SQLITE_FULL'
    for (let index = 0; index < 8; index++) queue.push({ ...rollup, name: `n${index}.example` })
    for (let index = 0; index < 8; index++) queue.push(record(`${index}`))
    expect(queue.state()).toMatchObject({ waiting: 10, lost: 6 })
    queue.push(record('0', 2))
    expect(queue.state()).toMatchObject({ waiting: 10, lost: 6, folded: 1 })
    queue.push(record('ours'), true)
    expect(queue.state().waiting).toBe(11)
    store.failWith = undefined
    expect(await queue.drain(5000)).toBe(true)
  })

  test('a store that cannot write is told once, and goes on with the same records by itself', async () => {
    const { queue, stored, told, store } = makeQueue()
    store.failWith = 'SQLITE_FULL'
    queue.push(record('a'))
    await until(() => queue.state().paused, 'pause')
    await sleep(50)
    expect(queue.state()).toMatchObject({ waiting: 1, paused: true, reason: 'no (SQLITE_FULL)' })
    expect(await queue.drain(20)).toBe(false)
    queue.push(record('b'))
    store.failWith = undefined
    expect(await queue.drain(5000)).toBe(true)
    expect(stored.map(([key]) => key)).toEqual(['a 1', 'b 1'])
    expect(told).toEqual(['paused SQLITE_FULL', 'resumed'])
    expect(queue.state().paused).toBe(false)
  })
})

test('a dead thread ends the writing; what waits is bounded and the end is told', async () => {
  const { queue } = makeQueue({
    capacity: 3,
    write: async () => {
      throw new Error('the thread is gone')
    },
  })
  for (let index = 0; index < 5; index++) queue.push(record(`${index}`))
  await until(() => queue.state().paused, 'the end')
  queue.push(record('later'))
  expect(queue.state()).toMatchObject({ waiting: 4, lost: 2, reason: 'the thread is gone' })
  expect(await queue.drain(20)).toBe(false)
})

describe('the service and its store', () => {
  test('a store that is damaged in use is set aside; what waited is in the new one', async () => {
    const running = await runService()
    for (let index = 0; index < 500; index++) running.service.publish(makeFinding({ key: `${index}` }))
    await until(() => running.service.state.store().waiting === 0, 'stored')
    // What a failing disk does: pages of the open database change. A write by another program makes the writer look again.
    const other = new Database(running.storePath)
    other.exec("UPDATE meta SET value = value WHERE name = 'last_seq'")
    other.pragma('wal_checkpoint(TRUNCATE)')
    other.close()
    const file = openSync(running.storePath, 'r+')
    writeSync(file, Buffer.alloc(statSync(running.storePath).size - 4096, 0x5a), 0, undefined, 4096)
    closeSync(file)
    for (let index = 0; index < 20; index++) {
      running.service.publish(makeFinding({ key: `after ${index}` }))
      await sleep(5)
    }
    await until(() => running.told.length > 0, 'told')
    expect(running.told[0]).toMatch(/was moved to .*set-aside.*damaged/)
    running.service.publish(makeFinding({ key: 'last' }))
    await until(() => running.service.state.store().waiting === 0, 'stored')
    const keys = running.service.state
      .reader()
      .findings({ limit: 1000 })
      .map((row) => JSON.parse(row.body).key)
    expect(keys).toContain('last')
    await running.stop()
  })

  test('a full disk: writes pause, store-paused is raised, clients hear of it, everything goes on by itself', async () => {
    const disk = mkdtempSync(join(tmpdir(), 'tunnelscope-disk-'))
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tunnelscope-test', disk])
    if (mounted.status !== 0) {
      console.log('did not run: mounting a small disk needs root')
      rmSync(disk, { recursive: true })
      return
    }
    try {
      const running = await runService({ storePath: join(disk, 'data', 'store.db') })
      const big = 'x'.repeat(2000)
      for (let index = 0; index < 3000; index++) {
        running.service.publish(makeFinding({ key: `${index}`, summary: big }))
        if (index % 100 === 0) await sleep(2)
      }
      await until(() => running.service.state.store().paused, 'paused')
      expect(running.told[0]).toMatch(/cannot be written \(the disk is full\)/)
      const { lost, waiting } = running.service.state.store()
      expect([lost, waiting > 0]).toEqual([0, true])
      expect(running.service.state.reader().findings({ limit: 1 })).toHaveLength(1)

      expect(spawnSync('mount', ['-o', 'remount,size=60m', disk]).status).toBe(0)
      await until(() => running.service.state.store().waiting === 0, 'everything stored')
      const reader = running.service.state.reader()
      expect(reader.countFindings({ ids: ['dns-leak'] })).toBe(3000)
      const [paused] = reader.findings({ ids: ['store-paused'], limit: 10 }).map((row) => JSON.parse(row.body))
      expect(paused).toMatchObject({ severity: 'warning', data: { code: 'SQLITE_FULL', lostRecords: 0 } })
      expect(running.told.at(-1)).toMatch(/written again/)
      await running.stop()
    } finally {
      spawnSync('umount', [disk])
      rmSync(disk, { recursive: true })
    }
  })

  test('a foreign file in the store’s place is kept, and the operator is told', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tunnelscope-foreign-'))
    mkdirSync(join(folder, 'data'))
    writeFileSync(join(folder, 'data', 'store.db'), 'my thesis\n'.repeat(100))
    const running = await runService({}, folder)
    expect(running.told[0]).toMatch(/was moved to (\S+), because it is not an SQLite database/)
    const moved = /moved to (\S+),/.exec(running.told[0]!)![1]!
    expect(readFileSync(moved, 'utf8')).toBe('my thesis\n'.repeat(100))
    await running.stop()
  })

  test('findings of a second run are of its own epochs', async () => {
    const first = await runService()
    first.service.publishEpoch(makeEpoch())
    first.service.publish(makeFinding())
    await first.stop(true)
    const second = await runService({}, first.folder)
    second.service.publish(makeFinding())
    await until(() => second.service.state.reader().countFindings({}) === 2, 'two findings')
    const epochs = second.service.state
      .reader()
      .findings({ limit: 9 })
      .map((row) => JSON.parse(row.body).epoch)
    expect(epochs).toEqual([1, 2])
    await second.stop()
  })
})

describe('the event log', () => {
  const lines = (path: string) => readFileSync(path, 'utf8').trimEnd().split('\n')

  test('one EVE line a stored finding, 0600; after a rotation the new file goes on', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tunnelscope-eve-'))
    const path = join(folder, 'eve.json')
    const eventLog = await openEventLog(path, () => {})
    const running = await runService({ eventLog })
    running.service.publish(makeFinding({ summary: 'a\nb\u001b[2J\u202e' }))
    await until(() => statSync(path).size > 0, 'a line')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readFileSync(path, 'utf8')).toMatch(/^[\x20-\x7e]+\n$/)
    expect(JSON.parse(lines(path)[0]!)).toMatchObject({
      timestamp: '2026-01-02T03:04:05.000000+0000',
      event_type: 'finding',
      in_iface: 'eth0',
      finding: { id: 'dns-leak', summary: 'a\nb\u001b[2J\u202e' },
    })
    renameSync(path, `${path}.1`)
    eventLog.reopen()
    running.service.publish(makeFinding({ key: 'after' }))
    await running.stop()
    expect([lines(`${path}.1`).length, lines(path).length]).toEqual([1, 1])
    rmSync(folder, { recursive: true })
  })

  test('a log that cannot be written is the operator’s to mend; one that breaks later counts what it lost', async () => {
    await expect(openEventLog('/nonexistent/eve.json', () => {})).rejects.toMatchObject({ code: 'event-log-unusable' })
    const told: string[] = []
    const full = await openEventLog('/dev/full', (message) => told.push(message))
    full.write('{}')
    await until(() => full.lost() > 0, 'a lost line')
    full.write('{}')
    await until(() => full.lost() > 1, 'another')
    expect(told).toHaveLength(1)
    expect(told[0]).toMatch(/no space/i)
    await full.close()
  })
})
