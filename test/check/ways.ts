// Ways of a check and what came of them, for tests: wg0 beside eth0, 10.64.0.1 inside and 192.0.2.53 outside.
import type { Asked } from '../../src/check/ask.ts'
import { certificatesOf } from '../../src/check/check-report.ts'
import type { FetchOutcome } from '../../src/check/fetch.ts'
import type { WayOutcome } from '../../src/check/go.ts'
import { findingOf, type WayContext } from '../../src/check/observation.ts'
import { parseTarget } from '../../src/check/target.ts'
import { compareWays, verdictOf } from '../../src/check/verdict.ts'
import {
  CHECK_SCHEMA,
  type CheckInterface,
  type CheckReport,
  type CheckResolver,
  type CheckWay,
} from '../../src/model/check.ts'
import type { IpFamily } from '../../src/model/network-context.ts'
import type { SiteObservation, SiteRequest } from '../../src/model/site.ts'

export const SITE = '198.51.100.80'
export const TARGET = parseTarget('https://shop.example/')

export const INTERFACES: Readonly<Record<string, CheckInterface>> = {
  wg0: { name: 'wg0', role: 'tunnel', mtu: 1420, families: [4, 6] },
  eth0: { name: 'eth0', role: 'physical', mtu: 1500, families: [4, 6] },
  wlan0: { name: 'wlan0', role: 'physical', mtu: 1500, families: [4, 6] },
}
export const INSIDE: CheckResolver = { address: '10.64.0.1', port: 53, over: 'wg0', source: 'system' }
export const OUTSIDE: CheckResolver = { address: '192.0.2.53', port: 53, over: 'eth0', source: 'given' }

export interface WayStory {
  over?: string
  resolver?: CheckResolver
  family?: IpFamily
  /** What the resolver says; [] with `rcode`. */
  answers?: readonly string[]
  rcode?: string
  noAnswer?: string
  latencyMs?: number
  address?: string
  status?: number
  server?: string
  request?: Partial<SiteRequest>
  trust?: string
  skipped?: string
  isOtherVersion?: boolean
}

/** It works: 200 over TLS at SITE, unless the story says otherwise. */
export function outcome(story: WayStory = {}): WayOutcome {
  const { over = 'wg0', resolver = INSIDE, family = 4, answers = [SITE], address = answers[0] } = story
  const asked: Asked = {
    resolver,
    family,
    ends: [{ clientPort: 40_001, serverAddress: resolver.address }],
    ...(story.noAnswer === undefined
      ? {
          answer: { rcode: story.rcode ?? 'NOERROR', addresses: [...answers], isTruncated: false },
          latencyMs: story.latencyMs ?? 2,
        }
      : { fault: story.noAnswer }),
  }
  return {
    planned: { over: INTERFACES[over]!, resolver, family },
    asked,
    answers,
    ...(address === undefined ? {} : { address }),
    ...(address === undefined || story.skipped !== undefined ? {} : { fetched: fetched(story, over, address) }),
    ...(story.skipped === undefined ? {} : { skipped: story.skipped }),
    ...(story.isOtherVersion === true ? { isOtherVersion: true } : {}),
  }
}

function fetched(
  { status = 200, server = 'edge', request = {}, trust }: WayStory,
  interfaceName: string,
  address: string,
): FetchOutcome {
  const whole: SiteRequest = {
    stage: 'done',
    connectMs: 10,
    tlsMs: 12,
    firstByteMs: 20,
    totalMs: 45,
    bodyLen: 100,
    ...request,
  }
  const isSecured = whole.stage !== 'connect' && whole.stage !== 'tls'
  const certificate = {
    subject: 'CN=shop.example',
    issuer: 'CN=a CA',
    notAfter: '2027-01-15T00:00:00.000Z',
    fingerprint: 'AA:BB',
    ...(trust === undefined ? {} : { fault: trust }),
  }
  return {
    interfaceName,
    address,
    ends: { clientPort: 40_002, serverAddress: address },
    request: whole,
    ...(isSecured ? { tls: { version: 'TLS 1.3', alpn: 'http/1.1', certificate } } : {}),
    ...(whole.stage === 'done' || whole.stage === 'body' ? { answer: { status, server } } : {}),
  }
}

export function context(over: string, more: Partial<WayContext> = {}): WayContext {
  return {
    target: TARGET,
    network:
      INTERFACES[over]!.role === 'tunnel'
        ? { tunnel: 'up', boundTo: over, tunnelMtu: 1420, endpoint: '203.0.113.10:51820', transport: 'WireGuard' }
        : { tunnel: 'none', boundTo: over },
    start: '2026-01-15T12:00:00.000Z',
    isWholeCapture: false,
    ...more,
  }
}

/** Ways numbered from 1, without packets. */
export function waysOf(...stories: WayStory[]): CheckWay[] {
  return stories.map((story, index): CheckWay => {
    const made = outcome(story)
    const { over, family, resolver } = made.planned
    const { observation, fault } = findingOf(made, undefined, context(over.name))
    return {
      way: index + 1,
      interface: over.name,
      role: over.role,
      family,
      ...(resolver === undefined ? {} : { resolver }),
      answers: [...made.answers],
      ...(made.address === undefined ? {} : { address: made.address }),
      ...(observation.dns?.latencyMs === undefined ? {} : { dnsMs: observation.dns.latencyMs }),
      ...(observation.tcp?.rttMs === undefined ? {} : { connectMs: observation.tcp.rttMs }),
      ...(observation.tls?.version === undefined ? {} : { tls: observation.tls.version }),
      ...(observation.http === undefined ? {} : { status: observation.http.status }),
      ...(observation.http?.server === undefined ? {} : { server: observation.http.server }),
      outcome: observation.outcome,
      ...(fault === undefined ? {} : { fault }),
      observation,
    }
  })
}

/** A whole report of these ways. */
export function reportOf(ways: CheckWay[], more: Partial<CheckReport> = {}): CheckReport {
  const sites = compareWays(ways)
  return {
    tool: { name: 'tunnelscope', version: '0.0.0' },
    schema: CHECK_SCHEMA,
    url: 'https://shop.example/',
    host: 'shop.example',
    start: '2026-01-15T12:00:00.000Z',
    durationMs: 1234,
    interfaces: [INTERFACES.wg0!, INTERFACES.eth0!],
    resolvers: [INSIDE, OUTSIDE],
    ways,
    certificates: certificatesOf(ways),
    verdict: verdictOf('shop.example', ways, sites, []),
    sites,
    findings: [],
    notes: [],
    capture: { packets: 75, dropped: 0 },
    ...more,
  }
}

/** What the engine saw of a connection that was opened and fell silent. */
export function seen(more: Partial<SiteObservation> = {}): SiteObservation {
  return {
    host: 'shop.example',
    epoch: 1,
    first: '2026-01-15T12:00:00.100000Z',
    last: '2026-01-15T12:00:00.200000Z',
    network: { tunnel: 'up' },
    outcome: 'unknown',
    visits: 1,
    failures: 0,
    addresses: [{ address: SITE }],
    tcp: {
      tried: 1,
      answered: 1,
      refused: 0,
      silent: 0,
      rttMs: 9,
      packets: 12,
      retransmissions: 0,
      bytesToClient: 900,
    },
    evidence: [{ source: 'live', frame: 7 }],
    ...more,
  }
}
