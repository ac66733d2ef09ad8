// dns-slow: a resolver that answers so slowly that every page waits for it. Told per resolver and interface.
import type { Detector, DetectorContext, DetectorMeta } from '../detector.ts'
import { interfaceFilter } from '../display-filter.ts'
import { latencyQuantile, type ResolverFigures } from '../trackers/resolvers.ts'

const meta: DetectorMeta = {
  id: 'dns-slow',
  title: 'A slow resolver',
  severity: 'warning',
  basis: 'heuristic',
  message:
    '{server} on {interface} needs {medianMs} ms for half of its answers ({answers} seen){comparison}: every page waits for that first.',
  advice: 'Use another resolver of the VPN, or one nearer to its exit; the path itself may be slow too.',
}

/** Half of the answers take longer than a person notices, with the rest of the page still to come (heuristic). */
const SLOW_MICROS = 250_000
/** Fewer answers may all have been cache misses. */
const MIN_ANSWERS = 5
/** How often it is looked for while packets come. */
const INTERVAL_MICROS = 10_000_000

export const dnsSlow: Detector = {
  meta,
  create(context) {
    const raised = new Set<string>()
    let nextMicros = 0
    return {
      tick(timeMicros) {
        if (timeMicros < nextMicros) return
        nextMicros = timeMicros + INTERVAL_MICROS
        judge(context, raised)
      },
      end: () => judge(context, raised),
    }
  },
}

/** One resolver on one interface, all epochs and both transports together: the path is the same. */
interface Summary {
  figures: ResolverFigures
  latency: Uint32Array
  answered: number
}

function judge(context: DetectorContext, raised: Set<string>): void {
  const summaries = new Map<string, Summary>()
  for (const figures of context.resolvers()) {
    const key = `${figures.interfaceId} ${figures.server} ${figures.port}`
    const known = summaries.get(key)
    if (known === undefined) {
      summaries.set(key, { figures, latency: figures.latency.slice(), answered: figures.answered })
      continue
    }
    known.answered += figures.answered
    for (const [bucket, count] of figures.latency.entries()) known.latency[bucket] = known.latency[bucket]! + count
  }
  const judged = [...summaries].filter(([, one]) => one.answered >= MIN_ANSWERS)
  const medians = judged.map(([, one]) => latencyQuantile(one.latency, 0.5) ?? 0)
  const best = Math.min(...medians)
  for (const [index, [key, one]] of judged.entries()) {
    const median = medians[index]!
    if (median < SLOW_MICROS) continue
    raise(context, key, one, median, best, raised)
  }
}

function raise(
  context: DetectorContext,
  key: string,
  one: Summary,
  median: number,
  best: number,
  raised: Set<string>,
): void {
  const { server, port, transport, interfaceId, firstMicros } = one.figures
  const { name } = context.interfaceOf(interfaceId)
  const isSlowestByFar = best < median / 4
  context.raise(meta, {
    key,
    timeMicros: firstMicros,
    confidence: isSlowestByFar ? 'strong' : 'probable',
    interface: name,
    count: raised.has(key) ? 0 : 1,
    data: {
      server,
      port,
      medianMs: millis(median),
      answers: one.answered,
      comparison: isSlowestByFar ? `, where another resolver needs ${millis(best)} ms` : '',
    },
    filter: `${interfaceFilter(name)}${server.includes(':') ? 'ipv6' : 'ip'}.addr == ${server} && ${transport === 'tcp' ? 'tcp' : 'udp'}.port == ${port} && dns.time > 0.25`,
  })
  raised.add(key)
}

function millis(micros: number): number {
  return Number((micros / 1000).toPrecision(3))
}
