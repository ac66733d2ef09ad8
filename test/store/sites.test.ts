// Site observations in the store: one row for each site and epoch, read page by page, forgotten like everything else.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type Database from 'better-sqlite3'
import type { SiteObservation } from '../../src/model/site.ts'
import { openStore } from '../../src/store/database.ts'
import { openReader } from '../../src/store/reader.ts'
import { epochRecord, siteRecord } from '../../src/store/records.ts'
import { retainStep, usedBytes } from '../../src/store/retention.ts'
import { createWriter } from '../../src/store/writer.ts'
import { utcTime } from '../../src/text/timestamp.ts'
import { makeEpoch, makeSite, START_MICROS } from '../support/findings.ts'

const DAY = 86_400_000_000
let folder: string
let path: string
let db: Database.Database

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tunnelscope-sites-'))
  path = join(folder, 'store.db')
  db = openStore(path, 0).db
})
afterEach(() => {
  if (db.open) db.close()
  rmSync(folder, { recursive: true })
})

function write(...sites: SiteObservation[]): void {
  createWriter(db).write(sites.map(siteRecord))
}

function read(query: Omit<Parameters<ReturnType<typeof openReader>['sites']>[0], 'limit'> = {}, limit = 100): string[] {
  const reader = openReader(path)
  const sites = reader.sites({ ...query, limit }).map((body) => JSON.parse(body) as SiteObservation)
  reader.close()
  return sites.map((one) => `${one.epoch} ${one.host} ${one.visits}`)
}

test('the same site in the same epoch is one row, as it was said last; it takes no number of the stream', () => {
  const writer = createWriter(db)
  const before = writer.lastSeq()
  const places = writer.write([makeSite(), makeSite({ visits: 3 }), makeSite({ epoch: 2 })].map(siteRecord))
  expect(places.map((one) => one.seq)).toEqual([0, 0, 0])
  expect(writer.lastSeq()).toBe(before)
  expect(read()).toEqual(['1 www.example.com 3', '2 www.example.com 1'])
})

test('by epoch, by site with what lies below it, and page by page', () => {
  write(
    makeSite({ host: 'a.example.com' }),
    makeSite({ host: 'example.com' }),
    makeSite({ host: 'notexample.com' }),
    makeSite({ host: 'a.example.com', epoch: 2 }),
  )
  expect(read({ epoch: 2 })).toEqual(['2 a.example.com 1'])
  expect(read({ site: 'example.com' })).toEqual(['1 a.example.com 1', '1 example.com 1', '2 a.example.com 1'])
  expect(read({}, 2)).toEqual(['1 a.example.com 1', '1 example.com 1'])
  expect(read({ after: { epoch: 1, host: 'example.com' } }, 2)).toEqual(['1 notexample.com 1', '2 a.example.com 1'])
})

test('a host is bound, never SQL', () => {
  const host = "x' OR 1=1 --"
  write(makeSite({ host }), makeSite({ host: 'www.example.com' }))
  expect(read({ site: host })).toEqual([`1 ${host} 1`])
})

test('an epoch that a killed process left open ends with the last thing known of its sites', () => {
  createWriter(db).write([epochRecord(makeEpoch()), siteRecord(makeSite({ last: utcTime(START_MICROS + 5_000_000) }))])
  createWriter(db)
  const reader = openReader(path)
  expect(reader.epochs(1).map((body) => JSON.parse(body).end)).toEqual([utcTime(START_MICROS + 5_000_000)])
  reader.close()
})

test('forgotten by age; their epoch stays as long as one of them', () => {
  const ended = makeEpoch({ start: utcTime(START_MICROS - 10 * DAY), end: utcTime(START_MICROS - 9 * DAY) })
  createWriter(db).write([epochRecord(ended)])
  write(makeSite({ host: 'old.example', last: ended.end! }), makeSite({ host: 'kept.example' }))
  const limits = { maxAgeMicros: 7 * DAY, maxBytes: 1e12 }
  while (!retainStep(db, limits, START_MICROS));
  expect(read()).toEqual(['1 kept.example 1'])
  expect(db.prepare('SELECT count(*) FROM epochs').pluck().get()).toBe(1)
  while (!retainStep(db, limits, START_MICROS + 8 * DAY));
  expect(read()).toEqual([])
  expect(db.prepare('SELECT count(*) FROM epochs').pluck().get()).toBe(0)
})

test('forgotten by size where they alone fill the store, the oldest first', () => {
  const sites = Array.from({ length: 4000 }, (_, index) =>
    makeSite({ host: `n${index}.example`, last: utcTime(START_MICROS + index) }),
  )
  write(...sites)
  const maxBytes = usedBytes(db) / 2
  while (!retainStep(db, { maxAgeMicros: 1000 * DAY, maxBytes }, START_MICROS));
  expect(usedBytes(db)).toBeLessThanOrEqual(maxBytes)
  const oldest = db.prepare('SELECT min(last_micros) FROM sites').pluck().get() as number
  expect(oldest).toBeGreaterThan(START_MICROS)
  expect(db.prepare('SELECT count(*) FROM sites WHERE last_micros >= ?').pluck().get(oldest)).toBe(
    START_MICROS + 4000 - oldest,
  )
})
