// Counters and gauges in Prometheus' text format 0.0.4, named as its guide asks: base units, `_total` for counters.
import { LATENCY_BOUNDS_MS } from '../store/reader.ts'
import type { LeakTotal, ResolverTotals, ServiceState } from './service-state.ts'
import type { Stream } from './stream.ts'

/** Programs with a series of their own. */
const MAX_APPS = 200
const DNS_VERDICTS = ['ok', 'leak', 'mixed', 'no-tunnel', 'unknown'] as const

/** The whole page. */
export function metricsText(service: ServiceState, stream: Stream): string {
  const lines: string[] = []
  const metric = (
    name: string,
    type: 'counter' | 'gauge',
    help: string,
    samples: [labels: string, value: number][],
  ) => {
    lines.push(`# HELP tunnelscope_${name} ${help}`, `# TYPE tunnelscope_${name} ${type}`)
    for (const [labels, value] of samples) lines.push(`tunnelscope_${name}${labels} ${value}`)
  }
  const stats = service.stats()
  const verdict = service.verdict()
  const store = service.store()
  const counters = stream.counters()

  metric('build_info', 'gauge', 'Version of the program; always 1.', [[`{version="${label(service.version)}"}`, 1]])
  metric('start_time_seconds', 'gauge', 'When the service started, seconds since 1970.', [
    ['', Date.parse(service.started) / 1000],
  ])
  if (stats !== undefined) {
    metric('packets_total', 'counter', 'Packets captured.', [['', stats.packets]])
    metric('packets_dropped_total', 'counter', 'Packets the kernel dropped before we saw them.', [['', stats.dropped]])
    metric('packets_per_second', 'gauge', 'Packets in the last second.', [['', stats.packetsPerSecond]])
    metric('bytes_per_second', 'gauge', 'Bytes in the last second.', [['', stats.bytesPerSecond]])
    metric('tunnel_up', 'gauge', 'Whether a tunnel is up.', [['', stats.tunnel === 'up' ? 1 : 0]])
  }
  if (verdict !== undefined) {
    metric(
      'dns_verdict',
      'gauge',
      'The verdict on DNS: 1 for the one that holds.',
      DNS_VERDICTS.map((name) => [`{verdict="${name}"}`, verdict.dns === name ? 1 : 0]),
    )
    metric('verdict_complete', 'gauge', 'Whether the verdict rests on everything that left.', [
      ['', verdict.complete ? 1 : 0],
    ])
    metric('dns_questions_outside_total', 'counter', 'DNS questions outside while a tunnel was up.', [
      ['', verdict.coverage.questionsOutside],
    ])
    metric('dns_questions_in_tunnel_total', 'counter', 'DNS questions inside the tunnel.', [
      ['', verdict.coverage.questionsInTunnel],
    ])
  }
  const carried = service.interfaceTotals().filter(({ packets }) => packets > 0)
  const onInterface = (name: string) => `{interface="${label(name)}"}`
  if (carried.length > 0) {
    metric(
      'interface_packets_total',
      'counter',
      'Packets captured on an interface.',
      carried.map((one) => [onInterface(one.interface), one.packets]),
    )
    metric(
      'interface_bytes_total',
      'counter',
      'Bytes captured on an interface, as on the wire.',
      carried.map((one) => [onInterface(one.interface), one.bytes]),
    )
  }
  const resolvers = service.resolverTotals()
  if (resolvers.length > 0) {
    metric(
      'dns_queries_total',
      'counter',
      'Questions asked of a resolver; of an encrypted one, connections.',
      resolvers.map((one) => [`{${resolverLabels(one)}}`, one.queries]),
    )
    metric(
      'dns_answers_total',
      'counter',
      'Questions that a resolver answered.',
      resolvers.map((one) => [`{${resolverLabels(one)}}`, one.answered]),
    )
    metric(
      'dns_failures_total',
      'counter',
      'Answers that say neither what was asked for nor that it does not exist.',
      resolvers.map((one) => [`{${resolverLabels(one)}}`, one.failed]),
    )
    lines.push('# HELP tunnelscope_dns_latency_seconds From a question to its answer.')
    lines.push('# TYPE tunnelscope_dns_latency_seconds histogram')
    for (const one of resolvers) lines.push(...latencyLines(one))
  }
  const leaked = service.leaked()
  if (leaked.length > 0) {
    const byApp = (of: (one: LeakTotal) => number): [string, number][] =>
      leaked.map((one) => [`{app="${label(one.app)}"}`, of(one)])
    metric(
      'leaked_questions_total',
      'counter',
      'DNS questions that left outside the tunnel, by program.',
      byApp((one) => one.questions),
    )
    metric(
      'leaked_outside_seconds_total',
      'counter',
      'How long they were outside, from question to answer, added up.',
      byApp((one) => Number((one.outsideMs / 1000).toFixed(6))),
    )
  }
  const today = service.reader().leakService(Date.now() * 1000)
  if (today.length > 0) {
    metric(
      'leaked_names_today',
      'gauge',
      'Names that left outside the tunnel since midnight UTC, by program.',
      today.slice(0, MAX_APPS).map((one) => [`{app="${label(one.app)}"}`, one.names]),
    )
  }
  metric('epoch', 'gauge', 'Number of the present network context.', [['', service.epoch()?.id ?? 0]])
  metric('stream_seq', 'counter', 'Last number of the stream.', [['', service.lastSeq()]])
  metric('store_paused', 'gauge', 'Whether the store cannot write.', [['', store.paused ? 1 : 0]])
  metric('store_waiting_records', 'gauge', 'Records waiting for the store.', [['', store.waiting]])
  metric('store_lost_records_total', 'counter', 'Records the store could not take.', [['', store.lost]])
  metric('store_folded_records_total', 'counter', 'Records folded into one that still waited.', [['', store.folded]])
  metric('stream_clients', 'gauge', 'Clients of the stream.', [['', counters.clients]])
  metric('stream_messages_sent_total', 'counter', 'Messages sent to clients.', [['', counters.sent]])
  metric('stream_messages_skipped_total', 'counter', 'Messages not sent because a client did not read.', [
    ['', counters.skipped],
  ])
  metric('stream_gaps_total', 'counter', 'Gaps told to clients.', [['', counters.gaps]])
  metric('stream_clients_ended_total', 'counter', 'Clients ended because they were dead.', [['', counters.ended]])
  return `${lines.join('\n')}\n`
}

function resolverLabels({ server, transport, interface: on, side }: ResolverTotals): string {
  return `server="${label(server)}",transport="${transport}",interface="${label(on)}",side="${side}"`
}

function latencyLines(one: ResolverTotals): string[] {
  const name = 'tunnelscope_dns_latency_seconds'
  const labels = resolverLabels(one)
  let below = 0
  const buckets = one.latency.map((count, bucket) => {
    below += count
    const bound = LATENCY_BOUNDS_MS[bucket]
    return `${name}_bucket{${labels},le="${bound === undefined ? '+Inf' : bound / 1000}"} ${below}`
  })
  return [...buckets, `${name}_sum{${labels}} ${one.latencyMicros / 1e6}`, `${name}_count{${labels}} ${below}`]
}

function label(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
