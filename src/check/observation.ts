// One way as the comparison sees it: what its packets showed, and where TLS hides things what our own request met. Pure.
import { isGatewayStatus, isRefusalStatus } from '../analysis/trackers/site-visits.ts'
import type {
  SiteDns,
  SiteHttp,
  SiteNetwork,
  SiteObservation,
  SiteOutcome,
  SiteRequest,
  SiteTcp,
  SiteTls,
} from '../model/site.ts'
import type { FetchOutcome } from './fetch.ts'
import type { WayOutcome } from './go.ts'
import type { Target } from './target.ts'

export interface WayContext {
  readonly target: Target
  readonly network: SiteNetwork
  /** When the check began, ISO 8601: for what no packet shows. */
  readonly start: string
  /** The capture lost nothing, so that what it did not see did not leave. */
  readonly isWholeCapture: boolean
}

/** What became of a way: its observation, and in words why there is no answer. */
export interface WayFinding {
  readonly observation: SiteObservation
  readonly fault?: string
}

/** `seen`: the engine's observation of this way's packets; undefined when it saw none. */
export function findingOf(way: WayOutcome, seen: SiteObservation | undefined, context: WayContext): WayFinding {
  const { outcome, fault } = outcomeOf(way, seen, context)
  const { target, network, start } = context
  const base: SiteObservation = seen ?? {
    host: target.host,
    epoch: 1,
    first: start,
    last: start,
    network,
    outcome,
    visits: 0,
    failures: 0,
    addresses: [],
    evidence: [],
  }
  const made: SiteObservation = {
    ...base,
    network: { ...network, interface: way.planned.over.name, family: way.planned.family },
    outcome,
  }
  const dns = dnsOf(way, base.dns)
  if (dns !== undefined) made.dns = dns
  const { fetched } = way
  if (fetched !== undefined) addRequest(made, fetched, target)
  return { observation: made, ...(fault === undefined ? {} : { fault }) }
}

/** A browser refuses what is not trusted. Where nobody's certificate is, this machine lacks the CA, and the ways are alike. */
export function refusingUntrusted(findings: readonly WayFinding[]): WayFinding[] {
  const certificates = findings.map(({ observation }) => observation.tls?.certificate)
  if (!certificates.some((one) => one !== undefined && one.fault === undefined)) return [...findings]
  return findings.map((one, index): WayFinding => {
    const why = certificates[index]?.fault
    if (why === undefined || one.observation.outcome !== 'works') return one
    const { visits } = one.observation
    return {
      observation: { ...one.observation, outcome: 'fails', failures: visits },
      fault: `the certificate is not trusted: ${why}`,
    }
  })
}

function outcomeOf(
  { planned, asked, answers, skipped, fetched, isOtherVersion }: WayOutcome,
  seen: SiteObservation | undefined,
  { isWholeCapture }: WayContext,
): { outcome: SiteOutcome; fault?: string } {
  if (asked !== undefined && answers.length === 0) {
    if (isOtherVersion === true) return { outcome: 'unknown', fault: `no IPv${planned.family} address` }
    if (asked.answer !== undefined) return { outcome: 'fails', fault: asked.answer.rcode }
    if (asked.fault === 'interrupted') return { outcome: 'unknown', fault: asked.fault }
    if (isWholeCapture && seen?.dns === undefined) {
      return {
        outcome: 'unknown',
        fault: `the question never left this machine (${asked.fault}): ${keptBy(asked.code)}`,
      }
    }
    return { outcome: 'fails', fault: `${asked.resolver.address}: ${asked.fault}` }
  }
  if (skipped !== undefined || fetched === undefined) {
    // A wrong answer leads nowhere, though no connection was tried.
    const isWrong = skipped?.startsWith('the answer') === true
    return { outcome: isWrong ? 'fails' : 'unknown', fault: skipped ?? 'not tried' }
  }
  const { request, answer } = fetched
  if (request.fault === undefined) {
    const { status } = answer!
    return { outcome: isGatewayStatus(status) || isRefusalStatus(status) ? 'fails' : 'works' }
  }
  if (request.fault === 'interrupted') return { outcome: 'unknown', fault: request.fault }
  if (request.stage === 'connect' && isWholeCapture && (seen?.visits ?? 0) === 0) {
    return {
      outcome: 'unknown',
      fault: `no packet left this machine (${request.fault}): ${keptBy(request.code)}`,
    }
  }
  return { outcome: 'fails', fault: request.fault }
}

/** What keeps a packet on this machine: nobody on the wire to give it to, or a rule. */
function keptBy(code: string | undefined): string {
  const isUnreachable = code === 'EHOSTUNREACH' || code === 'ENETUNREACH' || code === 'EADDRNOTAVAIL'
  return isUnreachable ? 'the router of that link does not answer' : 'a firewall, or the VPN’s kill switch'
}

/** The engine times packets; without them our own clock has to do. */
function dnsOf({ asked }: WayOutcome, seen: SiteDns | undefined): SiteDns | undefined {
  if (asked === undefined) return seen
  const { resolver, answer, latencyMs, ends } = asked
  const isAnswered = answer !== undefined
  // Nobody listens there: by its packets it is still open whether an answer comes.
  if (seen !== undefined) return isAnswered || seen.timedOut > 0 ? seen : { ...seen, timedOut: seen.questions }
  return {
    server: resolver.address,
    interface: resolver.over,
    questions: ends.length,
    answered: isAnswered ? 1 : 0,
    timedOut: isAnswered ? 0 : 1,
    ...(latencyMs === undefined ? {} : { latencyMs: rounded(latencyMs) }),
    ...(answer === undefined ? {} : { rcode: answer.rcode }),
    answers: answer?.addresses ?? [],
  }
}

function addRequest(made: SiteObservation, { request, tls, answer, address }: FetchOutcome, target: Target): void {
  made.request = request
  made.visits = Math.max(1, made.visits)
  made.failures = made.outcome === 'fails' ? made.visits : 0
  if (made.addresses.length === 0) made.addresses = [{ address }]
  made.tcp ??= triedTcp(request)
  if (tls !== undefined) made.tls = secured(made.tls, tls)
  if (answer === undefined) return
  const { status, ...headers } = answer
  const http: SiteHttp = {
    responses: 1,
    status,
    unanswered: 0,
    address,
    path: target.path,
    ...headers,
    bodyLen: request.bodyLen,
    frame: made.http?.frame ?? made.evidence[0]?.frame ?? 0,
    source: made.http?.source ?? made.evidence[0]?.source ?? '',
  }
  if (request.firstByteMs !== undefined) http.firstByteMs = rounded(request.firstByteMs)
  made.http = http
}

/** The handshake came to its end: what its packets looked like meanwhile says nothing against it. */
function secured(seen: SiteTls | undefined, tls: NonNullable<FetchOutcome['tls']>): SiteTls {
  const base: SiteTls = seen ?? { handshakes: 1, stage: 'established', resets: 0, stalls: 0 }
  return { ...base, stage: 'established', ...tls }
}

function triedTcp({ stage, code, connectMs }: SiteRequest): SiteTcp {
  const isAnswered = stage !== 'connect'
  const isRefused = code === 'ECONNREFUSED'
  return {
    tried: 1,
    answered: isAnswered ? 1 : 0,
    refused: isRefused ? 1 : 0,
    silent: isAnswered || isRefused ? 0 : 1,
    packets: 0,
    retransmissions: 0,
    bytesToClient: 0,
    ...(connectMs === undefined ? {} : { rttMs: rounded(connectMs) }),
  }
}

function rounded(millis: number): number {
  return Number(millis.toPrecision(3))
}
