// What trackers tell and detectors, event lines and the store listen to. A fact is a row of columns or a small
// object that is used again: whoever wants to keep something copies it during the call.
import type { CaptureInterface } from './capture-interface.ts'
import type { DecodedBatch } from './decoded-batch.ts'
import type { PacketBatch } from './packet-batch.ts'

/**
 * Handlers of facts; all optional. The triple (batch, out, row) is the decoded packet that completed the fact: for a
 * message from a TCP stream or from fragments it is a row made by us, with the time, frame number, interface and
 * 5-tuple of the frame that completed it and `bytes` holding the reassembled message.
 */
export interface FactHandlers {
  /** Every packet, as captured. HOT PATH. */
  packet?(batch: PacketBatch, out: DecodedBatch, row: number): void
  /** An IP fragment, as captured (also the first one). */
  fragment?(batch: PacketBatch, out: DecodedBatch, row: number): void
  /** An ICMP error that quotes a packet; `out.quotedAt` is where. */
  icmpError?(batch: PacketBatch, out: DecodedBatch, row: number): void
  /** A whole DNS, mDNS, LLMNR or NBNS message: `out.layer` says which, `out.ipProtocol` over what. HOT PATH. */
  dnsMessage?(batch: PacketBatch, out: DecodedBatch, row: number): void
  tls?(message: TlsFact): void
  http?(message: HttpFact): void
  /** A flow that ended or was evicted, and at the end of input every flow that is left. */
  flow?(flow: FlowFact): void
  /** A question with its answer or its timeout, judged in its network context. */
  dnsExchange?(exchange: DnsExchange): void
  /** Packet time has reached `timeMicros`: deadlines before it are due. */
  tick?(timeMicros: number): void
  /** All input has been read. */
  end?(): void
}

/** Where a message of a connection comes from: the frame that completed it and the connection, seen from the client. */
export interface ConnectionFact {
  timeMicros: number
  frameNumber: number
  interfaceId: number
  /** Joins all facts of one flow; unique in a run. */
  flowId: number
  /** Addresses in text form, client first. */
  clientAddress: string
  clientPort: number
  serverAddress: string
  serverPort: number
  /** 4 or 6. */
  ipVersion: number
}

/** RFC 8446, RFC 5246: what a connection shows of TLS before it is encrypted. Absent = not seen. */
export interface TlsFact extends ConnectionFact {
  kind: 'client-hello' | 'server-hello' | 'certificate' | 'alert'
  fromClient: boolean
  /** client-hello: as offered; server-hello: as chosen. */
  version?: number
  sni?: string
  clientAlpns?: string[]
  serverAlpn?: string
  supportedVersions?: number[]
  groups?: number[]
  cipherSuite?: number
  echPresent?: boolean
  ja3?: string
  ja3s?: string
  ja4?: string
  /** Bytes of the handshake message. */
  messageLen?: number
  subject?: string
  issuer?: string
  notBeforeMicros?: number
  notAfterMicros?: number
  serial?: string
  alertLevel?: number
  alertDescription?: number
}

/** RFC 9112: one request or response head (`kind`), or the end of a body (`complete`). */
export interface HttpFact extends ConnectionFact {
  kind: 'request' | 'response'
  method?: string
  url?: string
  host?: string
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

/** How a DNS message travelled. */
export type DnsTransport = 'udp' | 'tcp' | 'dot' | 'doh' | 'doq'

/** Side of the VPN a packet was seen on. */
export type TunnelSide = 'outside' | 'tunnel'

/** One question, answered or not, with the network context of its moment. Valid during the call. */
export interface DnsExchange {
  /** Lower case, presentation form with escapes (RFC 4343), without the final dot; '' is the root. */
  readonly name: string
  readonly nameId: number
  readonly type: number
  readonly clientAddress: string
  readonly clientPort: number
  readonly serverAddress: string
  readonly serverPort: number
  readonly transport: DnsTransport
  readonly ipVersion: number
  readonly interface: CaptureInterface
  readonly queryMicros: number
  /** −1 when no answer came. */
  readonly responseMicros: number
  /** −1 when no answer came. */
  readonly rcode: number
  readonly queryFrame: number
  readonly responseFrame: number
  /** Sent by this machine. */
  readonly outgoing: boolean
  readonly fragmented: boolean
}
