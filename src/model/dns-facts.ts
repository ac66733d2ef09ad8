// Questions with their answers, in the clear and hidden, and what was judged of them.
import type { ConnectionFact } from './connection-facts.ts'
import type { Confidence, ProcessRef } from './finding.ts'

/** A second answer to one question, or one that came in on another interface (RFC 5452 9). */
export interface OtherAnswer {
  kind: 'second' | 'strayed'
  answers: string[]
  rcode: number
  frame: number
  interfaceName: string
}

/** An exchange that was told already, with the answer that contradicts it. */
export type SecondAnswerFact = Pick<
  DnsExchange,
  | 'name'
  | 'nameId'
  | 'type'
  | 'serverAddress'
  | 'serverPort'
  | 'transport'
  | 'ipVersion'
  | 'interfaceName'
  | 'inputName'
  | 'outcome'
  | 'answers'
  | 'rcode'
  | 'queryMicros'
  | 'queryFrame'
  | 'otherAnswer'
>

/** How a DNS message travelled. */
export type DnsTransport = 'udp' | 'tcp' | 'dot' | 'doh' | 'doq' | 'dnscrypt'

/** What rules.md part 1 says of one question, given its network context. */
export type DnsJudgement =
  /** No tunnel was up or wanted at that time. */
  | 'no-tunnel'
  /** Inside the tunnel. */
  | 'inside'
  /** In clear outside the tunnel although it should not be. */
  | 'leak'
  /** The same, while the tunnel was lost and wanted back. */
  | 'leak-window'
  /** A name that is nobody's on the LAN, shouted to all of it (mDNS, LLMNR, NBNS). */
  | 'lan-exposure'
  /** DoT, DoH, DoQ outside: the name is hidden, the resolver and the moment are not. */
  | 'leak-encrypted'
  /** Outside for a legitimate reason; `reason` has its code X1 … X12. */
  | 'expected'
  /** On loopback, between containers, or not sent by this machine: says nothing about the tunnel. */
  | 'local'
  /** The context is not known well enough. */
  | 'unknown'

/** RFC 7858, RFC 8484, RFC 9250, RFC 8094, DNSCrypt: one connection to a resolver that hides the questions. */
export interface EncryptedDnsFact extends ConnectionFact {
  ipProtocol: number
  transport: 'dot' | 'doh' | 'doq' | 'dnscrypt'
  /** The server's name, where the client told it. */
  host?: string
  /** By what it was known: `named` by the operator, `name` and `address` of the built-in list, `bootstrap` by DNS itself. */
  evidence: 'alpn' | 'port' | 'content' | 'named' | 'name' | 'bootstrap' | 'address'
  confidence: Confidence
  basis: string
  /** For counting: as one question. */
  questions: number
  epoch: number
  judgement: DnsJudgement
  cause: string
  reason: string
}

/** One question, answered or not, with the network context of its moment. Valid during the call. */
export interface DnsExchange {
  /** Lower case, presentation form with escapes (RFC 4343), without the final dot; '' is the root. */
  readonly name: string
  readonly nameId: number
  readonly type: number
  readonly typeName: string
  readonly clientAddress: string
  readonly clientId: number
  readonly clientPort: number
  readonly serverAddress: string
  readonly serverId: number
  readonly serverPort: number
  readonly transport: DnsTransport
  readonly ipVersion: number
  readonly interfaceId: number
  readonly interfaceName: string
  readonly inputName: string
  /** Question messages: 1 + repetitions with the same id and port. */
  readonly questions: number
  readonly queryMicros: number
  /** −1 when no answer came. */
  readonly responseMicros: number
  /** Answered, no answer within the timeout, or not decided when the capture ended. */
  readonly outcome: 'answered' | 'timed-out' | 'undecided'
  /** −1 when no answer came. */
  readonly rcode: number
  readonly queryFrame: number
  readonly responseFrame: number
  readonly fragmented: boolean
  /** `dns`, or the protocol that shouts on the LAN. */
  readonly protocol: 'dns' | 'mdns' | 'llmnr' | 'nbns'
  /** Equal for answers with the same addresses; 0 without any. */
  readonly answerSet: number
  /** The addresses of the answer; [] without. */
  readonly answers: readonly string[]
  /** An answer that contradicts the first one, or that came in elsewhere; undefined mostly. */
  readonly otherAnswer: OtherAnswer | undefined
  /** Which program asked, where that is known. */
  readonly process: ProcessRef | undefined
  /** How sure the judgement is: what a capture leaves out makes it weaker. */
  readonly confidence: Confidence
  /** What the cause rests on (the resolver inside that did not answer, how long it was waited for), by name. */
  readonly detail: Readonly<Record<string, string | number>>
  /** Epoch of the question. */
  readonly epoch: number
  readonly judgement: DnsJudgement
  /** Cause of a leak in the catalogue's words; '' otherwise. */
  readonly cause: string
  /** X1 … X12 when expected; '' otherwise. */
  readonly reason: string
}
