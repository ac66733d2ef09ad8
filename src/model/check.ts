// What `check --json` prints: one site, opened once over every way there is, and what the ways say of each other. Versioned;
// a field once released is never renamed. Addresses and names are strings, times ISO 8601 UTC, durations in ms named so.
import type { SiteComparison } from './comparison.ts'
import type { Finding } from './finding.ts'
import type { IpFamily } from './network-context.ts'
import type { SiteObservation, SiteOutcome } from './site.ts'

/** Version of the shape; grows with every addition. */
export const CHECK_SCHEMA = 1

/** An interface that the site was opened over. */
export interface CheckInterface {
  name: string
  role: 'physical' | 'tunnel'
  mtu: number
  families: IpFamily[]
}

/**
 * Who says so that this is a resolver: the person, the system (resolv.conf), the system for that link, what a DHCP client
 * or resolvconf left of that link, or nobody (`router`: routers of homes are resolvers).
 */
export type ResolverSource = 'given' | 'system' | 'link' | 'lease' | 'router'

/** A resolver, and the interface that it is asked over. One that can be reached over two is two. */
export interface CheckResolver {
  address: string
  port: number
  over: string
  source: ResolverSource
}

/** One way: an interface, a resolver and an IP version. */
export interface CheckWay {
  /** Counts from 1; the comparison calls it `way 1`. */
  way: number
  interface: string
  role: 'physical' | 'tunnel'
  family: IpFamily
  /** Absent for a URL with an address. */
  resolver?: CheckResolver
  /** What the resolver answered in this family. */
  answers: string[]
  /** Where the connection went. Ways of one interface that lead to the same address share their connection. */
  address?: string
  dnsMs?: number
  connectMs?: number
  tlsMs?: number
  firstByteMs?: number
  totalMs?: number
  tls?: string
  status?: number
  server?: string
  outcome: SiteOutcome
  /** Why the way came to no answer, or could not be gone. */
  fault?: string
  observation?: SiteObservation
}

/** `fails`: on every way that could be gone; `unknown`: none could. */
export type CheckWord = 'works' | 'differs' | 'fails' | 'unknown'

export interface CheckVerdict {
  word: CheckWord
  /** One sentence. */
  summary: string
  /** False when packets were lost, the network changed meanwhile, or a way was not tried; `reasons` say which. */
  complete: boolean
  reasons: string[]
}

/** The certificates that were shown, by what they are. */
export interface CheckCertificate {
  ways: number[]
  subject: string
  issuer: string
  notAfter?: string
  fingerprint: string
  fault?: string
}

export interface CheckReport {
  tool: { name: 'tunnelscope'; version: string }
  schema: number
  /** Without its query. */
  url: string
  host: string
  start: string
  durationMs: number
  interfaces: CheckInterface[]
  resolvers: CheckResolver[]
  ways: CheckWay[]
  certificates: CheckCertificate[]
  verdict: CheckVerdict
  /** As `compare` says it; the contexts are the ways. */
  sites: SiteComparison[]
  /** What the engine found of these connections, and of the paths they took. */
  findings: Finding[]
  /** What a reader should know beside the verdict, one sentence each. */
  notes: string[]
  capture: { packets: number; dropped: number; file?: string }
}
