// Questions to the store. Everything a person or a client says is bound, never put into SQL text; every answer is bounded.
import type { Database } from 'better-sqlite3'
import type { DnsTransport } from '../model/dns-facts.ts'
import { SEVERITY_RANK, type Severity } from '../model/finding.ts'
import type { ReportLeakService, ReportResolver } from '../model/report.ts'
import { dnsTypeName } from '../text/dns-tables.ts'
import { utcTime } from '../text/timestamp.ts'
import { openStoreReadOnly } from './database.ts'
import { selectLeakService } from './leak-service.ts'
import { LATENCY_BOUNDS_MS, LATENCY_BUCKETS } from './records.ts'

export { LATENCY_BOUNDS_MS } from './records.ts'

/** Which findings; absent = all. Lists mean "one of". */
export interface FindingFilter {
  readonly severity?: Severity | undefined
  readonly ids?: readonly string[] | undefined
  readonly interfaces?: readonly string[] | undefined
  /** A host name: itself and what lies below it. */
  readonly site?: string | undefined
}

export interface FindingQuery extends FindingFilter {
  readonly epoch?: number | undefined
  /** Last seen at or after, microseconds since 1970. */
  readonly sinceMicros?: number | undefined
  /** First seen at or before. */
  readonly untilMicros?: number | undefined
  /** Stream numbers: after < seq ≤ upTo. */
  readonly after?: number | undefined
  readonly upTo?: number | undefined
  /** By descending seq. */
  readonly newestFirst?: boolean
  readonly limit: number
}

/** A stored message of the stream: `body` is the JSON of what `kind` says. */
export interface StoredMessage {
  readonly seq: number
  readonly kind: 'finding' | 'epoch' | 'verdict'
  /** The finding's number, 0 for the others. */
  readonly number: number
  readonly body: string
  /** As in FindingRecord, for filters; severity −1 for the others. */
  readonly severity: number
  readonly id: string
  readonly interface: string | null
  readonly site: string | null
}

/** Which exchanges; absent = all. */
export interface ExchangeQuery {
  readonly epoch?: number | undefined
  readonly server?: string | undefined
  /** A name: itself and what lies below it. */
  readonly name?: string | undefined
  readonly limit: number
}

/** What was asked of one resolver about one name and type; name and type are null where the transport hides them. */
export interface StoredExchange {
  readonly epoch: number
  readonly server: string
  readonly port: number
  readonly transport: DnsTransport
  readonly interface: string
  readonly side: 'tunnel' | 'outside'
  readonly name: string | null
  readonly type: string | null
  readonly queries: number
  readonly answered: number
  readonly failed: number
  readonly first: string
  readonly last: string
  readonly p50Ms?: number
  readonly p95Ms?: number
}

/** What one interface carried within the minute that begins at `minute`. */
export interface StoredStatistics {
  readonly minute: string
  readonly interface: string
  readonly packets: number
  readonly bytes: number
  readonly dropped: number
}

/** Which site observations. */
export interface SiteQuery {
  readonly epoch?: number | undefined
  /** A host name: itself and what lies below it. */
  readonly site?: string | undefined
  /** Those that come after this one in the order of (epoch, host). */
  readonly after?: { readonly epoch: number; readonly host: string } | undefined
  /** Seen last first. */
  readonly newestFirst?: boolean
  readonly limit: number
}

export interface StoreReader {
  /** Differs between stores: a client that knew another one starts over. */
  storeId(): string
  lastSeq(): number
  /** Highest number whose finding was forgotten by retention. */
  forgottenSeq(): number
  lastEpoch(): number
  /** By ascending seq, unless asked for the newest first. */
  findings(query: FindingQuery): StoredMessage[]
  countFindings(query: Omit<FindingQuery, 'limit' | 'newestFirst'>): number
  /** Everything of the stream with after < seq ≤ upTo, ascending, at most `limit`. The filter applies to findings. */
  messages(after: number, upTo: number, filter: FindingFilter, limit: number): StoredMessage[]
  /** Bodies of the newest `limit` epochs, oldest first. */
  epochs(limit: number): string[]
  /** Body of the last verdict. */
  verdict(): string | undefined
  /** Of the latest epochs first, most asked first. */
  resolvers(epoch?: number, limit?: number): ReportResolver[]
  /** Asked last first, of the newest 20,000. */
  exchanges(query: ExchangeQuery): StoredExchange[]
  /** The newest `limit` rows, oldest first. */
  statistics(limit: number): StoredStatistics[]
  /** Site observations by epoch and host, unless asked for the newest first. */
  sites(query: SiteQuery): string[]
  /** By day, newest first; the days that were not over at `sinceMicros`. */
  leakService(sinceMicros: number): ReportLeakService[]
  close(): void
}

/** Opens the store at `path` for reading; it must exist. */
export function openReader(path: string): StoreReader {
  const db = openStoreReadOnly(path)
  const meta = db.prepare('SELECT value FROM meta WHERE name = ?').pluck()
  const epochs = db
    .prepare('SELECT body FROM (SELECT id, body FROM epochs ORDER BY id DESC LIMIT ?) ORDER BY id')
    .pluck()
  const verdict = db.prepare('SELECT body FROM verdict').pluck()
  const lastEpoch = db.prepare('SELECT coalesce(max(id), 0) FROM epochs').pluck()
  const others = db.prepare(`
    SELECT seq, 'epoch' AS kind, 0 AS number, body, -1 AS severity, '' AS id, NULL AS interface, NULL AS site
      FROM epochs WHERE seq > @after AND seq <= @upTo
    UNION ALL
    SELECT seq, 'verdict', 0, body, -1, '', NULL, NULL FROM verdict WHERE seq > @after AND seq <= @upTo
    ORDER BY seq LIMIT @limit`)
  const findings = (query: FindingQuery) => selectFindings(db, query)
  return {
    storeId: () => meta.get('store_id') as string,
    lastSeq: () => meta.get('last_seq') as number,
    forgottenSeq: () => meta.get('forgotten_seq') as number,
    lastEpoch: () => lastEpoch.get() as number,
    findings,
    countFindings(query) {
      const { where, values } = conditionsOf(query)
      return db.prepare(`SELECT count(*) FROM findings ${where}`).pluck().get(values) as number
    },
    messages: db.transaction((after: number, upTo: number, filter: FindingFilter, limit: number) => {
      const rows = findings({ ...filter, after, upTo, limit })
      rows.push(...(others.all({ after, upTo, limit }) as StoredMessage[]))
      return rows.sort((left, right) => left.seq - right.seq).slice(0, limit)
    }),
    epochs: (limit) => epochs.all(limit) as string[],
    verdict: () => verdict.get() as string | undefined,
    resolvers: (epoch, limit) => selectResolvers(db, epoch, limit),
    exchanges: (query) => selectExchanges(db, query),
    statistics: (limit) => selectStatistics(db, limit),
    sites: (query) => selectSites(db, query),
    leakService: (sinceMicros) => selectLeakService(db, sinceMicros),
    close: () => db.close(),
  }
}

function selectFindings(db: Database, query: FindingQuery): StoredMessage[] {
  const { where, values } = conditionsOf(query)
  const order = query.newestFirst === true ? 'DESC' : 'ASC'
  return db
    .prepare(
      `SELECT seq, 'finding' AS kind, number, body, severity, id, interface, site FROM findings ${where} ORDER BY seq ${order} LIMIT @limit`,
    )
    .all({ ...values, limit: query.limit }) as StoredMessage[]
}

function selectSites(db: Database, { epoch, site, after, newestFirst, limit }: SiteQuery): string[] {
  const words = [
    ...(epoch === undefined ? [] : ['epoch = @epoch']),
    ...(site === undefined ? [] : [`(host = @site OR ${BELOW_HOST})`]),
    ...(after === undefined ? [] : ['(epoch, host) > (@afterEpoch, @afterHost)']),
  ]
  const where = words.length === 0 ? '' : `WHERE ${words.join(' AND ')}`
  const order = newestFirst === true ? 'last_micros DESC' : 'epoch, host'
  return db
    .prepare(`SELECT body FROM sites ${where} ORDER BY ${order} LIMIT @limit`)
    .pluck()
    .all({ epoch, site, afterEpoch: after?.epoch, afterHost: after?.host, limit }) as string[]
}

const BELOW_HOST = "substr(host, -length(@site) - 1) = '.' || @site"

/** The WHERE clause made of fixed words, and what is bound to it. */
function conditionsOf(query: Omit<FindingQuery, 'limit'>): { where: string; values: Record<string, unknown> } {
  const words: string[] = []
  const values: Record<string, unknown> = {}
  const demand = (condition: string, name: string, value: unknown) => {
    if (value === undefined) return
    words.push(condition)
    values[name] = value
  }
  demand('seq > @after', 'after', query.after)
  demand('seq <= @upTo', 'upTo', query.upTo)
  demand('epoch = @epoch', 'epoch', query.epoch)
  demand('last_micros >= @since', 'since', query.sinceMicros)
  demand('first_micros <= @until', 'until', query.untilMicros)
  demand('severity >= @severity', 'severity', query.severity && SEVERITY_RANK[query.severity])
  demand('id IN (SELECT value FROM json_each(@ids))', 'ids', query.ids && JSON.stringify(query.ids))
  demand(
    'interface IN (SELECT value FROM json_each(@interfaces))',
    'interfaces',
    query.interfaces && JSON.stringify(query.interfaces),
  )
  demand("(site = @site OR substr(site, -length(@site) - 1) = '.' || @site)", 'site', query.site)
  return { where: words.length === 0 ? '' : `WHERE ${words.join(' AND ')}`, values }
}

/** Whether a message of the stream passes; the same judgement as the WHERE clause above. */
export function passesFilter(message: StoredMessage, filter: FindingFilter): boolean {
  if (message.kind !== 'finding') return true
  if (filter.severity !== undefined && message.severity < SEVERITY_RANK[filter.severity]) return false
  if (filter.ids !== undefined && !filter.ids.includes(message.id)) return false
  if (filter.interfaces !== undefined && !(message.interface !== null && filter.interfaces.includes(message.interface)))
    return false
  if (filter.site === undefined) return true
  return message.site !== null && (message.site === filter.site || message.site.endsWith(`.${filter.site}`))
}

interface ResolverRow {
  epoch: number
  server: string
  port: number
  transport: DnsTransport
  interface: string
  side: 'tunnel' | 'outside'
  queries: number
  answered: number
  asn: number | null
  organisation: string | null
  country: string | null
  [latency: `latency_${number}`]: number
}

/** Resolvers of one answer unless fewer are asked for. */
const MAX_RESOLVERS = 1000

function selectResolvers(db: Database, epoch: number | undefined, limit = MAX_RESOLVERS): ReportResolver[] {
  const where = epoch === undefined ? '' : 'WHERE epoch = @epoch'
  const rows = db
    .prepare(`SELECT * FROM resolvers ${where} ORDER BY epoch DESC, queries DESC, server LIMIT @limit`)
    .all({ epoch, limit }) as ResolverRow[]
  return rows.map((row) => {
    return {
      server: row.server,
      port: row.port,
      transport: row.transport,
      interface: row.interface,
      side: row.side,
      epoch: row.epoch,
      queries: row.queries,
      answered: row.answered,
      ...percentilesOf(row),
      ...(row.asn !== null && { asn: row.asn }),
      ...(row.organisation !== null && { organisation: row.organisation }),
      ...(row.country !== null && { country: row.country }),
    }
  })
}

interface ExchangeRow extends ResolverRow {
  name: string
  type: number
  failed: number
  first_micros: number
  last_micros: number
}

/** Rows that are looked at, the newest: some 30 ms, in which nothing else is served. */
const SEARCHED_EXCHANGES = 20_000

function selectExchanges(db: Database, { epoch, server, name, limit }: ExchangeQuery): StoredExchange[] {
  const words = ['exchanges.resolver = resolvers.id']
  if (epoch !== undefined) words.push('epoch = @epoch')
  if (server !== undefined) words.push('server = @server')
  if (name !== undefined) words.push("(name = @name OR substr(name, -length(@name) - 1) = '.' || @name)")
  const rows = db
    .prepare(
      `SELECT epoch, server, port, transport, interface, side, exchanges.*
         FROM (SELECT * FROM dns_exchanges ORDER BY last_micros DESC LIMIT @searched) AS exchanges, resolvers
         WHERE ${words.join(' AND ')} ORDER BY exchanges.last_micros DESC, name, type LIMIT @limit`,
    )
    .all({ epoch, server, name, limit, searched: SEARCHED_EXCHANGES }) as ExchangeRow[]
  return rows.map((row) => ({
    epoch: row.epoch,
    server: row.server,
    port: row.port,
    transport: row.transport,
    interface: row.interface,
    side: row.side,
    name: row.type === 0 ? null : row.name,
    type: row.type === 0 ? null : dnsTypeName(row.type),
    queries: row.queries,
    answered: row.answered,
    failed: row.failed,
    first: utcTime(row.first_micros),
    last: utcTime(row.last_micros),
    ...percentilesOf(row),
  }))
}

function selectStatistics(db: Database, limit: number): StoredStatistics[] {
  const rows = db
    .prepare('SELECT * FROM capture_statistics ORDER BY minute_micros DESC, interface DESC LIMIT ?')
    .all(limit) as { minute_micros: number; interface: string; packets: number; bytes: number; dropped: number }[]
  return rows.reverse().map(({ minute_micros, ...rest }) => ({ minute: utcTime(minute_micros), ...rest }))
}

function percentilesOf(row: { [latency: `latency_${number}`]: number }): { p50Ms?: number; p95Ms?: number } {
  const counts = Array.from({ length: LATENCY_BUCKETS }, (_, bucket) => row[`latency_${bucket}`] ?? 0)
  const p50Ms = percentileMs(counts, 0.5)
  const p95Ms = percentileMs(counts, 0.95)
  return { ...(p50Ms !== undefined && { p50Ms }), ...(p95Ms !== undefined && { p95Ms }) }
}

/**
 * Milliseconds below which the share of the histogram's values lies, spread evenly within their bucket; the last bound
 * when it lies above it. Undefined for an empty histogram.
 */
export function percentileMs(counts: readonly number[], share: number): number | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (total === 0) return undefined
  let below = 0
  for (let bucket = 0; bucket < LATENCY_BOUNDS_MS.length; bucket++) {
    const count = counts[bucket]!
    if (below + count >= total * share && count > 0) {
      const lower = bucket === 0 ? 0 : LATENCY_BOUNDS_MS[bucket - 1]!
      const upper = LATENCY_BOUNDS_MS[bucket]!
      return Math.round((lower + ((total * share - below) / count) * (upper - lower)) * 10) / 10
    }
    below += count
  }
  return LATENCY_BOUNDS_MS.at(-1)!
}
