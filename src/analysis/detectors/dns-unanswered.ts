// dns-unanswered: questions that nobody answered (RFC 1035 4.2.1), told per resolver and interface.
import { MAX_NAMES_IN_FINDING } from '../../constants/limits.ts'
import type { DnsExchange } from '../../model/facts.ts'
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
  key: string
  asked: number
  answered: number
  /** Questions without an answer, by name and type: the name's id. */
  silent: Map<number, number>
  /** Their names by id, with how many of those questions ask for each; in the order of the first. */
  names: Map<number, { name: string; questionCount: number }>
}

/** Below this many silent names one lost datagram is the likelier story, unless the question was asked again and again. */
const MIN_SILENT_NAMES = 2
const MIN_ATTEMPTS = 3

export const dnsUnanswered: Detector = {
  meta,
  create(context) {
    const resolvers = new Map<string, Silence>()
    let last: Silence | undefined
    let lastServerId = -1
    let lastServerPort = -1
    let lastInterfaceId = -1

    /** Most exchanges are with the resolver of the one before, and most are answered: no text is made for them. */
    function resolverOf(exchange: DnsExchange): Silence {
      const { serverId, serverPort, interfaceId } = exchange
      if (
        last === undefined ||
        serverId !== lastServerId ||
        serverPort !== lastServerPort ||
        interfaceId !== lastInterfaceId
      ) {
        const key = `${exchange.interfaceName} ${exchange.serverAddress} ${serverPort}`
        last = resolvers.get(key) ?? { key, asked: 0, answered: 0, silent: new Map(), names: new Map() }
        resolvers.set(key, last)
        lastServerId = serverId
        lastServerPort = serverPort
        lastInterfaceId = interfaceId
      }
      return last
    }

    return {
      dnsExchange(exchange) {
        const resolver = resolverOf(exchange)
        resolver.asked += exchange.questions
        const question = exchange.nameId * 0x1_0000 + exchange.type
        if (exchange.outcome === 'answered') {
          resolver.answered++
          if (resolver.silent.size > 0) forgive(resolver, question)
          return
        }
        // The capture may have ended before the answer; a repetition shows that the client itself gave up waiting.
        const gaveUp = exchange.outcome === 'timed-out' || exchange.questions > 1 || resolver.silent.has(question)
        if (resolver.silent.size < MAX_SILENT) note(resolver, question, exchange)
        if (!gaveUp) return
        const nameCount = resolver.names.size
        const unanswered = resolver.asked - resolver.answered
        if (nameCount < MIN_SILENT_NAMES && unanswered < MIN_ATTEMPTS) return
        const names = firstNames(resolver)
        context.raise(meta, {
          key: resolver.key,
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
            names,
            nameCount,
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

function note(resolver: Silence, question: number, exchange: DnsExchange): void {
  if (resolver.silent.has(question)) return
  const { nameId } = exchange
  resolver.silent.set(question, nameId)
  const known = resolver.names.get(nameId)
  if (known !== undefined) known.questionCount++
  else resolver.names.set(nameId, { name: exchange.name, questionCount: 1 })
}

/** An answer after all. */
function forgive(resolver: Silence, question: number): void {
  const nameId = resolver.silent.get(question)
  if (nameId === undefined) return
  resolver.silent.delete(question)
  const known = resolver.names.get(nameId)!
  if (known.questionCount === 1) resolver.names.delete(nameId)
  else known.questionCount--
}

function firstNames(resolver: Silence): string[] {
  const names: string[] = []
  for (const { name } of resolver.names.values()) {
    if (names.length === MAX_NAMES_IN_FINDING) break
    names.push(name)
  }
  return names
}
