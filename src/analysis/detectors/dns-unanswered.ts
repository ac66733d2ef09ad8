// dns-unanswered: questions that nobody answered (RFC 1035 4.2.1), told per resolver and interface.
import { MAX_NAMES_IN_FINDING } from '../../constants/limits.ts'
import type { DnsExchange } from '../../model/dns-facts.ts'
import { createDeferred } from '../deferred.ts'
import type { Detector, DetectorMeta, RaisedFinding } from '../detector.ts'
import { dnsFilter } from '../display-filter.ts'
import { createPerResolver } from '../per-resolver.ts'

const meta: DetectorMeta = {
  id: 'dns-unanswered',
  title: 'DNS questions without an answer',
  severity: 'warning',
  basis: 'RFC 1035 4.2.1',
  message:
    '{server} on {interface} left {unanswered} of {asked} {asked|question|questions} unanswered ({nameCount} {nameCount|name|names}, e.g. {example}).',
  advice: 'Ask {server} for the same name by hand; if it stays silent use another resolver on {interface}.',
}

/** What one resolver did on one interface. A question counts as unanswered when no repetition of it was answered either. */
interface Silence {
  key: string
  asked: number
  /** Questions without an answer, by name and type. */
  silent: Map<number, Silent>
  /** Their names by id, with how many of those questions ask for each; in the order of the first. */
  names: Map<number, { name: string; questionCount: number }>
  /** Question messages of all of them. */
  unanswered: number
}

interface Silent {
  nameId: number
  askedMicros: number
  messages: number
}

/** A question without an answer that waits for its repetitions. */
interface Waiting {
  resolver: Silence
  question: number
  raised: RaisedFinding
}

/** Below this many silent names one lost datagram is the likelier story, unless the question was asked again and again. */
const MIN_SILENT_NAMES = 2
const MIN_ATTEMPTS = 3
/** A client asks again after five seconds at most (RFC 1035 4.2.1), and its answer may take one. */
const REPETITION_MICROS = 6_000_000
/** Datagrams lost hours apart are no silent resolver. */
const MEMORY_MICROS = 600_000_000

function createSilence(key: string): Silence {
  return { key, asked: 0, silent: new Map(), names: new Map(), unanswered: 0 }
}

export const dnsUnanswered: Detector = {
  meta,
  create(context) {
    const resolverOf = createPerResolver(Number.POSITIVE_INFINITY, createSilence)
    const answered = createAnswerMemory()
    const deferred = createDeferred<Waiting>(decide)

    /** What was raised last of each resolver. */
    const told = new Map<Silence, RaisedFinding>()

    /** No repetition was answered either. */
    function decide({ resolver, question, raised }: Waiting): void {
      if (!resolver.silent.has(question)) return
      if (resolver.names.size < MIN_SILENT_NAMES && resolver.unanswered < MIN_ATTEMPTS) return
      Object.assign(raised.data, figuresOf(resolver))
      context.raise(meta, raised)
      if (told.has(resolver) || told.size < MAX_TOLD) told.set(resolver, raised)
    }

    /** What was asked after the last silence counts too. */
    function renew(): void {
      for (const [resolver, raised] of told) {
        if (resolver.silent.size === 0 || raised.data.asked === resolver.asked) continue
        const { evidence: _, ...known } = raised
        context.raise(meta, { ...known, count: 0, data: { ...raised.data, ...figuresOf(resolver) } })
      }
    }

    return {
      dnsExchange(exchange) {
        deferred.told(exchange.queryMicros)
        const resolver = resolverOf(exchange)!
        resolver.asked += exchange.questions
        const question = exchange.nameId * 0x1_0000 + exchange.type
        if (exchange.outcome === 'answered') {
          answered.note(resolver.key, question, exchange.responseMicros)
          if (resolver.silent.size > 0) forgive(resolver, question)
          return
        }
        // A twin asked before it was answered while this one waited: the client has what it wants.
        if (answered.since(resolver.key, question, exchange.queryMicros)) return
        // The capture may have ended before the answer; a repetition shows that the client itself gave up waiting.
        const gaveUp = exchange.outcome === 'timed-out' || exchange.questions > 1 || resolver.silent.has(question)
        forget(resolver, exchange.queryMicros - MEMORY_MICROS)
        note(resolver, question, exchange)
        if (!gaveUp) return
        const { serverAddress: server, serverPort: port, transport } = exchange
        const raised: RaisedFinding = {
          key: resolver.key,
          timeMicros: exchange.queryMicros,
          confidence: 'proven',
          interface: exchange.interfaceName,
          count: exchange.questions,
          data: { server, port, transport },
          evidence: { source: exchange.inputName, frame: exchange.queryFrame },
          filter: `${dnsFilter(exchange)} && dns.flags.response == 0`,
        }
        deferred.add({ resolver, question, raised }, exchange.queryMicros + REPETITION_MICROS)
      },
      tick: deferred.tick,
      end() {
        deferred.end()
        renew()
      },
    }
  },
}

/** Resolvers whose figures are renewed at the end; a scan has thousands, each with one line. */
const MAX_TOLD = 1024

function figuresOf(resolver: Silence): Record<string, unknown> {
  const { asked, unanswered } = resolver
  const names = firstNames(resolver)
  return { asked, unanswered, names, nameCount: resolver.names.size, example: names[0] }
}

/** Latest answers remembered, by question; one in the place of another is forgotten. */
const ANSWERS_REMEMBERED = 4096

interface AnswerMemory {
  note(resolver: string, question: number, micros: number): void
  /** The question was answered at that time or after. */
  since(resolver: string, question: number, micros: number): boolean
}

/** Twins are rare and answers are many: two columns, no objects. */
function createAnswerMemory(): AnswerMemory {
  const questions = new Float64Array(ANSWERS_REMEMBERED)
  const answeredMicros = new Float64Array(ANSWERS_REMEMBERED)
  const resolvers: string[] = new Array(ANSWERS_REMEMBERED).fill('')
  const placeOf = (question: number): number =>
    (Math.imul((question / 0x1_0000) | 0, 0x9e3779b1) ^ Math.imul(question & 0xffff, 0x85ebca6b)) >>> 20
  return {
    note(resolver, question, micros) {
      const place = placeOf(question)
      questions[place] = question
      answeredMicros[place] = micros
      resolvers[place] = resolver
    },
    since(resolver, question, micros) {
      const place = placeOf(question)
      return questions[place] === question && answeredMicros[place]! >= micros && resolvers[place] === resolver
    },
  }
}

/** Silent questions remembered per resolver; more change nothing in the finding. */
const MAX_SILENT = 1000

function note(resolver: Silence, question: number, exchange: DnsExchange): void {
  const before = resolver.silent.get(question)
  if (before === undefined && resolver.silent.size >= MAX_SILENT) return
  resolver.unanswered += exchange.questions
  const { nameId, queryMicros } = exchange
  const messages = (before?.messages ?? 0) + exchange.questions
  // Kept in order of the last time asked.
  if (before !== undefined) resolver.silent.delete(question)
  resolver.silent.set(question, { nameId, askedMicros: queryMicros, messages })
  if (before !== undefined) return
  const known = resolver.names.get(nameId)
  if (known !== undefined) known.questionCount++
  else resolver.names.set(nameId, { name: exchange.name, questionCount: 1 })
}

function forget(resolver: Silence, beforeMicros: number): void {
  for (const [question, { askedMicros }] of resolver.silent) {
    if (askedMicros >= beforeMicros) return
    forgive(resolver, question)
  }
}

/** An answer after all. */
function forgive(resolver: Silence, question: number): void {
  const one = resolver.silent.get(question)
  if (one === undefined) return
  resolver.silent.delete(question)
  resolver.unanswered -= one.messages
  const known = resolver.names.get(one.nameId)!
  if (known.questionCount === 1) resolver.names.delete(one.nameId)
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
