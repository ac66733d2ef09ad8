// Forgetting: rows past their age, then the oldest ones until the file is small enough, a small step at a time so that
// writes go on in between. What the stream can no longer give back is remembered as one number (`forgotten_seq`).
import type { Database } from 'better-sqlite3'
import { forgetLeakService } from './leak-service.ts'

/** Rows of one kind a step deletes: some 5 ms of work. */
const ROWS_PER_STEP = 500
/** Free pages a step gives back to the file system. */
const PAGES_PER_STEP = 200

export interface RetentionLimits {
  /** Rows last touched longer ago are forgotten. */
  readonly maxAgeMicros: number
  /** Bytes of the database file, free pages not counted. */
  readonly maxBytes: number
}

/** One step; true when there is nothing left to do for now. */
export function retainStep(db: Database, limits: RetentionLimits, nowMicros: number): boolean {
  const run = db.transaction(() => {
    const cutoffMicros = nowMicros - limits.maxAgeMicros
    const aged = deleteOlder(db, cutoffMicros) + forgetLeakService(db, cutoffMicros, nowMicros, ROWS_PER_STEP)
    return aged > 0 || usedBytes(db) <= limits.maxBytes ? aged : deleteOldest(db)
  })
  const deleted = run.immediate()
  const freePages = db.pragma('freelist_count', { simple: true }) as number
  if (freePages > 0) db.pragma(`incremental_vacuum(${PAGES_PER_STEP})`)
  return deleted === 0 && freePages <= PAGES_PER_STEP
}

/** When the youngest finding was seen last; undefined in an empty store. */
export function newestMicros(db: Database): number | undefined {
  return (db.prepare('SELECT max(last_micros) FROM findings').pluck().get() as number | null) ?? undefined
}

/** Bytes in use: what the file would have without its free pages. */
export function usedBytes(db: Database): number {
  const pages =
    (db.pragma('page_count', { simple: true }) as number) - (db.pragma('freelist_count', { simple: true }) as number)
  return pages * (db.pragma('page_size', { simple: true }) as number)
}

function deleteOlder(db: Database, cutoffMicros: number): number {
  let deleted = deleteFindings(db, 'last_micros', cutoffMicros)
  deleted += deleteExchanges(db, cutoffMicros)
  deleted += deleteSites(db, cutoffMicros)
  deleted += db
    .prepare(
      `DELETE FROM capture_statistics WHERE (minute_micros, interface) IN
         (SELECT minute_micros, interface FROM capture_statistics WHERE minute_micros < ? LIMIT ?)`,
    )
    .run(cutoffMicros, ROWS_PER_STEP).changes
  deleted += db
    .prepare(
      `DELETE FROM epochs WHERE end_micros < ? AND NOT EXISTS (SELECT 1 FROM findings WHERE findings.epoch = epochs.id)
         AND NOT EXISTS (SELECT 1 FROM resolvers WHERE resolvers.epoch = epochs.id)
         AND NOT EXISTS (SELECT 1 FROM sites WHERE sites.epoch = epochs.id)`,
    )
    .run(cutoffMicros).changes
  return deleted
}

/** Too large: the oldest step's worth of the kind that has the oldest row goes. */
function deleteOldest(db: Database): number {
  const oldest = (table: string) =>
    (db.prepare(`SELECT min(last_micros) FROM ${table}`).pluck().get() as number | null) ?? Number.POSITIVE_INFINITY
  const finding = oldest('findings')
  const exchange = oldest('dns_exchanges')
  const site = oldest('sites')
  const first = Math.min(finding, exchange, site)
  if (first === Number.POSITIVE_INFINITY) return 0
  if (exchange === first) return deleteExchanges(db, Number.MAX_SAFE_INTEGER)
  // By their numbers: after a clock was set back, the newest would have the oldest time.
  return site === first ? deleteSites(db, Number.MAX_SAFE_INTEGER) : deleteFindings(db, 'seq', Number.MAX_SAFE_INTEGER)
}

function deleteSites(db: Database, cutoffMicros: number): number {
  return db
    .prepare(
      `DELETE FROM sites WHERE (epoch, host) IN
         (SELECT epoch, host FROM sites WHERE last_micros < ? ORDER BY last_micros LIMIT ?)`,
    )
    .run(cutoffMicros, ROWS_PER_STEP).changes
}

/** Those below `cutoff` in that order, the lowest first. */
function deleteFindings(db: Database, order: 'last_micros' | 'seq', cutoff: number): number {
  const gone = db
    .prepare(
      `DELETE FROM findings WHERE number IN
         (SELECT number FROM findings WHERE ${order} < ? ORDER BY ${order} LIMIT ?) RETURNING seq`,
    )
    .pluck()
    .all(cutoff, ROWS_PER_STEP) as number[]
  if (gone.length > 0) {
    const highest = gone.reduce((seq, other) => Math.max(seq, other))
    db.prepare("UPDATE meta SET value = max(value, ?) WHERE name = 'forgotten_seq'").run(highest)
  }
  return gone.length
}

function deleteExchanges(db: Database, cutoffMicros: number): number {
  const { changes } = db
    .prepare(
      `DELETE FROM dns_exchanges WHERE (resolver, name, type) IN
         (SELECT resolver, name, type FROM dns_exchanges WHERE last_micros < ? ORDER BY last_micros LIMIT ?)`,
    )
    .run(cutoffMicros, ROWS_PER_STEP)
  const orphans = db
    .prepare(
      `DELETE FROM resolvers WHERE last_micros < ?
         AND NOT EXISTS (SELECT 1 FROM dns_exchanges WHERE dns_exchanges.resolver = resolvers.id)`,
    )
    .run(cutoffMicros)
  return changes + orphans.changes
}
