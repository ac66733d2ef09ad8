// The report of a check, from what came of each way and what the engine saw meanwhile.
import { VERSION } from '../daemon/version.ts'
import { CHECK_SCHEMA, type CheckCertificate, type CheckReport, type CheckWay } from '../model/check.ts'
import type { Finding } from '../model/finding.ts'
import type { ProbeEnds } from '../model/own-probes.ts'
import type { Epoch } from '../model/report.ts'
import type { SiteNetwork, SiteObservation } from '../model/site.ts'
import { type Gone, NO_TIME, type WayOutcome } from './go.ts'
import { findingOf, refusingUntrusted, type WayFinding } from './observation.ts'
import type { Observed } from './observer.ts'
import type { CheckPlan } from './plan.ts'
import { compareWays, verdictOf } from './verdict.ts'

export interface ReportSources {
  readonly plan: CheckPlan
  readonly gone: Gone
  readonly observed: Observed
  readonly startMillis: number
  readonly endMillis: number
  /** -w, as the person calls it. */
  readonly file?: string
  readonly isInterrupted: boolean
}

export function checkReport(from: ReportSources): CheckReport {
  const { plan, gone, observed, startMillis, endMillis, file } = from
  const outcomes = gone.ways
  const { target, interfaces, resolvers } = plan
  const start = new Date(startMillis).toISOString()
  const isWholeCapture = observed.dropped === 0
  const single = outcomes.map((one) => {
    const network = networkOf(plan, one, observed.report.epochs)
    const seen = observed.observe({
      host: target.host,
      network,
      connections: connectionsOf(one),
      questions: one.asked?.ends ?? [],
    })
    return findingOf(one, withFile(seen, file), { target, network, start, isWholeCapture })
  })
  const findings = refusingUntrusted(single)
  const ways = outcomes.map((one, index) => wayOf(index + 1, one, findings[index]!))
  const sites = compareWays(ways)
  return {
    tool: { name: 'tunnelscope', version: VERSION },
    schema: CHECK_SCHEMA,
    url: target.shown,
    host: target.host,
    start,
    durationMs: Math.round(endMillis - startMillis),
    interfaces: [...interfaces],
    resolvers: [...resolvers],
    ways,
    certificates: certificatesOf(ways),
    verdict: verdictOf(target.host, ways, sites, incompleteReasons(from, ways)),
    sites,
    findings: observed.report.findings.filter((one) => isAboutTheWays(one, target.host)),
    notes: [...plan.notes, ...gone.notes, ...resolverNotes(plan, ways)],
    capture: { packets: observed.packets, dropped: observed.dropped, ...(file === undefined ? {} : { file }) },
  }
}

function connectionsOf({ fetched }: WayOutcome): ProbeEnds[] {
  return fetched?.ends === undefined ? [] : [fetched.ends]
}

/** A physical interface is outside the VPN; of a tunnel the engine knows the server when there is one tunnel. */
function networkOf(
  { interfaces }: CheckPlan,
  { planned: { over } }: WayOutcome,
  epochs: readonly Epoch[],
): SiteNetwork {
  if (over.role === 'physical') return { tunnel: 'none', boundTo: over.name }
  const isOnly = interfaces.filter((one) => one.role === 'tunnel').length === 1
  const epoch = epochs.findLast((one) => one.tunnelUp && one.tunnelInterfaces.includes(over.name))
  return {
    tunnel: 'up',
    boundTo: over.name,
    tunnelMtu: over.mtu,
    ...(isOnly && epoch?.endpoint !== undefined ? { endpoint: epoch.endpoint } : {}),
    ...(isOnly && epoch?.transport !== undefined ? { transport: epoch.transport } : {}),
  }
}

/** The packets can be looked at in the file; without one their numbers mean nothing to anybody. */
function withFile(seen: SiteObservation | undefined, file: string | undefined): SiteObservation | undefined {
  if (seen === undefined) return undefined
  const evidence = file === undefined ? [] : seen.evidence.map(({ frame }) => ({ source: file, frame }))
  return { ...seen, evidence }
}

function wayOf(
  way: number,
  { planned, answers, address, fetched }: WayOutcome,
  { observation, fault }: WayFinding,
): CheckWay {
  const { dns, tcp, tls, http, outcome } = observation
  const { connectMs, tlsMs, firstByteMs, totalMs } = fetched?.request ?? {}
  return {
    way,
    interface: planned.over.name,
    role: planned.over.role,
    family: planned.family,
    ...(planned.resolver === undefined ? {} : { resolver: planned.resolver }),
    answers: [...answers],
    ...(address === undefined ? {} : { address }),
    ...defined('dnsMs', dns?.latencyMs),
    ...defined('connectMs', tcp?.rttMs ?? connectMs),
    ...defined('tlsMs', tlsMs),
    ...defined('firstByteMs', firstByteMs),
    ...defined('totalMs', totalMs),
    ...defined('tls', tls?.version),
    ...defined('status', http?.status),
    ...defined('server', http?.server),
    outcome,
    ...defined('fault', fault),
    observation,
  }
}

function defined<K extends string, V>(key: K, value: V | undefined): { [key in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [key in K]?: V })
}

/** What was shown, certificate by certificate. */
export function certificatesOf(ways: readonly CheckWay[]): CheckCertificate[] {
  const found = new Map<string, CheckCertificate>()
  for (const { way, observation } of ways) {
    const shown = observation?.tls?.certificate
    if (shown === undefined) continue
    const { subject, issuer, notAfter, fingerprint, fault } = shown
    const key = `${fingerprint} ${fault ?? ''}`
    const known = found.get(key)
    if (known !== undefined) known.ways.push(way)
    else {
      found.set(key, {
        ways: [way],
        subject,
        issuer,
        ...defined('notAfter', notAfter),
        fingerprint,
        ...defined('fault', fault),
      })
    }
  }
  return [...found.values()]
}

function incompleteReasons({ observed, isInterrupted }: ReportSources, ways: readonly CheckWay[]): string[] {
  const reasons: string[] = []
  if (isInterrupted) reasons.push('It was interrupted.')
  if (observed.dropped > 0) reasons.push(`The capture lost ${observed.dropped} packets.`)
  if (observed.changes.length > 0)
    reasons.push(`The network changed meanwhile: ${observed.changes.slice(0, MAX_CHANGES).join('; ')}.`)
  const late = ways.filter((one) => one.fault === NO_TIME)
  if (late.length > 0) reasons.push(`No time was left for ${late.map((one) => `way ${one.way}`).join(', ')}.`)
  if (observed.fileTrouble !== undefined) reasons.push(observed.fileTrouble)
  return reasons
}

/** Changes named in one sentence. */
const MAX_CHANGES = 4

/** A wrong answer shows only beside the answer of somebody else. */
function resolverNotes({ target, hasTunnel, interfaces }: CheckPlan, ways: readonly CheckWay[]): string[] {
  const physical = interfaces.filter((one) => one.role === 'physical').map((one) => one.name)
  if (target.addressFamily !== undefined || !hasTunnel || physical.length === 0) return []
  if (ways.some(({ resolver }) => resolver !== undefined && physical.includes(resolver.over))) return []
  return [
    'No resolver outside the VPN is known, so that a wrong answer inside it cannot be told from a right one; name one with --resolver.',
  ]
}

/** What is about a path, the resolvers or the site; not what else the machine does meanwhile. */
const ABOUT_PATHS =
  /^(mtu-|dns-slow|dns-failing|dns-unanswered|dns-intercepted|dns-answer-conflict|tcp-lossy|tunnel-down)/
const ABOUT_SITES = /^(tls-|tcp-unreachable|http-)/

function isAboutTheWays({ id, data }: Finding, host: string): boolean {
  return ABOUT_PATHS.test(id) || (ABOUT_SITES.test(id) && data.host === host)
}
