// What a connection is, and what becomes of it: opened, reset, silent, its segments lost for their size, its end.
import type { Confidence } from './finding.ts'

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

/** How it is known that a size dies (rules.md 2.2). */
export type SizeLossProof =
  /** A smaller, later segment arrived while the big one, sent three times, did not. */
  | 'sack-hole'
  /** The same bytes passed in smaller segments. */
  | 're-segmentation'
  /** The same full-size segment timed out again and again, with the timer doubling (RFC 4821 7.7). */
  | 'timeouts'
  /** Coming towards us: a gap of full-size segments that stays open, although what was sent later is here. */
  | 'gap'

/** One size that provably does not pass in one direction of a path. Told again when the proof gets stronger. */
export interface SizeLossFact extends ConnectionFact {
  path: number
  /** The direction that loses: what the client sent, or the server. */
  fromClient: boolean
  /** The lost segments were seen here and died afterwards; otherwise they never came here. */
  seenHere: boolean
  proof: SizeLossProof
  /** IP length of the segments that die. */
  lostLen: number
  /** The largest IP length that was acknowledged on that path in that direction; 0 = none. */
  deliveredLen: number
  /** Times the segment was sent; 0 when it was never seen. */
  sentCount: number
  /** When the segment was first missed. */
  sinceMicros: number
}

/** A size that was held for lost passed later: the path is wide enough after all. */
export interface SizePassedFact {
  path: number
  fromClient: boolean
  passedLen: number
  timeMicros: number
}

/** The client's first request is without an answer, or the answer stopped, and nothing has come for a while. */
export interface StallFact extends ConnectionFact {
  path: number
  quietMillis: number
  clientBytes: number
  /** How many of them the server acknowledged. */
  clientAckedBytes: number
  /** Bytes of the server that the client acknowledged, and those that were seen here. */
  serverBytes: number
  serverSeenBytes: number
  /** Everything the client sent was acknowledged. */
  clientAcknowledged: boolean
  /** The client's first unacknowledged segment was sent so often (1 = never again), at this IP length. */
  sentCount: number
  sentLen: number
  /** Bytes missing before the server's later segments that did arrive; 0 = no gap. */
  gapLen: number
  /** The client ended the connection. */
  closedByClient: boolean
}

/** The first RST of an open connection. */
export interface ResetFact extends ConnectionFact {
  fromClient: boolean
  /** TTL or hop limit of the RST and of the server's SYN-ACK; the latter −1 when it was not seen. */
  ttl: number
  handshakeTtl: number
  /** IPv4 identification of the RST and of the SYN-ACK. */
  ipId: number
  handshakeIpId: number
  clientBytes: number
  serverBytes: number
  /** Since the client's last new data; −1 when it sent none. */
  sinceRequestMillis: number
  /** Segments in which the client's data came. */
  clientSegments: number
}

/** ICMP "packet too big" (RFC 1191 4, RFC 4443 3.2) held against the flow whose packet it quotes. */
export interface TooBigFact {
  timeMicros: number
  frameNumber: number
  interfaceId: number
  /** 4 or 6. */
  ipVersion: number
  /** Who says it. */
  routerAddress: string
  /** As told; 0 by routers older than RFC 1191. */
  nextHopMtu: number
  /** nextHopMtu, or what the plateau table gives for the quoted length (RFC 1191 7). */
  mtu: number
  /** The packet that was too big; ports 0 when they were not quoted. */
  srcAddress: string
  srcPort: number
  dstAddress: string
  dstPort: number
  ipProtocol: number
  packetLen: number
  /**
   * validated: it quotes what a live flow has sent. unknown: nothing between these addresses was seen. mismatch: there is
   * a conversation, but ports or sequence are not its own. invalid: no host may heed it (RFC 791 3.1, RFC 8201 4).
   */
  standing: 'validated' | 'unknown' | 'mismatch' | 'invalid'
  /** 0 unless validated. */
  flowId: number
  path: number
}

/** A sender goes on with packets above the MTU it was told. Told at the second one, then each time. */
export interface TooBigIgnoredFact extends TooBigFact {
  ignoredCount: number
  ignoredLen: number
  ignoredFrame: number
  ignoredMicros: number
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
