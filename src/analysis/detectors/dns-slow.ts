// dns-slow: a resolver that answers so slowly that every page waits for it. Told per resolver and interface.
import type { Evidence } from '../../model/finding.ts'
import type { Detector, DetectorMeta } from '../detector.ts'
import { dnsFilter } from '../display-filter.ts'

const meta: DetectorMeta = {
  id: 'dns-slow',
  title: 'A slow resolver',
  severity: 'warning',
  basis: 'heuristic',
  message:
    '{server} on {interface} needs {medianMs} ms for half of its answers ({answers} seen){comparison}: every page waits for that first.',
  advice: 'Use another resolver of the VPN, or one nearer to its exit; the path itself may be slow too.',
}

/** Half of the answers take longer than a person notices (100 ms, Nielsen) with the rest of the page still to come. */
const SLOW_MICROS = 250_000
/** Fewer answers may all have been cache misses. */
const MIN_ANSWERS = 5
/** Latencies kept of one resolver: enough for a median, spread over the run by overwriting. */
const KEPT = 512
const MAX_RESOLVERS = 1024

interface Latencies {
  server: string
  port: number
  transport: string
  interfaceName: string
  values: number[]
  answers: number
  firstMicros: number
  evidence: Evidence
  filter: string
}

export const dnsSlow: Detector = {
  meta,
  create(context) {
    const resolvers = new Map<string, Latencies>()
    return {
      dnsExchange(exchange) {
        if (exchange.outcome !== 'answered' || exchange.questions > 1) return
        const key = `${exchange.interfaceName} ${exchange.serverAddress} ${exchange.serverPort} ${exchange.transport}`
        let one = resolvers.get(key)
        if (one === undefined) {
          if (resolvers.size >= MAX_RESOLVERS) return
          one = {
            server: exchange.serverAddress,
            port: exchange.serverPort,
            transport: exchange.transport,
            interfaceName: exchange.interfaceName,
            values: [],
            answers: 0,
            firstMicros: exchange.queryMicros,
            evidence: { source: exchange.inputName, frame: exchange.responseFrame },
            filter: dnsFilter(exchange),
          }
          resolvers.set(key, one)
        }
        one.values[one.answers++ % KEPT] = exchange.responseMicros - exchange.queryMicros
      },
      end() {
        const judged = [...resolvers].filter(([, one]) => one.answers >= MIN_ANSWERS)
        const medians = judged.map(([, one]) => median(one.values))
        for (const [index, [key, one]] of judged.entries()) {
          const slow = medians[index]!
          if (slow < SLOW_MICROS) continue
          const best = Math.min(...medians)
          context.raise(meta, {
            key,
            timeMicros: one.firstMicros,
            confidence: best < slow / 4 ? 'strong' : 'probable',
            interface: one.interfaceName,
            data: {
              server: one.server,
              port: one.port,
              transport: one.transport,
              medianMs: millis(slow),
              answers: one.answers,
              comparison: best < slow / 4 ? `, where another one needs ${millis(best)} ms` : '',
            },
            evidence: one.evidence,
            filter: `${one.filter} && dns.time > 0.25`,
          })
        }
      },
    }
  },
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[(sorted.length - 1) >> 1]!
}

function millis(micros: number): number {
  return Number((micros / 1000).toPrecision(3))
}
