// Every store that a released version may have left opens in this one with nothing lost.
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { openStore } from '../../src/store/database.ts'
import { MIGRATIONS, migrate, STORE_VERSION, storeVersion } from '../../src/store/migrations.ts'
import { openReader } from '../../src/store/reader.ts'
import { findingRecord, siteRecord } from '../../src/store/records.ts'
import { createWriter } from '../../src/store/writer.ts'
import { makeFinding, makeSite } from '../support/findings.ts'
import { makeStore } from './fixtures/version-1.make.ts'

const FIXTURE = join(import.meta.dirname, 'fixtures/version-1.db')
let folder: string

beforeAll(() => {
  if (process.env.MAKE_STORES === '1' && !existsSync(FIXTURE)) makeStore(FIXTURE)
})
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tunnelscope-migrate-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** Names of all tables and indexes with their SQL. */
function shapeOf(db: Database.Database): unknown[] {
  return db.prepare("SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name").all()
}

function contentOf(path: string): unknown[] {
  const db = new Database(path, { readonly: true })
  const tables = ['meta', 'epochs', 'findings', 'verdict', 'resolvers', 'dns_exchanges', 'capture_statistics']
  const rows = tables.map((table) => db.prepare(`SELECT * FROM ${table}`).all())
  db.close()
  return rows
}

test('the fixture of version 1 is what its script makes', () => {
  const made = join(folder, 'made.db')
  makeStore(made)
  expect(contentOf(FIXTURE)).toEqual(contentOf(made))
  const db = new Database(FIXTURE, { readonly: true })
  expect(storeVersion(db)).toBe(1)
  db.close()
})

test('version 1 opens, keeps every row, and takes new ones', () => {
  const path = join(folder, 'store.db')
  copyFileSync(FIXTURE, path)
  const before = contentOf(path)
  const { db, setAside } = openStore(path, 0)
  expect(setAside).toBeUndefined()
  expect(storeVersion(db)).toBe(STORE_VERSION)
  expect(contentOf(path)).toEqual(before)
  const fresh = new Database(join(folder, 'fresh.db'))
  migrate(fresh)
  expect(shapeOf(db)).toEqual(shapeOf(fresh))
  fresh.close()

  const [place] = createWriter(db).write([findingRecord(makeFinding({ count: 4 })), siteRecord(makeSite())])
  db.close()
  const reader = openReader(path)
  expect(reader.storeId()).toBe('0011223344556677')
  expect(reader.findings({ limit: 10 })).toMatchObject([{ number: 1, seq: place!.seq, site: 'www.example.com' }])
  expect(reader.lastSeq()).toBe(place!.seq)
  expect(reader.resolvers()).toMatchObject([{ server: '192.0.2.53', queries: 3, p50Ms: 15 }])
  expect(reader.sites({ limit: 10 }).map((body) => JSON.parse(body))).toEqual([makeSite()])
  reader.close()
})

test('a step that fails leaves the version before it', () => {
  const db = new Database(join(folder, 'store.db'))
  migrate(db, 1)
  // The second step's table is in the way.
  db.exec('CREATE TABLE sites (a)')
  expect(() => migrate(db)).toThrow(/already exists/)
  expect(storeVersion(db)).toBe(1)
  db.exec('DROP TABLE sites')
  migrate(db)
  expect(storeVersion(db)).toBe(MIGRATIONS.length)
  db.close()
})
