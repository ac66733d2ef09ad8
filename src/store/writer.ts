// The one writer. A batch is one transaction; every finding, epoch and verdict written gets the next number of the
// stream, and a number is never given twice.
import type { Database } from 'better-sqlite3'
import { utcTime } from '../text/timestamp.ts'
import { createLeakServiceWriter } from './leak-service.ts'
import type {
  DnsRecord,
  EpochRecord,
  FindingRecord,
  LeakServiceRecord,
  SiteRecord,
  StatisticsRecord,
  StoredPlace,
  StoreRecord,
  VerdictRecord,
} from './records.ts'
import { LATENCY_BUCKETS } from './records.ts'

/**
 * Numbers skipped at every start. Without it, a power cut that takes the last transactions back would let numbers that
 * clients have already seen be given again, and such a client would miss what now bears them.
 */
export const SEQ_SKIP = 1_000_000

const NOT_NUMBERED: StoredPlace = Object.freeze({ seq: 0, number: 0 })

export interface StoreWriter {
  /** Numbers of the stream given so far. */
  lastSeq(): number
  /**
   * Writes all records or none, in order, and returns each one's place.
   * @throws SqliteError (`code` SQLITE_FULL when the disk is full)
   */
  write(records: readonly StoreRecord[]): StoredPlace[]
}

/** Prepares the statements; `db` stays the caller's. */
export function createWriter(db: Database): StoreWriter {
  const writeRecord = createRecordWriters(db)
  const saveSeq = db.prepare("UPDATE meta SET value = ? WHERE name = 'last_seq'")
  let lastSeq = (db.prepare("SELECT value FROM meta WHERE name = 'last_seq'").pluck().get() as number) + SEQ_SKIP
  db.transaction(() => {
    saveSeq.run(lastSeq)
    endOpenEpochs(db, lastSeq)
  }).immediate()

  const writeAll = db.transaction((records: readonly StoreRecord[]) => {
    let seq = lastSeq
    const places: StoredPlace[] = []
    for (const record of records) {
      const place = writeRecord(record, seq + 1)
      if (place.seq > seq) seq = place.seq
      places.push(place)
    }
    if (seq !== lastSeq) saveSeq.run(seq)
    return { places, seq }
  })

  return {
    lastSeq: () => lastSeq,
    write(records) {
      const { places, seq } = writeAll.immediate(records)
      lastSeq = seq
      return places
    },
  }
}

/** A killed process left its last epoch open; it ended with the last thing known of it. */
function endOpenEpochs(db: Database, seq: number): void {
  const open = db.prepare('SELECT id, start_micros FROM epochs WHERE end_micros IS NULL').all() as {
    id: number
    start_micros: number
  }[]
  const lastKnown = db
    .prepare(
      `SELECT max(
         coalesce((SELECT max(last_micros) FROM findings WHERE epoch = @id), 0),
         coalesce((SELECT max(last_micros) FROM resolvers WHERE epoch = @id), 0),
         coalesce((SELECT max(last_micros) FROM sites WHERE epoch = @id), 0))`,
    )
    .pluck()
  const end = db.prepare(
    "UPDATE epochs SET seq = @seq, end_micros = @end, body = json_set(body, '$.end', @time) WHERE id = @id",
  )
  for (const { id, start_micros } of open) {
    const micros = Math.max(start_micros, lastKnown.get({ id }) as number)
    end.run({ id, seq: seq--, end: micros, time: utcTime(micros) })
  }
}

function createRecordWriters(db: Database): (record: StoreRecord, seq: number) => StoredPlace {
  const finding = db.prepare(`
    INSERT INTO findings (seq, epoch, id, key, severity, interface, site, first_micros, last_micros, count, body)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (epoch, id, key) DO UPDATE SET seq = excluded.seq, severity = excluded.severity,
      interface = excluded.interface, site = excluded.site, first_micros = excluded.first_micros,
      last_micros = excluded.last_micros, count = excluded.count, body = excluded.body
    RETURNING number`)
  finding.pluck()
  const epoch = db.prepare(`
    INSERT INTO epochs (id, seq, start_micros, end_micros, body) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, start_micros = excluded.start_micros,
      end_micros = excluded.end_micros, body = excluded.body`)
  const verdict = db.prepare(`
    INSERT INTO verdict (only_row, seq, body) VALUES (1, ?, ?)
    ON CONFLICT (only_row) DO UPDATE SET seq = excluded.seq, body = excluded.body`)
  const statistics = db.prepare(`
    INSERT INTO capture_statistics (minute_micros, interface, packets, bytes, dropped) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (minute_micros, interface) DO UPDATE SET packets = packets + excluded.packets,
      bytes = bytes + excluded.bytes, dropped = dropped + excluded.dropped`)
  const site = db.prepare(`
    INSERT INTO sites (epoch, host, last_micros, body) VALUES (?, ?, ?, ?)
    ON CONFLICT (epoch, host) DO UPDATE SET last_micros = excluded.last_micros, body = excluded.body`)
  const dns = createDnsWriter(db)
  const leakService = createLeakServiceWriter(db)

  const writers = {
    finding(record: FindingRecord, seq: number): StoredPlace {
      const number = finding.get(
        seq,
        record.epoch,
        record.id,
        record.key,
        record.severity,
        record.interface,
        record.site,
        record.firstMicros,
        record.lastMicros,
        record.count,
        record.body,
      ) as number
      return { seq, number }
    },
    epoch(record: EpochRecord, seq: number): StoredPlace {
      epoch.run(record.id, seq, record.startMicros, record.endMicros, record.body)
      return { seq, number: 0 }
    },
    verdict(record: VerdictRecord, seq: number): StoredPlace {
      verdict.run(seq, record.body)
      return { seq, number: 0 }
    },
    statistics(record: StatisticsRecord): StoredPlace {
      statistics.run(record.minuteMicros, record.interface, record.packets, record.bytes, record.dropped)
      return NOT_NUMBERED
    },
    site(record: SiteRecord): StoredPlace {
      site.run(record.epoch, record.host, record.lastMicros, record.body)
      return NOT_NUMBERED
    },
    dns(record: DnsRecord): StoredPlace {
      dns(record)
      return NOT_NUMBERED
    },
    'leak-service'(record: LeakServiceRecord): StoredPlace {
      leakService(record)
      return NOT_NUMBERED
    },
  }
  return (record, seq) => writers[record.kind](record as never, seq)
}

/** Adds a rollup to its resolver and to its (resolver, name, type). */
function createDnsWriter(db: Database): (record: DnsRecord) => void {
  const buckets = Array.from({ length: LATENCY_BUCKETS }, (_, bucket) => `latency_${bucket}`)
  const names = buckets.join(', ')
  const marks = buckets.map(() => '?').join(', ')
  const sums = ['queries', 'answered', ...buckets].map((name) => `${name} = ${name} + excluded.${name}`).join(', ')
  const resolver = db.prepare(`
    INSERT INTO resolvers (epoch, server, port, transport, interface, side, queries, answered, last_micros,
      asn, organisation, country, ${names})
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ${marks})
    ON CONFLICT (epoch, server, port, transport, interface, side)
    DO UPDATE SET last_micros = max(last_micros, excluded.last_micros), asn = coalesce(excluded.asn, asn),
      organisation = coalesce(excluded.organisation, organisation), country = coalesce(excluded.country, country), ${sums}
    RETURNING id`)
  resolver.pluck()
  const exchange = db.prepare(`
    INSERT INTO dns_exchanges (resolver, name, type, queries, answered, failed, first_micros, last_micros, ${names})
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ${marks})
    ON CONFLICT (resolver, name, type) DO UPDATE SET failed = failed + excluded.failed,
      first_micros = min(first_micros, excluded.first_micros), last_micros = max(last_micros, excluded.last_micros), ${sums}`)
  return (record) => {
    const id = resolver.get(
      record.epoch,
      record.server,
      record.port,
      record.transport,
      record.interface,
      record.side,
      record.queries,
      record.answered,
      record.lastMicros,
      record.owner?.asn ?? null,
      record.owner?.organisation ?? null,
      record.owner?.country ?? null,
      ...record.latency,
    )
    exchange.run(
      id,
      record.name,
      record.type,
      record.queries,
      record.answered,
      record.failed,
      record.firstMicros,
      record.lastMicros,
      ...record.latency,
    )
  }
}
