// What trackers tell and detectors, event lines and the store listen to. A fact is a row of columns or a small
// object that is used again: whoever wants to keep something copies it during the call.
import type {
  ConnectionFact,
  ResetFact,
  SizeLossFact,
  SizePassedFact,
  StallFact,
  TooBigFact,
  TooBigIgnoredFact,
} from './connection-facts.ts'
import type { DecodedBatch } from './decoded-batch.ts'
import type { Confidence, ProcessRef } from './finding.ts'
import type { InterfaceRole } from './network-context.ts'
import type { PacketBatch } from './packet-batch.ts'
import type { SiteObservation } from './site.ts'

export type { ConnectionFact } from './connection-facts.ts'

/**
 * Handlers of facts; all optional. The triple (batch, out, row) is the decoded packet that completed the fact: for a
 * message from a TCP stream or from fragments it is a row made by us, with the time, frame number, interface and
 * 5-tuple of the frame that completed it and `bytes` holding the reassembled message.
 */
export interface FactHandlers {
  /** Every packet, as captured. HOT PATH. */
  packet?(batch: PacketBatch, out: DecodedBatch, row: number): void
  /** An IP fragment, as captured (also the first one), or a datagram put together that is a fragment again. */
  fragment?(batch: PacketBatch, out: DecodedBatch, row: number): void
  /** Fragments that contradict each other, or a datagram of which a part never came. */
  fragmentSet?(fact: FragmentSetFact): void
  /** An ICMP error. `out.quotedAt` is where the packet it quotes begins, 0 when it quotes none that can be read. */
  icmpError?(batch: PacketBatch, out: DecodedBatch, row: number): void
  /** A whole DNS, mDNS, LLMNR or NBNS message: `out.layer` says which, `out.ipProtocol` over what. HOT PATH. */
  dnsMessage?(batch: PacketBatch, out: DecodedBatch, row: number): void
  /** The same, out of TLS that a key log opened (RFC 7858): on the wire nobody could read it, so it is no `dnsMessage`. */
  dnsInsideTls?(batch: PacketBatch, out: DecodedBatch, row: number): void
  tls?(message: TlsFact): void
  quic?(message: QuicFact): void
  /** A request or response, when its body has ended or no more of it can be seen. */
  http?(message: HttpFact): void
  /** A request and its response; one of them is undefined when it was not seen. 1xx responses come without request. */
  httpExchange?(request: HttpFact | undefined, response: HttpFact | undefined): void
  /** A flow that ended or was evicted, and at the end of input every flow that is left. Valid during the call. */
  flow?(flow: FlowFact): void
  /** A "packet too big" message. */
  tooBig?(fact: TooBigFact): void
  /** Its sender does not heed a validated one. */
  tooBigIgnored?(fact: TooBigIgnoredFact): void
  /** Segments of one size die on a path. */
  sizeLoss?(fact: SizeLossFact): void
  /** A size held for lost passed. */
  sizePassed?(fact: SizePassedFact): void
  /** A connection fell silent in its first exchange; told again when its client gives up. */
  stall?(fact: StallFact): void
  /** A connection was reset. */
  reset?(fact: ResetFact): void
  /** A question with its answer or its timeout, judged in its network context. */
  dnsExchange?(exchange: DnsExchange): void
  /** Live: a second answer that says something else came after its exchange was told (rules.md R13). */
  secondAnswer?(fact: SecondAnswerFact): void
  /** A connection to an encrypted resolver, judged in its network context. */
  encryptedDns?(connection: EncryptedDnsFact): void
  /** The resolver of such a connection answered; told once, after `encryptedDns`. */
  encryptedDnsAnswered?(connection: EncryptedDnsFact): void
  /** A question shouted on the LAN over mDNS, LLMNR or NBNS, judged. It has no outcome. */
  nameExposure?(exchange: DnsExchange): void
  /** A TCP connection that was opened or tried, judged in the network context of its SYN. */
  connectionOpened?(connection: OpenedConnection): void
  /**
   * A site that fails in its epoch (its latest connection began at `timeMicros`), and how it was in others. Told when
   * something of it changed, at most once a second.
   */
  siteFails?(now: SiteObservation, others: readonly SiteObservation[], timeMicros: number): void
  /** A route came to the machine's knowledge: by DHCP as captured, or live from the kernel. */
  route?(fact: RouteFact): void
  /** A packet with a fault (`out.fault`), as captured. */
  malformed?(batch: PacketBatch, out: DecodedBatch, row: number): void
  /** What the capturing system counted on one interface, at the end of input; live, whenever drops grew. */
  captureStatistics?(statistics: CaptureStatisticsFact): void
  /** Something happened to the tunnel or to what is watched, as the kernel told; in order of time. */
  networkEvent?(event: NetworkEventFact): void
  /** Packet time has reached `timeMicros`: deadlines before it are due. */
  tick?(timeMicros: number): void
  /** All input has been read. */
  end?(): void
}

/** What the kernel told of the network, with the kernel's time of the change; offline a loss as the packets show it. */
export type NetworkEventFact =
  | { kind: 'epoch'; timeMicros: number; epochId: number }
  /** `how`: words for a person, `wg0 deleted`. */
  | { kind: 'tunnel-lost'; timeMicros: number; interfaceNames: string[]; how: string }
  | { kind: 'tunnel-back'; timeMicros: number; interfaceNames: string[]; lostMicros: number }
  /** It did not come back in time, or before the end: somebody switched it off. */
  | { kind: 'tunnel-stopped'; timeMicros: number; interfaceNames: string[]; lostMicros: number }
  /** An interface that can carry packets and is not captured. */
  | { kind: 'unwatched'; timeMicros: number; interfaceName: string; role: InterfaceRole }

/** Loss as the capturing system counted it. */
export interface CaptureStatisticsFact {
  interfaceName: string
  inputName: string
  timeMicros: number
  /** Packets captured on that interface. */
  packets: number
  /** Packets the capturing system lost there. */
  dropped: number
}

/** A datagram that could not be put together. `lost`: told at its deadline (RFC 8200 4.5); `overlap`: RFC 5722, RFC 1858. */
export interface FragmentSetFact {
  kind: 'lost' | 'overlap'
  timeMicros: number
  /** lost: the first fragment that came; overlap: the one that did not fit. */
  frameNumber: number
  interfaceId: number
  srcAddress: string
  dstAddress: string
  ipVersion: number
  ipProtocol: number
  ipId: number
  receivedLen: number
  /** −1 when the last fragment never came. */
  totalLen: number
  /** The first fragment, which has the ports, came. */
  hasFirst: boolean
}

/**
 * RFC 8446, RFC 5246: what a connection shows of TLS before it is encrypted and, where a key log has its secrets, after.
 * Absent = not seen.
 */
export interface TlsFact extends ConnectionFact {
  kind: 'client-hello' | 'server-hello' | 'encrypted-extensions' | 'certificate' | 'alert'
  fromClient: boolean
  /** client-hello: as offered; server-hello: as chosen. */
  version?: number
  sni?: string
  clientAlpns?: string[]
  serverAlpn?: string
  /** client-hello, as offered, without GREASE (RFC 8701). */
  supportedVersions?: number[]
  groups?: number[]
  cipherSuites?: number[]
  /** server-hello: the one chosen. */
  cipherSuite?: number
  /** server-hello: asks for another ClientHello (RFC 8446 4.1.4). */
  helloRetryRequest?: boolean
  echPresent?: boolean
  /** MD5 in hex, and the text it was made of. */
  ja3?: string
  ja3Text?: string
  ja3s?: string
  ja3sText?: string
  ja4?: string
  /** Bytes of the handshake message with its header. */
  messageLen?: number
  /** Only the first part of the message was read: cut by the snap length, or lost with the rest of the connection. */
  partial?: 'cut' | 'lost'
  /** Distinguished names, `C=US, O=Example, CN=example.com`, in their order on the wire. */
  subject?: string
  issuer?: string
  notBeforeMicros?: number
  notAfterMicros?: number
  /** Hex pairs with colons, `0A:1B`. */
  serial?: string
  alertLevel?: number
  alertDescription?: number
  /** alert: its sender had sent content before, so that it was not the handshake that it ended. */
  afterContent?: true
}

/** RFC 9000, RFC 9369: what a QUIC connection's first packets show. Absent = not seen. */
export interface QuicFact extends ConnectionFact {
  /** A client-hello of Google's own versions has nothing but the version. */
  kind: 'client-hello' | 'retry' | 'version-negotiation'
  /** As on the wire; 0 for a version negotiation. */
  version: number
  /** version-negotiation: what the server offers. */
  versions?: number[]
  /** client-hello: the highest TLS version offered. */
  tlsVersion?: number
  sni?: string
  clientAlpns?: string[]
  echPresent?: boolean
  ja4?: string
  /** Bytes of the ClientHello with its header. */
  messageLen?: number
}

/**
 * RFC 9112: one request or response. Time and frame are those of its last byte seen. Of an HTTP/2
 * connection in the clear, `HTTP/2`, of which no request could be read there is one without method.
 */
export interface HttpFact extends ConnectionFact {
  kind: 'request' | 'response'
  /** When the head was complete. */
  headMicros: number
  method?: string
  url?: string
  host?: string
  /** As written, `HTTP/1.1`; absent for an HTTP/0.9 request. */
  protocol?: string
  status?: number
  /** Method of the request that a response answers, when it was seen. */
  requestMethod?: string
  userAgent?: string
  server?: string
  via?: string
  proxyStatus?: string
  cfRay?: string
  xCache?: string
  contentType?: string
  location?: string
  /** Body bytes that were seen. */
  bodyLen?: number
  /** Not all of the message was seen: cut by the snap length, or lost in the capture or with the rest of the connection. */
  partial?: 'cut' | 'lost'
  /** A request without response, on a connection of which bytes of the server are missing: it may have been answered. */
  answerLost?: true
}

/** RFC 9293 connection or a UDP/ICMP 5-tuple, at its end. "toServer" is the direction of the first packet or of the SYN. */
export interface FlowFact extends ConnectionFact {
  ipProtocol: number
  startMicros: number
  endMicros: number
  packetsToServer: number
  packetsToClient: number
  bytesToServer: number
  bytesToClient: number
  state: 'new' | 'established' | 'closed' | 'reset' | 'active'
  retransmissions: number
  mssToServer: number
  mssToClient: number
  /** Handshake round trip, milliseconds, −1 when not seen. */
  rttMillis: number
  /** One letter per event, Zeek's alphabet: capital = client. */
  history: string
}

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

/** A TCP SYN of a new connection, with the network context of its moment. Valid during the call. */
export interface OpenedConnection {
  readonly timeMicros: number
  readonly frame: number
  readonly interfaceId: number
  readonly interfaceName: string
  readonly inputName: string
  readonly clientAddress: string
  readonly clientPort: number
  readonly serverAddress: string
  readonly serverId: number
  readonly serverPort: number
  readonly ipVersion: number
  /** `refused`: by a reset; `silent`: no answer within some seconds, or before the capture ended. */
  readonly outcome: 'answered' | 'refused' | 'silent'
  /** From the SYN to its answer; −1 without, and when the SYN was repeated. */
  readonly handshakeMicros: number
  readonly epoch: number
  readonly judgement: ConnectionJudgement
  readonly cause: string
  readonly reason: string
  readonly confidence: Confidence
}

/** As DnsJudgement; `outside`: to a public address, past a tunnel that should carry it. */
export type ConnectionJudgement = 'no-tunnel' | 'inside' | 'outside' | 'expected' | 'local' | 'unknown'

/** One route: what it covers and where it came from. */
export interface RouteFact {
  timeMicros: number
  interfaceName: string
  inputName: string
  frame: number
  destination: string
  prefixLen: number
  gateway: string
  /** `option-121` RFC 3442, `lan-prefix` the subnet of a lease, `kernel` the routing table. */
  source: 'option-121' | 'lan-prefix' | 'kernel'
  /** The DHCP server that gave it. */
  server?: string
  /** A tunnel was up or wanted back at that time; told to handlers only when it is known. */
  isTunnelTime?: boolean
}

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
