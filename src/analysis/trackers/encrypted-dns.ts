// Connections to resolvers that hide the questions: DNS over TLS, QUIC, HTTPS, DTLS and DNSCrypt (rules.md R5-R8). One
// fact a connection. What it is can be told at once; what it means waits for the network context and for the DNS
// answers that may have introduced the resolver.
import { IPPROTO_TCP, IPPROTO_UDP, PORT_DNS_OVER_TLS, PORT_HTTPS } from '../../constants/wire.ts'
import type { ConnectionFact, FlowFact } from '../../model/connection-facts.ts'
import type { EncryptedDnsFact } from '../../model/dns-facts.ts'
import type { QuicFact, TlsFact } from '../../model/protocol-facts.ts'
import type { ResolverKnowledge } from '../resolver-knowledge.ts'
import { connectionOf } from './stream-consumer.ts'

export interface EncryptedDnsTracker {
  tls(fact: TlsFact): void
  quic(fact: QuicFact): void
  flow(fact: FlowFact): void
  /** A datagram that is DNSCrypt's or DTLS' by its content. */
  datagram(where: ConnectionFact, transport: 'dnscrypt' | 'dtls'): void
  /** Tells the connections that began before `timeMicros`. */
  settle(timeMicros: number): void
  /** Tells all that are left. */
  end(): void
}

/** A connection whose meaning is not known yet. */
interface Held extends ConnectionFact {
  ipProtocol: number
  sni: string | undefined
  alpns: readonly string[]
  content: 'tls' | 'quic' | 'dnscrypt' | 'dtls' | 'unseen'
  /** The server sent more than its own handshake takes. */
  answered: boolean
  /** Set when it was told: to be called when an answer is known of. */
  noteAnswer: (() => void) | undefined
}

/** Connections that wait for the tunnel's times; each takes some 300 bytes. */
export const MAX_HELD = 16_384
/** When there are more, so many, the first that came, are judged with what is known by then: one by one would move the rest each time. */
const JUDGED_EARLY = MAX_HELD / 8
/** Flows whose hello was seen or that were told; so that their end does not tell them again. */
const MAX_SEEN = 65_536
/** TCP and TLS headers, and little else: nothing was asked. */
const MIN_ASKED_BYTES = 200
/** The shortest certificate chain alone is longer. */
const MIN_ANSWER_BYTES = 400

/** `tell` gets everything but epoch, judgement, cause and reason; what it gives back is called when the server answered. */
export function createEncryptedDnsTracker(
  knowledge: ResolverKnowledge,
  tell: (fact: EncryptedDnsFact) => () => void,
): EncryptedDnsTracker {
  let held: Held[] = []
  const seen = new Map<number, Held>()

  function hold(connection: Held): void {
    if (seen.has(connection.flowId)) return
    if (seen.size >= MAX_SEEN) seen.clear()
    seen.set(connection.flowId, connection)
    wait(connection)
  }

  function wait(connection: Held): void {
    held.push(connection)
    if (held.length <= MAX_HELD) return
    for (const one of held.splice(0, JUDGED_EARLY)) told(one)
  }

  function told(connection: Held): void {
    const found = classify(connection, knowledge)
    if (found === undefined) return
    const { sni } = connection
    const noteAnswer = tell({
      ...connectionOf(connection, false),
      ipProtocol: connection.ipProtocol,
      ...found,
      ...(sni === undefined ? {} : { host: sni }),
      questions: 1,
      epoch: 1,
      judgement: 'unknown',
      cause: '',
      reason: '',
    })
    connection.noteAnswer = noteAnswer
    if (connection.answered) noteAnswer()
  }

  return {
    tls(fact) {
      if (fact.kind === 'client-hello') hold(heldOf(fact, IPPROTO_TCP, 'tls', fact.sni, fact.clientAlpns, false))
    },
    quic(fact) {
      if (fact.kind === 'client-hello') hold(heldOf(fact, IPPROTO_UDP, 'quic', fact.sni, fact.clientAlpns, false))
    },
    datagram(where, transport) {
      hold(heldOf(where, IPPROTO_UDP, transport, undefined, undefined, transport === 'dnscrypt'))
    },
    flow(fact) {
      const { serverPort, ipProtocol } = fact
      const known = seen.get(fact.flowId)
      if (known !== undefined) {
        seen.delete(fact.flowId)
        if (known.answered || fact.bytesToClient < MIN_ANSWER_BYTES) return
        known.answered = true
        known.noteAnswer?.()
        return
      }
      if (serverPort !== PORT_DNS_OVER_TLS && serverPort !== PORT_HTTPS) return
      // Its beginning was not captured, so that no hello was seen; on 853 that is enough, on 443 the address decides.
      const hasAnswer = fact.bytesToClient >= MIN_ASKED_BYTES && fact.bytesToServer >= MIN_ASKED_BYTES
      if (!hasAnswer || ipProtocol !== IPPROTO_TCP) return
      if (serverPort === PORT_HTTPS && fact.rttMillis >= 0) return
      const unseen = heldOf(fact, ipProtocol, 'unseen', undefined, undefined, true)
      unseen.timeMicros = fact.startMicros
      wait(unseen)
    },
    settle(timeMicros) {
      if (held.length === 0 || held[0]!.timeMicros >= timeMicros) return
      const due = held.filter((one) => one.timeMicros < timeMicros)
      held = held.filter((one) => one.timeMicros >= timeMicros)
      for (const one of due) told(one)
    },
    end() {
      const due = held.sort((a, b) => a.timeMicros - b.timeMicros)
      held = []
      for (const one of due) told(one)
    },
  }
}

const NO_ALPNS: readonly string[] = Object.freeze([])

function heldOf(
  fact: ConnectionFact,
  ipProtocol: number,
  content: Held['content'],
  sni: string | undefined,
  alpns: readonly string[] | undefined,
  answered: boolean,
): Held {
  // Written to and not copied, always in this order: every connection with a hello is held.
  const held = connectionOf(fact, false) as Held
  held.ipProtocol = ipProtocol
  held.sni = sni
  held.alpns = alpns ?? NO_ALPNS
  held.content = content
  held.answered = answered
  held.noteAnswer = undefined
  return held
}

type Finding = Pick<EncryptedDnsFact, 'transport' | 'evidence' | 'confidence' | 'basis'>

/** What the connection is, or undefined when nothing says that it is DNS. The surest sign decides. */
function classify(one: Held, knowledge: ResolverKnowledge): Finding | undefined {
  if (one.content === 'dnscrypt') {
    return { transport: 'dnscrypt', evidence: 'content', confidence: 'proven', basis: 'DNSCrypt version 2' }
  }
  if (one.content === 'dtls') return { transport: 'dot', evidence: 'port', confidence: 'strong', basis: 'RFC 8094 3' }
  if (one.alpns.some((alpn) => alpn === 'dot')) {
    return { transport: 'dot', evidence: 'alpn', confidence: 'proven', basis: 'RFC 7858 3.1' }
  }
  if (one.alpns.some((alpn) => alpn === 'doq' || alpn.startsWith('doq-'))) {
    return { transport: 'doq', evidence: 'alpn', confidence: 'proven', basis: 'RFC 9250 4.1' }
  }
  if (one.serverPort === PORT_DNS_OVER_TLS) return onDnsPort(one)
  const name = one.sni?.toLowerCase().replace(/\.$/, '')
  const byName = name === undefined ? undefined : knowledge.byName(name)
  if (byName !== undefined) {
    return {
      transport: 'doh',
      evidence: byName,
      confidence: byName === 'named' ? 'proven' : 'strong',
      basis: 'RFC 8484 4',
    }
  }
  const byAddress = knowledge.byAddress(one.serverAddress, one.timeMicros)
  switch (byAddress) {
    case 'named':
      return { transport: 'doh', evidence: byAddress, confidence: 'strong', basis: 'RFC 8484 4' }
    case 'bootstrap':
      return { transport: 'doh', evidence: byAddress, confidence: 'strong', basis: 'RFC 9462 4' }
    case 'address':
      return { transport: 'doh', evidence: byAddress, confidence: 'probable', basis: 'heuristic' }
    default:
      return undefined
  }
}

function onDnsPort(one: Held): Finding {
  const transport = one.ipProtocol === IPPROTO_UDP ? 'doq' : 'dot'
  const basis = transport === 'doq' ? 'RFC 9250 4.1.1' : 'RFC 7858 3.1'
  return { transport, evidence: 'port', confidence: one.content === 'unseen' ? 'probable' : 'strong', basis }
}
