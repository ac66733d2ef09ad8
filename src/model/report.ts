// The report: what `analyze --json` prints and what the daemon gives for an epoch or a span. Versioned; a field once
// released is never renamed. Addresses and names are strings, times ISO 8601 UTC, durations in ms named so.
import type { DnsTransport } from './dns-facts.ts'
import type { Confidence, DnsVerdict, Finding, ProcessRef } from './finding.ts'
import type { InterfaceRole } from './network-context.ts'
import type { SiteObservation } from './site.ts'

/** Version of the report's shape; grows with every addition. */
export const REPORT_SCHEMA = 1

export type { InterfaceRole } from './network-context.ts'

/** One interface as the report shows it. */
export interface ReportInterface {
  name: string
  role: InterfaceRole
  /** Why it has that role, one phrase each. */
  reasons: string[]
  linkType: number
  packets: number
  bytes: number
  /** Drops the capturing system counted; absent when it did not say. */
  dropped?: number
  mtu?: number
  addresses: string[]
}

export interface ReportInput {
  file: string
  format: string
  packets: number
  bytes: number
  first?: string
  last?: string
  interfaces: ReportInterface[]
  damage?: { offset: number; reason: string }
}

/** What the verdict rests on (rules.md 6). Shares are 0 … 1. */
export interface Coverage {
  packets: number
  /** Packets the capture lost; absent when the capturing system did not say. */
  dropped?: number
  interfacesWatched: number
  interfacesUp: number
  dnsMessages: number
  /** DNS questions seen while a tunnel was up: outside (leaks and expected ones) and inside. */
  questionsOutside: number
  questionsInTunnel: number
  /** Outbound connections, and those whose server address was in a DNS answer seen before. */
  connections: number
  explainedConnections: number
}

export interface Verdict {
  dns: DnsVerdict
  complete: boolean
  /** Why it is not complete, one sentence each. */
  reasons: string[]
  coverage: Coverage
}

/** A span with one network context; any change starts a new one. Ids count from 1. */
export interface Epoch {
  id: number
  start: string
  /** Absent while it lasts. */
  end?: string
  /** What changed at its start. */
  reason: string
  tunnelUp: boolean
  /** The tunnel was lost and is expected back: leaks are leaks of a window. */
  connected: boolean
  tunnelInterfaces: string[]
  egressInterface?: string
  endpoint?: string
  transport?: string
  /** Resolvers asked in it, most asked first. */
  resolvers: string[]
  ipv6InTunnel?: boolean
  tunnelMtu?: number
  verdict: { dns: DnsVerdict; questionsOutside: number; questionsInTunnel: number; leaked: number }
}

export interface ReportResolver {
  server: string
  port: number
  transport: DnsTransport
  interface: string
  side: 'tunnel' | 'outside'
  epoch: number
  queries: number
  answered: number
  p50Ms?: number
  p95Ms?: number
  /** Who runs it, from an offline database. */
  asn?: number
  organisation?: string
  country?: string
}

/** One question (or one encrypted connection) that counts for `verdict.dns`, folded. */
export interface ReportLeak {
  /** Null when the transport hides it. */
  name: string | null
  type: string | null
  server: string
  port: number
  transport: DnsTransport | 'mdns' | 'llmnr' | 'nbns'
  interface: string
  count: number
  first: string
  last: string
  cause: string
  epoch: number
  process?: ProcessRef
}

/** Segments of some sizes: seen with data, and sent again before anybody had acknowledged them. */
export interface SegmentFigures {
  segments: number
  resent: number
}

/** One direction of a path. Sizes are lengths of IP packets; small is up to 576 bytes, medium up to 1280. */
export interface ReportPathDirection extends SegmentFigures {
  small: SegmentFigures
  medium: SegmentFigures
  large: SegmentFigures
  largestDelivered?: number
  smallestLost?: number
  /** A mark for each 64 bytes: `.` none, `+` passed, `~` passed with loss, `x` died, `?` not known. */
  sizes: string
}

/** A destination as one interface reaches it. */
export interface ReportPath {
  destination: string
  interface: string
  connections: number
  /** As a router told it. */
  mtu?: number
  /** The bracket: what passed in both directions, and what died in either. */
  mtuAtLeast?: number
  mtuBelow?: number
  /** MSS as the client and as the server announced it, and the IP length of a full segment by both. */
  mssToServer?: number
  mssToClient?: number
  fullPacket?: number
  rttMs?: number
  toServer: ReportPathDirection
  toClient: ReportPathDirection
}

/** A router at one hop. */
export interface ReportHopRouter {
  address: string
  answers: number
  /** The quickest answer. */
  rttMs: number
  /** It said that the destination cannot be reached from it. */
  unreachable?: true
  /** Who runs it, from an offline database. */
  asn?: number
  organisation?: string
  country?: string
}

/** One traceroute that ran while we watched, whatever program ran it. */
export interface ReportTraceroute {
  destination: string
  interface: string
  side: 'tunnel' | 'outside'
  /** What the probes were. */
  protocol: 'udp' | 'tcp' | 'icmp'
  epoch: number
  first: string
  last: string
  /** The destination itself answered. */
  reached: boolean
  /** In order, up to the destination or the last hop probed; one that stayed silent has no routers. */
  hops: { ttl: number; probes: number; routers: ReportHopRouter[] }[]
}

/** One run of a leak-test page: every question it made this machine ask, explained (rules.md X9). */
export interface ReportLeakTest {
  page: string
  questions: {
    name: string
    type: string
    server: string
    transport: DnsTransport
    interface: string
    explanation: string
  }[]
  outside: number
  inside: number
}

/** What left outside the tunnel on one day by one program: names, and how long their questions were outside. */
export interface ReportLeakService {
  day: string
  /** `unknown` where the system cannot tell. */
  app: string
  questions: number
  names: number
  /** Milliseconds from question to answer, added up over all questions. */
  outsideMs: number
}

/** What is new of one day and program since it was told last: numbers to be added, and names not told before. */
export interface LeakServiceChange {
  day: string
  app: string
  questions: number
  outsideMs: number
  newNames: string[]
}

/** A tunnel as its inner and outer packets show it together; absent where only one side was captured. */
export interface ReportTunnel {
  interface: string
  outerInterface: string
  endpoint: string
  /** 0 for protocols without ports. */
  port: number
  transport: string
  outerFamily: 'ipv4' | 'ipv6'
  /**
   * `packets`: inner and outer ones agree one by one. `volume`: only bytes of the same moments do, for the transport pads,
   * cuts or joins packets; what single packets would show is absent then.
   */
  matchedBy: 'packets' | 'volume'
  confidence: Confidence
  /** Bytes that the tunnel adds to each inner packet, outer IP header included. */
  overhead?: number
  /** False for streams, which cut and join packets. */
  overheadIsExact: boolean
  /** Inner packets are padded to a multiple of this; 1 = not at all. */
  paddingTo?: number
  /** Whole outer packets, and those that an inner one explains. */
  packets: number
  explained?: number
  /** This machine's packets that entered the tunnel, and those that never came out of it. */
  entered?: number
  neverLeft?: number
  /** By volume: how closely both follow each other (0 … 1), over so many moments of 100 ms with traffic inside. */
  correlation?: number
  moments?: number
  /** By volume: bytes outside beyond those inside, as a share of those. */
  addedShare?: number
  /** From the inner packet to the outer one. */
  addedP50Ms?: number
  addedP95Ms?: number
  first: string
  last: string
}

/** Settings of this machine that decide how it copes with narrow paths, as the daemon saw them. */
export interface ReportSystem {
  /** Linux's net.ipv4.tcp_mtu_probing: 0 never, 1 after a black hole, 2 always. */
  tcpMtuProbing?: number
}

export interface Report {
  tool: { name: 'tunnelscope'; version: string }
  schema: number
  inputs: ReportInput[]
  system: ReportSystem
  verdict: Verdict
  epochs: Epoch[]
  resolvers: ReportResolver[]
  leaks: ReportLeak[]
  exposures: ReportLeak[]
  findings: Finding[]
  sites: SiteObservation[]
  paths: ReportPath[]
  traceroutes: ReportTraceroute[]
  tunnels: ReportTunnel[]
  leakTests: ReportLeakTest[]
  leakService: ReportLeakService[]
  counters: Record<string, number>
}

/** Live figures, once a second. */
export interface Stats {
  time: string
  packets: number
  packetsPerSecond: number
  bytesPerSecond: number
  dropped: number
  tunnel: 'up' | 'down' | 'none'
  resolver?: string
}
