// Rollups that wait for the store are added up: however long it cannot be written, they take no more room than there are
// different things to count.
import type { DnsRecord, StatisticsRecord } from './records.ts'

type Rollup = DnsRecord | StatisticsRecord

/** What two rollups must share to be added; lengths keep one part from running into the next. */
export function rollupIdentity(record: Rollup): string {
  if (record.kind === 'statistics') return `statistics ${record.minuteMicros} ${record.interface}`
  const { epoch, server, port, transport, side, name, type } = record
  return `dns ${epoch} ${server} ${port} ${transport} ${side} ${type} ${name.length} ${name} ${record.interface}`
}

/** Both in one; they have the same identity. */
export function addRollups(earlier: Rollup, later: Rollup): Rollup {
  if (earlier.kind === 'statistics' && later.kind === 'statistics') {
    return {
      ...later,
      packets: earlier.packets + later.packets,
      bytes: earlier.bytes + later.bytes,
      dropped: earlier.dropped + later.dropped,
    }
  }
  const [a, b] = [earlier as DnsRecord, later as DnsRecord]
  return {
    ...b,
    queries: a.queries + b.queries,
    answered: a.answered + b.answered,
    failed: a.failed + b.failed,
    firstMicros: Math.min(a.firstMicros, b.firstMicros),
    lastMicros: Math.max(a.lastMicros, b.lastMicros),
    latency: a.latency.map((count, bucket) => count + b.latency[bucket]!),
    latencyMicros: a.latencyMicros + b.latencyMicros,
  }
}
