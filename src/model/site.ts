// What was seen of one site in one network context: the row of `sites[]`, and what `compare` holds against another one.
// Only what was seen is there; durations are milliseconds, times ISO 8601 UTC.

/** How a site did, as far as its packets show. `unknown`: nothing came to an end. */
export type SiteOutcome = 'works' | 'fails' | 'unknown'

/** How far TLS came. */
export type TlsStage = 'client-hello' | 'server-hello' | 'certificate' | 'established'

/** The network it was seen in. */
export interface SiteNetwork {
  tunnel: 'none' | 'up' | 'lost'
  /** The VPN server, and how it is spoken to. */
  endpoint?: string
  transport?: string
  tunnelMtu?: number
  /** The interface its connections took, and their family. */
  interface?: string
  family?: 4 | 6
  /** It was opened by us (`check`), over that interface whatever the routes say. */
  boundTo?: string
}

export interface SiteDns {
  server: string
  interface: string
  questions: number
  answered: number
  timedOut: number
  /** The middle one of the answered questions. */
  latencyMs?: number
  /** Of the last answer; absent without one. */
  rcode?: string
  answers: string[]
  /** The names a CNAME led to, in order. */
  chain?: string[]
  /** Extended DNS errors (RFC 8914), `15 Blocked`. */
  extendedErrors?: string[]
}

export interface SiteAddress {
  address: string
  asn?: number
  organisation?: string
}

export interface SiteTcp {
  tried: number
  answered: number
  refused: number
  silent: number
  rttMs?: number
  /** The MSS option of the client's SYN, which bounds what comes back, and of the server's. */
  mssToServer?: number
  mssToClient?: number
  packets: number
  retransmissions: number
  bytesToClient: number
}

export interface SiteTls {
  handshakes: number
  /** The furthest that the worst one came. */
  stage: TlsStage
  version?: string
  alpn?: string
  issuer?: string
  /** By the server: `handshake_failure`. */
  alert?: string
  resets: number
  resetTtl?: number
  serverTtl?: number
  stalls: number
  /** As our own request saw it. */
  certificate?: SiteCertificate
}

/** The server's certificate (RFC 5280). */
export interface SiteCertificate {
  subject: string
  issuer: string
  /** From when to when it holds, ISO 8601. */
  notBefore?: string
  notAfter?: string
  /** SHA-256 of it, hex pairs with colons. */
  fingerprint: string
  /** Why it is not trusted, OpenSSL's or Node's code; absent when it is. */
  fault?: string
}

/** How far our own request of the site came. `body`: the answer began and did not come to its end. */
export type RequestStage = 'connect' | 'tls' | 'answer' | 'body' | 'done'

/** What our own request (`check`) met, which TLS hides from the packets. */
export interface SiteRequest {
  stage: RequestStage
  /** Why it went no further, in words; absent when it is done. */
  fault?: string
  /** The system's or OpenSSL's code of it, `ECONNREFUSED`. */
  code?: string
  connectMs?: number
  tlsMs?: number
  firstByteMs?: number
  totalMs: number
  bodyLen: number
  /** The body was longer than we read. */
  bodyCut?: boolean
  /** Where the answer sends us (RFC 9110 10.2.2), without its query; not followed. */
  location?: string
}

/** A size that died on the way of one of its connections. */
export interface SiteSizeLoss {
  direction: 'up' | 'down'
  smallestLost: number
  largestDelivered: number
}

export interface SiteHttp {
  responses: number
  /** Of the answer that stands for the others: the worst. */
  status: number
  /** Requests that were never answered. */
  unanswered: number
  address: string
  path?: string
  server?: string
  via?: string
  cfRay?: string
  proxyStatus?: string
  xCache?: string
  bodyLen: number
  /** Not all of the answer was seen. */
  partial?: true
  firstByteMs?: number
  /** Packet that ended it. */
  frame: number
  source: string
}

export interface SiteQuic {
  tried: number
  answered: number
}

/** One of several addresses that the same site was visited at, with different outcomes. */
export interface SiteTry {
  address: string
  outcome: SiteOutcome
  visits: number
}

/** One site in one epoch. */
export interface SiteObservation {
  host: string
  epoch: number
  first: string
  last: string
  network: SiteNetwork
  outcome: SiteOutcome
  /** Connections seen, and those that failed. */
  visits: number
  failures: number
  dns?: SiteDns
  addresses: SiteAddress[]
  /** Absent where all addresses did alike. */
  tries?: SiteTry[]
  tcp?: SiteTcp
  tls?: SiteTls
  quic?: SiteQuic
  http?: SiteHttp
  sizeLoss?: SiteSizeLoss
  request?: SiteRequest
  /** Packets that show it. */
  evidence: { source: string; frame: number }[]
}
