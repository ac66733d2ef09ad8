import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { openStore } from '../../src/store/database.ts'
import { openReader, percentileMs } from '../../src/store/reader.ts'
import {
  type DnsRecord,
  epochRecord,
  findingRecord,
  isoMicros,
  LATENCY_BUCKETS,
  verdictRecord,
} from '../../src/store/records.ts'
import { retainStep, usedBytes } from '../../src/store/retention.ts'
import { createWriter, SEQ_SKIP } from '../../src/store/writer.ts'
import { utcTime } from '../../src/text/timestamp.ts'
import { makeEpoch, makeFinding, makeVerdict, START_MICROS } from '../support/findings.ts'
import { temporaryStore } from '../support/temporary-store.ts'

const store = temporaryStore()

const everything = { limit: 1000 }

function dnsRecord(changes: Partial<DnsRecord> = {}): DnsRecord {
  return {
    kind: 'dns',
    epoch: 1,
    server: '10.64.0.1',
    port: 53,
    transport: 'udp',
    interface: 'wg0',
    side: 'tunnel',
    name: 'www.example.com',
    type: 1,
    queries: 10,
    answered: 9,
    failed: 1,
    firstMicros: START_MICROS,
    lastMicros: START_MICROS + 5,
    latency: Array.from({ length: LATENCY_BUCKETS }, (_, bucket) => (bucket === 4 ? 9 : 0)),
    latencyMicros: 9 * 15_000,
    ...changes,
  }
}

describe('writing', () => {
  test('a finding is folded by (epoch, id, key): one row, one number, a new place in the stream each time', () => {
    store.with((db) => {
      const writer = createWriter(db)
      const [first] = writer.write([findingRecord(makeFinding())])
      const [second, other] = writer.write([
        findingRecord(makeFinding({ count: 5 })),
        findingRecord(makeFinding({ key: 'another' })),
      ])
      expect(second!.number).toBe(first!.number)
      expect(second!.seq).toBe(first!.seq + 1)
      expect(other!.number).not.toBe(first!.number)
    })
    const reader = openReader(store.path)
    const rows = reader.findings(everything)
    expect(rows.map((row) => [JSON.parse(row.body).key, JSON.parse(row.body).count])).toEqual([
      ['eth0 192.0.2.53', 5],
      ['another', 1],
    ])
    reader.close()
  })

  test('a batch that fails is not there at all, and its numbers are given to the next', () => {
    store.with((db) => {
      const writer = createWriter(db)
      const before = writer.lastSeq()
      const bad = { ...findingRecord(makeFinding({ key: 'bad' })), count: Number.NaN }
      expect(() => writer.write([findingRecord(makeFinding()), bad])).toThrow()
      expect(db.prepare('SELECT count(*) FROM findings').pluck().get()).toBe(0)
      expect(writer.write([findingRecord(makeFinding())])[0]!.seq).toBe(before + 1)
    })
  })

  test('numbers are never given twice: every start skips ahead', () => {
    const first = store.with((db) => createWriter(db).write([findingRecord(makeFinding())])[0]!.seq)
    const second = store.with((db) => createWriter(db).write([findingRecord(makeFinding({ key: 'b' }))])[0]!.seq)
    expect(second - first).toBe(SEQ_SKIP + 1)
  })

  test('an epoch that a killed process left open ends with the last thing known of it', () => {
    store.with((db) => {
      const last = utcTime(START_MICROS + 9_000_000)
      createWriter(db).write([epochRecord(makeEpoch()), findingRecord(makeFinding({ last }))])
    })
    store.with((db) => createWriter(db))
    const reader = openReader(store.path)
    expect(reader.epochs(10).map((body) => JSON.parse(body).end)).toEqual([utcTime(START_MICROS + 9_000_000)])
    expect(reader.lastEpoch()).toBe(1)
    reader.close()
  })

  test('rollups add up, per resolver and per name', () => {
    store.with((db) => {
      createWriter(db).write([
        dnsRecord(),
        dnsRecord({ lastMicros: START_MICROS + 9 }),
        dnsRecord({ name: 'b.example' }),
      ])
      expect(
        db.prepare('SELECT name, queries, answered, failed, latency_4 FROM dns_exchanges ORDER BY name').all(),
      ).toEqual([
        { name: 'b.example', queries: 10, answered: 9, failed: 1, latency_4: 9 },
        { name: 'www.example.com', queries: 20, answered: 18, failed: 2, latency_4: 18 },
      ])
      const minute = {
        kind: 'statistics',
        minuteMicros: START_MICROS,
        interface: 'eth0',
        packets: 2,
        bytes: 9,
        dropped: 1,
      } as const
      createWriter(db).write([minute, minute])
      expect(db.prepare('SELECT packets, bytes, dropped FROM capture_statistics').all()).toEqual([
        { packets: 4, bytes: 18, dropped: 2 },
      ])
    })
    const reader = openReader(store.path)
    expect(reader.resolvers()).toEqual([
      {
        server: '10.64.0.1',
        port: 53,
        transport: 'udp',
        interface: 'wg0',
        side: 'tunnel',
        epoch: 1,
        queries: 30,
        answered: 27,
        p50Ms: 15,
        p95Ms: 19.5,
      },
    ])
    expect(reader.resolvers(2)).toEqual([])
    const names = (query: object) => reader.exchanges({ limit: 9, ...query }).map(({ name, type }) => `${name} ${type}`)
    expect(names({})).toEqual(['www.example.com A', 'b.example A'])
    expect(names({ name: 'example.com' })).toEqual(['www.example.com A'])
    expect(names({ name: 'ample.com' })).toEqual([])
    expect(names({ epoch: 2 })).toEqual([])
    expect(names({ server: '10.64.0.1', limit: 1 })).toEqual(['www.example.com A'])
    expect(reader.statistics(9)).toEqual([
      { minute: utcTime(START_MICROS), interface: 'eth0', packets: 4, bytes: 18, dropped: 2 },
    ])
    reader.close()
  })

  test('percentiles of a histogram', () => {
    expect(percentileMs(new Array(LATENCY_BUCKETS).fill(0), 0.5)).toBeUndefined()
    expect(percentileMs([4, ...new Array(12).fill(0)], 0.5)).toBe(0.5)
    expect(percentileMs([...new Array(12).fill(0), 3], 0.95)).toBe(5000)
  })
})

describe('reading', () => {
  test.each([
    ['severity', { severity: 'warning' as const }, ['a', 'b']],
    ['ids', { ids: ['tls-alert', 'no-such'] }, ['b']],
    ['interfaces', { interfaces: ['wg0'] }, ['b', 'c']],
    ['site and what is below it', { site: 'example.com' }, ['a', 'b']],
    ['a site is no pattern', { site: '%' }, []],
    ['epoch', { epoch: 2 }, ['c']],
    ['since', { sinceMicros: START_MICROS + 1_000_000 }, ['b', 'c']],
    ['until', { untilMicros: START_MICROS }, ['a']],
  ])('by %s', (_, query, keys) => {
    store.with((db) => {
      const later = utcTime(START_MICROS + 2_000_000)
      createWriter(db).write([
        findingRecord(makeFinding({ key: 'a' })),
        findingRecord(
          makeFinding({
            key: 'b',
            id: 'tls-alert',
            severity: 'warning',
            interface: 'wg0',
            data: { host: 'Example.com.' },
            time: later,
            last: later,
          }),
        ),
        findingRecord(
          makeFinding({ key: 'c', severity: 'info', interface: 'wg0', data: {}, epoch: 2, time: later, last: later }),
        ),
      ])
    })
    const reader = openReader(store.path)
    expect(reader.findings({ ...query, ...everything }).map((row) => JSON.parse(row.body).key)).toEqual(keys)
    expect(reader.countFindings(query)).toBe(keys.length)
    reader.close()
  })

  test('messages of all kinds come in the order of their numbers, in pages', () => {
    store.with((db) => {
      createWriter(db).write([
        epochRecord(makeEpoch()),
        findingRecord(makeFinding()),
        verdictRecord(makeVerdict()),
        findingRecord(makeFinding({ key: 'b' })),
      ])
    })
    const reader = openReader(store.path)
    const upTo = reader.lastSeq()
    expect(reader.messages(0, upTo, {}, 10).map((row) => row.kind)).toEqual(['epoch', 'finding', 'verdict', 'finding'])
    const page = reader.messages(0, upTo, {}, 2)
    expect(page.map((row) => row.kind)).toEqual(['epoch', 'finding'])
    expect(reader.messages(page[1]!.seq, upTo, {}, 2).map((row) => row.kind)).toEqual(['verdict', 'finding'])
    reader.close()
  })

  test('hostile text is data: it comes back as it went in, and nothing else happens', () => {
    const hostile = `'); DROP TABLE findings; --\u0000\u001b[2J\n\u202e<script>"\\\ud800`
    store.with((db) => {
      createWriter(db).write([findingRecord(makeFinding({ key: hostile, id: hostile, interface: hostile }))])
    })
    const reader = openReader(store.path)
    const rows = reader.findings({ ids: [hostile], interfaces: [hostile], ...everything })
    expect(rows).toHaveLength(1)
    // JSON writes a lone surrogate as an escape, so even that comes back.
    expect(JSON.parse(rows[0]!.body).key).toBe(hostile)
    expect(rows[0]!.body).not.toMatch(/[\x00-\x1f]/)
    reader.close()
  })

  test.each([
    ['2026-01-02T03:04:05Z', START_MICROS],
    ['2026-01-02T03:04:05.000001Z', START_MICROS + 1],
    ['2026-01-02T03:04:05.5+0000', START_MICROS + 500_000],
    ['yesterday', 0],
    ['2026-13-45T99:99:99Z', 0],
  ])('time %s', (text, micros) => {
    expect(isoMicros(text)).toBe(micros)
  })
})

describe('the file', () => {
  test('0600 in a 0700 directory, the write-ahead log too', () => {
    store.with((db) => {
      createWriter(db).write([findingRecord(makeFinding())])
      expect(statSync(join(store.folder, 'data')).mode & 0o777).toBe(0o700)
      for (const name of readdirSync(join(store.folder, 'data'))) {
        expect([name, statSync(join(store.folder, 'data', name)).mode & 0o777]).toEqual([name, 0o600])
      }
      expect(readdirSync(join(store.folder, 'data'))).toContain('store.db-wal')
    })
  })

  test.each([
    ['text', 'not a database at all, but long enough to be read as one', 'not an SQLite database'],
    ['a database of another program', undefined, 'of another program'],
    ['a damaged store', 'damage', 'damaged'],
  ])('%s is set aside whole, and a new store begun', (_, kind, reason) => {
    mkdirSync(join(store.folder, 'data'))
    if (kind === undefined) {
      const other = new Database(store.path)
      other.exec('CREATE TABLE theirs (a)')
      other.close()
    } else if (kind === 'damage') {
      store.with((db) => {
        const writer = createWriter(db)
        for (let key = 0; key < 500; key++) writer.write([findingRecord(makeFinding({ key: `${key}` }))])
      })
      const bytes = readFileSync(store.path)
      bytes.fill(0x5a, 3 * 4096, 40 * 4096)
      writeFileSync(store.path, bytes)
    } else writeFileSync(store.path, kind.repeat(40))
    const before = readFileSync(store.path)

    const opened = openStore(store.path, Date.UTC(2026, 0, 2, 3, 4, 5))
    opened.db.close()
    expect(opened.setAside?.reason).toContain(reason)
    expect(opened.setAside?.path).toBe(`${store.path}.set-aside-2026-01-02T030405Z`)
    expect(readFileSync(opened.setAside!.path).equals(before)).toBe(true)
    expect(openStore(store.path, 0).setAside).toBeUndefined()
  })

  test('a second file set aside in the same second gets its own name', () => {
    mkdirSync(join(store.folder, 'data'))
    const names = [1, 2].map((copy) => {
      writeFileSync(store.path, `no database ${copy}`.repeat(20))
      for (const suffix of ['-wal', '-shm']) rmSync(store.path + suffix, { force: true })
      const opened = openStore(store.path, 0)
      opened.db.close()
      return opened.setAside!.path
    })
    expect(new Set(names).size).toBe(2)
  })

  test('a store of a later version is left alone', () => {
    store.with((db) => db.pragma('user_version = 99'))
    const before = readFileSync(store.path)
    expect(() => openStore(store.path, 0)).toThrow(expect.objectContaining({ code: 'store-newer' }))
    expect(readFileSync(store.path).equals(before)).toBe(true)
    expect(readdirSync(join(store.folder, 'data')).filter((name) => name.includes('set-aside'))).toEqual([])
  })

  test('a store.path that cannot be used is the operator’s to mend', () => {
    writeFileSync(join(store.folder, 'data'), '')
    expect(() => openStore(store.path, 0)).toThrow(expect.objectContaining({ code: 'store-unusable' }))
  })
})

describe('retention', () => {
  const day = 86_400_000_000
  const forever = { maxAgeMicros: 1000 * day, maxBytes: 1e12 }

  function fill(db: Database.Database, count: number, micros: number): void {
    const time = utcTime(micros)
    const records = Array.from({ length: count }, (_, index) =>
      findingRecord(makeFinding({ key: `${micros} ${index}`, time, last: time })),
    )
    createWriter(db).write([...records, dnsRecord({ name: `n${micros}`, lastMicros: micros })])
  }

  function retain(db: Database.Database, limits: { maxAgeMicros: number; maxBytes: number }, now: number): number {
    let steps = 1
    while (!retainStep(db, limits, now)) steps++
    return steps
  }

  test('by age, in steps; what can no longer be given back is known', () => {
    store.with((db) => {
      fill(db, 1200, START_MICROS - 8 * day)
      const lastOld = createWriter(db).lastSeq() - SEQ_SKIP
      fill(db, 10, START_MICROS)
      expect(retain(db, { ...forever, maxAgeMicros: 7 * day }, START_MICROS)).toBeGreaterThan(2)
      expect(db.prepare('SELECT count(*) FROM findings').pluck().get()).toBe(10)
      expect(db.prepare('SELECT name FROM dns_exchanges').pluck().all()).toEqual([`n${START_MICROS}`])
      const reader = openReader(store.path)
      expect(reader.forgottenSeq()).toBe(lastOld)
      reader.close()
    })
  })

  test('by size: the oldest go, and the file shrinks', () => {
    store.with((db) => {
      fill(db, 2000, START_MICROS)
      fill(db, 2000, START_MICROS + day)
      const before = usedBytes(db)
      retain(db, { ...forever, maxBytes: before / 2 }, START_MICROS + day)
      expect(usedBytes(db)).toBeLessThanOrEqual(before / 2)
      const oldest = db.prepare('SELECT count(*) FROM findings WHERE last_micros = ?').pluck()
      const left = oldest.get(START_MICROS + day) as number
      expect(left).toBeGreaterThan(0)
      if (left < 2000) expect(oldest.get(START_MICROS)).toBe(0)
      db.pragma('wal_checkpoint(TRUNCATE)')
      expect(statSync(store.path).size).toBeLessThan(before * 0.7)
    })
  })

  test('by size after the clock was set back: the newest stay although their time is the oldest', () => {
    store.with((db) => {
      fill(db, 2000, START_MICROS)
      fill(db, 2000, START_MICROS - day)
      retain(db, { ...forever, maxBytes: usedBytes(db) / 2 }, START_MICROS - day)
      const left = db.prepare('SELECT count(*) FROM findings WHERE last_micros = ?').pluck()
      expect(left.get(START_MICROS - day)).toBeGreaterThan(0)
      if ((left.get(START_MICROS - day) as number) < 2000) expect(left.get(START_MICROS)).toBe(0)
    })
  })

  test('nothing to do is one step', () => {
    store.with((db) => {
      fill(db, 10, START_MICROS)
      expect(retain(db, forever, START_MICROS)).toBe(1)
      expect(db.prepare('SELECT count(*) FROM findings').pluck().get()).toBe(10)
    })
  })
})
