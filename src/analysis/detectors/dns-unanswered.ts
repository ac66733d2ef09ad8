// dns-unanswered: questions that nobody answered (RFC 1035 4.2.1), told per resolver and interface.
import { MAX_NAMES_IN_FINDING } from '../../constants/limits.ts'
import type { Detector, DetectorMeta } from '../detector.ts'
import { dnsFilter } from '../display-filter.ts'

const meta: DetectorMeta = {
  id: 'dns-unanswered',
  title: 'DNS questions without an answer',
  severity: 'warning',
  basis: 'RFC 1035 4.2.1',
  message:
    '{server} on {interface} left {unanswered} of {asked} {asked|question|questions} unanswered ({nameCount} {nameCount|name|names}, e.g. {example}).',
  advice: 'Ask {server} for the same name by hand; if it stays silent use another resolver on {interface}.',
}

/** What one resolver did on one interface. A name counts as unanswered until any question for it is answered. */
interface Silence {
  asked: number
  answered: number
  silent: Map<string, string>
}

/** Below this many silent names one lost datagram is the likelier story, unless the question was asked again and again. */
const MIN_SILENT_NAMES = 2
const MIN_ATTEMPTS = 3

export const dnsUnanswered: Detector = {
  meta,
  create(context) {
    const resolvers = new Map<string, Silence>()
    return {
      dnsExchange(exchange) {
        const key = `${exchange.interfaceName} ${exchange.serverAddress} ${exchange.serverPort}`
        const resolver = resolvers.get(key) ?? { asked: 0, answered: 0, silent: new Map() }
        resolvers.set(key, resolver)
        resolver.asked += exchange.questions
        const question = `${exchange.nameId} ${exchange.type}`
        if (exchange.outcome === 'answered') {
          resolver.answered++
          resolver.silent.delete(question)
          return
        }
        // The capture may have ended before the answer; a repetition shows that the client itself gave up waiting.
        const gaveUp = exchange.outcome === 'timed-out' || exchange.questions > 1 || resolver.silent.has(question)
        if (resolver.silent.size < MAX_SILENT) resolver.silent.set(question, exchange.name)
        if (!gaveUp) return
        const names = [...new Set(resolver.silent.values())]
        const unanswered = resolver.asked - resolver.answered
        if (names.length < MIN_SILENT_NAMES && unanswered < MIN_ATTEMPTS) return
        context.raise(meta, {
          key,
          timeMicros: exchange.queryMicros,
          confidence: 'proven',
          interface: exchange.interfaceName,
          count: exchange.questions,
          data: {
            server: exchange.serverAddress,
            port: exchange.serverPort,
            transport: exchange.transport,
            asked: resolver.asked,
            unanswered,
            names: names.slice(0, MAX_NAMES_IN_FINDING),
            nameCount: names.length,
            example: names[0],
          },
          evidence: { source: exchange.inputName, frame: exchange.queryFrame },
          filter: `${dnsFilter(exchange)} && dns.flags.response == 0`,
        })
      },
    }
  },
}

/** Silent questions remembered per resolver; more change nothing in the finding. */
const MAX_SILENT = 1000
