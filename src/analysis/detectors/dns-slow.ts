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
    const summaries = createSummaries(context)
    let nextMicros = 0
    return {
      tick(timeMicros) {
        if (timeMicros < nextMicros) return
        nextMicros = timeMicros + INTERVAL_MICROS
        judge(context, summaries(), raised)
      },
      end: () => judge(context, summaries(), raised),
    }
  },
}

/** One resolver on one interface, all epochs and transports together: the path is the same. */
interface Summary {
  key: string
  figures: ResolverFigures
  parts: ResolverFigures[]
  answered: number
  median: number
  /** Answers came since the median was found. */
  isStale: boolean
}

/** What was known of one line of figures at the last look. */
interface Part {
  summary: Summary
  answered: number
}

/** A scan asks thousands of resolvers: only those with new answers are looked at again. */
function createSummaries(context: DetectorContext): () => Iterable<Summary> {
  const summaries = new Map<string, Summary>()
  const parts = new Map<ResolverFigures, Part>()

  function partOf(figures: ResolverFigures): Part {
    const key = `${figures.interfaceId} ${figures.server} ${figures.port}`
    const summary = summaries.get(key) ?? { key, figures, parts: [], answered: 0, median: 0, isStale: true }
    summaries.set(key, summary)
    summary.parts.push(figures)
    const part = { summary, answered: 0 }
    parts.set(figures, part)
    return part
  }

  return () => {
    for (const figures of context.resolvers()) {
      const part = parts.get(figures) ?? partOf(figures)
      if (part.answered === figures.answered) continue
      part.summary.answered += figures.answered - part.answered
      part.summary.isStale = true
      part.answered = figures.answered
    }
    return summaries.values()
  }
}

function judge(context: DetectorContext, summaries: Iterable<Summary>, raised: Set<string>): void {
  const judged: Summary[] = []
  let best = Number.POSITIVE_INFINITY
  for (const one of summaries) {
    if (one.answered < MIN_ANSWERS) continue
    if (one.isStale) one.median = medianOf(one.parts)
    one.isStale = false
    if (one.median < best) best = one.median
    if (one.median >= SLOW_MICROS) judged.push(one)
  }
  for (const one of judged) raise(context, one.key, one, one.median, best, raised)
}

function medianOf(parts: readonly ResolverFigures[]): number {
  const [first, ...others] = parts
  if (others.length === 0) return latencyQuantile(first!.latency, 0.5) ?? 0
  const latency = first!.latency.slice()
  for (const { latency: more } of others) for (let i = 0; i < latency.length; i++) latency[i] = latency[i]! + more[i]!
  return latencyQuantile(latency, 0.5) ?? 0
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
