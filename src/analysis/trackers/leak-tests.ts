// The leak-test adjudicator: which questions a well-known test page made the machine ask, and what became of each. A page
// sees only the resolver at the far end; here the way of each question is known.
import type { DnsExchange } from '../../model/dns-facts.ts'
import type { ReportLeakTest } from '../../model/report.ts'
import { testOf } from '../judgement/leak-test-names.ts'

export interface LeakTestTracker {
  exchange(exchange: DnsExchange): void
  all(): ReportLeakTest[]
}

/** Runs kept, and questions of one run; a page asks 6 to 150. */
const MAX_RUNS = 64
const MAX_QUESTIONS = 500

export function createLeakTestTracker(): LeakTestTracker {
  const runs = new Map<string, ReportLeakTest>()
  /** By name id: 1 of a test, 2 not; so that a name is looked at once. */
  let verdicts = new Uint8Array(1 << 12)

  function isTestName(exchange: DnsExchange): boolean {
    const { nameId } = exchange
    if (nameId >= verdicts.length) {
      const wider = new Uint8Array(Math.max(nameId + 1, verdicts.length * 2))
      wider.set(verdicts)
      verdicts = wider
    }
    if (verdicts[nameId] === 0) verdicts[nameId] = testOf(exchange.name) === undefined ? 2 : 1
    return verdicts[nameId] === 1
  }

  return {
    exchange(exchange) {
      if (!isTestName(exchange)) return
      const found = testOf(exchange.name)!
      const key = `${found.page.page} ${found.run}`
      let run = runs.get(key)
      if (run === undefined) {
        if (runs.size >= MAX_RUNS) return
        run = { page: found.page.page, questions: [], outside: 0, inside: 0 }
        runs.set(key, run)
      }
      if (exchange.judgement === 'inside') run.inside += exchange.questions
      else run.outside += exchange.questions
      if (run.questions.length >= MAX_QUESTIONS) return
      run.questions.push({
        name: exchange.name,
        type: exchange.typeName,
        server: exchange.serverAddress,
        transport: exchange.transport,
        interface: exchange.interfaceName,
        explanation: explanationOf(exchange),
      })
    },
    all: () => [...runs.values()],
  }
}

function explanationOf(exchange: DnsExchange): string {
  const { serverAddress: server, interfaceName } = exchange
  switch (exchange.judgement) {
    case 'inside':
      return `asked of ${server} inside the tunnel: the page sees whom that resolver asks through`
    case 'leak':
    case 'leak-window':
      return `left on ${interfaceName} to ${server} outside the tunnel (${exchange.cause}): the page sees that resolver's network`
    case 'expected':
      // A probe is nobody's secret, but the page does see who forwards it.
      if (exchange.reason === 'X9')
        return `left on ${interfaceName} to ${server} outside the tunnel: the page sees that resolver's network`
      return `left on ${interfaceName} to ${server}, which is meant to be so (${exchange.reason})`
    case 'no-tunnel':
      return `asked of ${server} on ${interfaceName} while no tunnel was up`
    case 'local':
      return `asked of ${server} on this machine or by another one; who asks further is seen beside it`
    default:
      return `asked of ${server} on ${interfaceName}; whether that is outside the tunnel is not known`
  }
}
