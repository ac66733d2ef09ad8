// What trackers tell and detectors, event lines and the store listen to. A fact is a row of columns or a small
// object that is used again: whoever wants to keep something copies it during the call.
import type {
  FlowFact,
  OpenedConnection,
  ResetFact,
  SizeLossFact,
  SizePassedFact,
  StallFact,
  TooBigFact,
  TooBigIgnoredFact,
} from './connection-facts.ts'
import type { DecodedBatch } from './decoded-batch.ts'
import type { DnsExchange, EncryptedDnsFact, SecondAnswerFact } from './dns-facts.ts'
import type { InterfaceRole } from './network-context.ts'
import type { PacketBatch } from './packet-batch.ts'
import type { HttpFact, QuicFact, TlsFact } from './protocol-facts.ts'
import type { SiteObservation } from './site.ts'

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
