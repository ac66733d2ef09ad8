// dns-slow: a resolver that answers so slowly that every page waits for it. Told per resolver and interface.
import type { Detector, DetectorContext, DetectorMeta } from '../detector.ts'
import { interfaceFilter } from '../display-filter.ts'
import { LATENCY_BUCKETS, latencyQuantile, type ResolverFigures } from '../trackers/resolvers.ts'

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
/** Fewer answers may all have been cache misses; of a stretch within a longer time even more so. */
const MIN_ANSWERS = 5
const MIN_STRETCH_ANSWERS = 10
/** How often it is looked for, in the time of the questions: a resolver that turns slow is told of then. */
const INTERVAL_MICROS = 10_000_000

export const dnsSlow: Detector = {
  meta,
  create(context) {
    const raised = new Set<string>()
    const summaries = createSummaries(context)
    let nextMicros = 0
    let toldSince = 0
    let resolverCount = 0
    return {
      dnsExchange(exchange) {
        toldSince++
        // Many resolvers asked once in a while are looked at more seldom: a look costs as much as there are of them.
        if (exchange.queryMicros < nextMicros || toldSince < resolverCount) return
        nextMicros = exchange.queryMicros + INTERVAL_MICROS
        toldSince = 0
        resolverCount = context.resolvers().length
        judge(context, stretchesOf(summaries(), exchange.queryMicros), raised)
      },
      end: () => judge(context, wholesOf(summaries()), raised),
    }
  },
}

/** One resolver on one interface, all epochs and transports together: the path is the same. */
interface Summary {
  key: string
  figures: ResolverFigures
  parts: ResolverFigures[]
  answered: number
  /** Of all answers; and those of the stretches judged already. */
  latency: Uint32Array
  judged: Uint32Array
  judgedAnswers: number
  /** When the stretch began. */
  lookedMicros: number
  median: number
  /** Answers came since the median was found. */
  isStale: boolean
}

/** The answers of a resolver that are judged together. */
interface Judged {
  summary: Summary
  median: number
  answers: number
  firstMicros: number
}

/** What was known of one line of figures at the last look. */
interface Part {
  summary: Summary
  answered: number
}

/** A scan asks thousands of resolvers: only those with new answers are looked at again. */
function createSummaries(context: DetectorContext): () => Iterable<Summary> {
  const summaries = new Map<string, Summary>()
  /** As the resolvers stand in their list, which only grows; undefined until the first answer. */
  const parts: (Part | undefined)[] = []

  function partOf(figures: ResolverFigures): Part {
    const key = `${figures.interfaceId} ${figures.server} ${figures.port}`
    let summary = summaries.get(key)
    if (summary === undefined) {
      const empty = () => new Uint32Array(LATENCY_BUCKETS)
      const none = { answered: 0, judgedAnswers: 0, lookedMicros: figures.firstMicros, median: 0, isStale: true }
      summary = { key, figures, parts: [], latency: empty(), judged: empty(), ...none }
      summaries.set(key, summary)
    }
    summary.parts.push(figures)
    return { summary, answered: 0 }
  }

  return () => {
    const resolvers = context.resolvers()
    for (let index = 0; index < resolvers.length; index++) {
      const figures = resolvers[index]!
      if (figures.answered === 0) continue
      const part = parts[index] ?? partOf(figures)
      parts[index] = part
      if (part.answered === figures.answered) continue
      part.summary.answered += figures.answered - part.answered
      part.summary.isStale = true
      part.answered = figures.answered
    }
    for (const one of summaries.values()) if (one.isStale) renew(one)
    return summaries.values()
  }
}

function renew(one: Summary): void {
  one.latency.fill(0)
  for (const { latency } of one.parts) {
    for (let i = 0; i < latency.length; i++) one.latency[i] = one.latency[i]! + latency[i]!
  }
  one.median = latencyQuantile(one.latency, 0.5) ?? 0
  one.isStale = false
}

/** What came since the stretch before, where it is enough: a slow hour must not hide behind a fast day. */
function stretchesOf(summaries: Iterable<Summary>, nowMicros: number): Judged[] {
  const made: Judged[] = []
  for (const summary of summaries) {
    const answers = summary.answered - summary.judgedAnswers
    if (answers < MIN_STRETCH_ANSWERS) continue
    for (let i = 0; i < LATENCY_BUCKETS; i++) summary.judged[i] = summary.latency[i]! - summary.judged[i]!
    const median = latencyQuantile(summary.judged, 0.5) ?? 0
    summary.judged.set(summary.latency)
    summary.judgedAnswers = summary.answered
    made.push({ summary, median, answers, firstMicros: summary.lookedMicros })
    summary.lookedMicros = nowMicros
  }
  return made
}

function wholesOf(summaries: Iterable<Summary>): Judged[] {
  return [...summaries]
    .filter((summary) => summary.answered >= MIN_ANSWERS)
    .map((summary) => ({
      summary,
      median: summary.median,
      answers: summary.answered,
      firstMicros: summary.figures.firstMicros,
    }))
}

function judge(context: DetectorContext, all: readonly Judged[], raised: Set<string>): void {
  const best = Math.min(...all.map((one) => one.median))
  for (const one of all) if (one.median >= SLOW_MICROS) raise(context, one, best, raised)
}

function raise(context: DetectorContext, one: Judged, best: number, raised: Set<string>): void {
  const { summary, median, answers, firstMicros } = one
  const { key, figures } = summary
  const { server, port, transport, interfaceId } = figures
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
      answers,
      comparison: isSlowestByFar ? `, where another resolver needs ${millis(best)} ms` : '',
    },
    filter: `${interfaceFilter(name)}${server.includes(':') ? 'ipv6' : 'ip'}.addr == ${server} && ${transport === 'tcp' ? 'tcp' : 'udp'}.port == ${port} && dns.time > 0.25`,
  })
  raised.add(key)
}

function millis(micros: number): number {
  return Number((micros / 1000).toPrecision(3))
}
