// The report from what the trackers hold. Cold path: runs when somebody asks for it.
import { linkTypeLayer } from '../decoders/link-type.ts'
import type { OwnerLookup } from '../model/address-owner.ts'
import type { CaptureInterface, InputSummary } from '../model/capture-interface.ts'
import { LAYER_UNKNOWN } from '../model/layer.ts'
import {
  type Coverage,
  type Epoch,
  type InterfaceRole,
  REPORT_SCHEMA,
  type Report,
  type ReportInput,
  type ReportInterface,
  type ReportResolver,
  type ReportSystem,
  type Verdict,
} from '../model/report.ts'
import type { SiteNetwork } from '../model/site.ts'
import { utcTime } from '../text/timestamp.ts'
import { reportPaths } from './build-paths.ts'
import { reportTraceroutes } from './build-traceroutes.ts'
import { reportTunnels } from './joined-tunnels.ts'
import { endpointSpans } from './known-network.ts'
import type { FindingSet } from './raise.ts'
import type { RoleDecision } from './roles.ts'
import type { AddressTable } from './trackers/addresses.ts'
import type { ConnectionTracker } from './trackers/connections.ts'
import type { DnsExchangeTracker } from './trackers/dns-exchanges.ts'
import type { EndpointSpan, EpochSpan } from './trackers/epoch-span.ts'
import type { TunnelJoin } from './trackers/join-description.ts'
import type { LeakServiceTracker } from './trackers/leak-service.ts'
import type { LeakTestTracker } from './trackers/leak-tests.ts'
import type { LeakList } from './trackers/leaks.ts'
import type { LinkFigures, LinkTracker } from './trackers/links.ts'
import type { NameTable } from './trackers/names.ts'
import type { NetworkHistory } from './trackers/network-history.ts'
import type { PathTable } from './trackers/path-table.ts'
import { latencyQuantile, type ResolverFigures, type ResolverTracker } from './trackers/resolvers.ts'
import type { SiteContext, SiteTracker } from './trackers/sites.ts'
import type { Timeline } from './trackers/timeline.ts'
import type { TracerouteTracker } from './trackers/traceroutes.ts'
import { type VerdictCounter, verdictOf } from './trackers/verdict.ts'
import type { VolumeJoin } from './trackers/volume-description.ts'
import type { VpnTransportTracker } from './trackers/vpn-transport.ts'

export interface ReportSources {
  version: string
  interfaces: readonly CaptureInterface[]
  inputs: readonly InputSummary[]
  roles: readonly RoleDecision[]
  timeline: Timeline
  /** Empty when nobody told of the network. */
  network: NetworkHistory
  links: LinkTracker
  vpn: VpnTransportTracker
  addresses: AddressTable
  connections: ConnectionTracker
  resolvers: ResolverTracker
  paths: PathTable
  traceroutes: TracerouteTracker
  joins: readonly TunnelJoin[]
  volumes: readonly VolumeJoin[]
  leakTests: LeakTestTracker
  leakService: LeakServiceTracker
  leaks: LeakList
  exposures: LeakList
  verdict: VerdictCounter
  exchanges: DnsExchangeTracker
  sites: SiteTracker
  findings: FindingSet
  names: NameTable
  ownerOf: OwnerLookup | undefined
  tunnelCarriesIpv6: boolean
  /** Told apart by their packets. */
  splitTunnels: readonly string[]
  /** What went through the tunnel was captured. */
  insideSeen: boolean
}

/** A verdict is not complete when more than this share of connections has no DNS answer that explains it (rules.md 6). */
const MAX_UNEXPLAINED = 0.1
/** Of fewer connections than this no share is formed: one address typed by hand would decide it. */
const MIN_CONNECTIONS = 10

export function buildReport(from: ReportSources): Report {
  return {
    tool: { name: 'tunnelscope', version: from.version },
    schema: REPORT_SCHEMA,
    inputs: from.inputs.map((input, index) => reportInput(from, input, index)),
    system: reportSystem(from),
    verdict: reportVerdict(from),
    epochs: reportEpochs(from),
    resolvers: from.resolvers.all().map((one) => reportResolver(from, one)),
    leaks: from.leaks.all(),
    exposures: from.exposures.all(),
    findings: from.findings.all(),
    sites: from.sites.all(siteContext(from)),
    tunnels: reportTunnels(
      from.joins,
      from.volumes,
      from.vpn.endpoints(from.links.ownAddresses),
      from.vpn,
      from.addresses,
      from.interfaces,
    ),
    leakTests: from.leakTests.all(),
    leakService: from.leakService.all(),
    paths: reportPaths(
      from.paths,
      from.addresses,
      (id) => from.interfaces[id]?.name ?? from.interfaces[id]?.inputName ?? '',
    ),
    traceroutes: reportTraceroutes(from),
    counters: counters(from),
  }
}

function reportSystem(from: ReportSources): ReportSystem {
  const tcpMtuProbing = from.network.tcpMtuProbing()
  return tcpMtuProbing === undefined ? {} : { tcpMtuProbing }
}

/** What a live watcher wants to know often. */
export interface ReportOverview {
  verdict: Verdict
  epochs: Epoch[]
  interfaces: ReportInterface[]
}

/** The part of the report that is cheap to make, with the epochs from `firstEpoch` on. */
export function reportOverview(from: ReportSources, firstEpoch: number): ReportOverview {
  return {
    verdict: reportVerdict(from),
    epochs: reportEpochs(from, firstEpoch),
    interfaces: distinct(from.interfaces).map((one) => reportInterface(from, one)),
  }
}

function reportInput(from: ReportSources, input: InputSummary, index: number): ReportInput {
  const made: ReportInput = {
    file: input.name,
    format: input.format,
    packets: input.packets,
    bytes: input.bytes,
    interfaces: distinct(from.interfaces)
      .filter((one) => one.inputIndex === index)
      .map((one) => reportInterface(from, one)),
  }
  if (input.firstMicros !== undefined) made.first = utcTime(input.firstMicros)
  if (input.lastMicros !== undefined) made.last = utcTime(input.lastMicros)
  if (input.damage !== undefined) made.damage = { ...input.damage }
  return made
}

/** One that goes on in the next file of a ring is told where it began, with all its packets. */
function distinct(interfaces: readonly CaptureInterface[]): CaptureInterface[] {
  return interfaces.filter((one) => !one.isContinuation)
}

function reportInterface(from: ReportSources, one: CaptureInterface): ReportInterface {
  const decision = from.roles[one.id]
  const figures = from.links.figures(one.id)
  const made: ReportInterface = {
    name: one.name ?? one.inputName,
    role: decision?.role ?? 'unknown',
    reasons: decision?.reasons ?? [],
    linkType: one.linkType,
    packets: figures?.packets ?? 0,
    bytes: figures?.bytes ?? 0,
    addresses: [...from.links.ownAddresses(one.id)].map((id) => from.addresses.text(id)),
  }
  if (one.statistics?.dropped !== undefined) made.dropped = one.statistics.dropped
  const mtu = one.name === undefined ? undefined : from.network.mtu(one.name)
  if (mtu !== undefined) made.mtu = mtu
  return made
}

function reportVerdict(from: ReportSources): Verdict {
  const coverage = coverageOf(from)
  const reasons = incompleteReasons(from, coverage)
  return {
    dns: verdictOf(from.timeline.hasTunnel, from.verdict.total, from.insideSeen),
    complete: reasons.length === 0,
    reasons,
    coverage,
  }
}

/** A capture without a packet: what it does not show says nothing; live the kernel tells of the tunnel without any. */
function isEmpty(from: ReportSources, coverage: Coverage): boolean {
  return coverage.packets === 0 && !from.network.isKnown
}

function coverageOf(from: ReportSources): Coverage {
  const interfaces = distinct(from.interfaces)
  const up = from.network.interfacesUp()
  const made: Coverage = {
    packets: from.inputs.reduce((sum, input) => sum + input.packets, 0),
    interfacesWatched: from.network.isKnown ? up.filter((one) => one.isWatched).length : interfaces.length,
    interfacesUp: from.network.isKnown ? up.length : interfaces.length,
    dnsMessages: from.verdict.dnsMessages,
    questionsOutside: from.verdict.total.outside,
    questionsInTunnel: from.verdict.total.inTunnel,
    connections: from.connections.connections,
    explainedConnections: from.connections.explained,
  }
  const counted = [...interfaces.map((one) => one.statistics), ...from.inputs].flatMap((one) =>
    one?.dropped === undefined ? [] : [one.dropped],
  )
  if (counted.length > 0) made.dropped = counted.reduce((sum, dropped) => sum + dropped, 0)
  return made
}

function incompleteReasons(from: ReportSources, coverage: Coverage): string[] {
  const reasons: string[] = []
  if (isEmpty(from, coverage)) reasons.push('No packet was captured.')
  if ((coverage.dropped ?? 0) > 0) reasons.push(`The capture lost ${coverage.dropped} packets.`)
  const filteredOut = from.inputs.reduce((sum, input) => sum + (input.filteredOut ?? 0), 0)
  if (filteredOut > 0) reasons.push(`The filter left out ${filteredOut} of ${coverage.packets} packets.`)
  for (const input of from.inputs) {
    if (input.lossUnknown === true)
      reasons.push('How many packets the capture lost is unknown: its library does not count them.')
    if (input.damage !== undefined) {
      reasons.push(`${input.name} is damaged at byte ${input.damage.offset}: ${input.damage.reason}.`)
    }
  }
  for (const one of from.interfaces) {
    const figures = from.links.figures(one.id)
    if (figures !== undefined && figures.unread > 0) reasons.push(unreadWords(one, figures))
  }
  const blind = from.network.interfacesUp().filter((one) => !one.isWatched && isWayOut(one.role))
  if (blind.length > 0) {
    const names = blind.map((one) => `${one.name} (${one.role})`).join(', ')
    reasons.push(`Not captured although up: ${names}.`)
  }
  reasons.push(...from.network.gaps())
  const lostMicros = from.network.lostMicros()
  if (lostMicros !== undefined) {
    reasons.push(`The tunnel was lost at ${utcTime(lostMicros)}; what left since then is judged when it returns.`)
  }
  const split = from.timeline.hasTunnel ? [] : [...from.network.splitTunnels(), ...from.splitTunnels]
  if (split.length > 0) {
    const are = split.length === 1 ? 'is up and carries' : 'are up and carry'
    reasons.push(
      `${split.join(', ')} ${are} only part of the internet: what leaves beside a split tunnel is not judged.`,
    )
  }
  const physical = from.roles.some((one) => one.role === 'physical')
  if (from.timeline.hasTunnel && !physical) {
    reasons.push('No physical interface was captured: what left outside the tunnel was not to be seen.')
  }
  if (from.timeline.hasTunnel && !from.insideSeen) {
    reasons.push(
      'Only the tunnel’s outer packets were captured: what went through it, and how much, was not to be seen.',
    )
  }
  const unexplained = coverage.connections - coverage.explainedConnections
  if (coverage.connections >= MIN_CONNECTIONS && unexplained > coverage.connections * MAX_UNEXPLAINED) {
    reasons.push(
      `${unexplained} of ${coverage.connections} connections go to addresses that no DNS answer seen here explains.`,
    )
  }
  if (from.timeline.hasTunnel && from.exchanges.forced > 0) {
    reasons.push(`${from.exchanges.forced} DNS questions were judged before the tunnel's times were known.`)
  }
  return reasons
}

/** Unread packets may hold what would have been judged. */
function unreadWords(one: CaptureInterface, figures: LinkFigures): string {
  const why =
    linkTypeLayer(one.linkType) === LAYER_UNKNOWN
      ? `link type ${one.linkType} is not known here`
      : 'Wi-Fi frames that are encrypted, damaged or in pieces'
  return `${figures.unread} of ${figures.packets} packets on ${one.name ?? one.inputName} could not be read: ${why}.`
}

function isWayOut(role: InterfaceRole): boolean {
  return role === 'physical' || role === 'tunnel'
}

function reportEpochs(from: ReportSources, firstEpoch = 0): Epoch[] {
  const resolvers = new Map<number, ResolverFigures[]>()
  for (const one of from.resolvers.all()) {
    const same = resolvers.get(one.epoch)
    if (same === undefined) resolvers.set(one.epoch, [one])
    else same.push(one)
  }
  const spans = from.timeline.epochs.filter((span) => span.id >= firstEpoch)
  return spans.map((span) => reportEpoch(from, span, resolvers.get(span.id) ?? []))
}

function reportEpoch(from: ReportSources, span: EpochSpan, resolvers: readonly ResolverFigures[]): Epoch {
  const counts = from.verdict.ofEpoch(span.id)
  const asked = new Map<string, number>()
  for (const one of resolvers) asked.set(one.server, (asked.get(one.server) ?? 0) + one.queries)
  const isTunnelTime = span.state !== 'none'
  const made: Epoch = {
    id: span.id,
    start: utcTime(span.startMicros),
    ...(span.isOpen === true ? {} : { end: utcTime(span.endMicros) }),
    reason: span.reason,
    tunnelUp: span.state === 'up',
    connected: isTunnelTime,
    tunnelInterfaces: span.tunnelInterfaces,
    resolvers: [...asked].sort((a, b) => b[1] - a[1]).map(([server]) => server),
    verdict: {
      dns: verdictOf(isTunnelTime, counts, from.insideSeen),
      questionsOutside: counts.outside,
      questionsInTunnel: counts.inTunnel,
      leaked: counts.leaked,
    },
  }
  const egress = from.interfaces.find((one) => from.roles[one.id]?.role === 'physical')
  const egressName = span.details?.egressInterface ?? egress?.name ?? egress?.inputName
  if (egressName !== undefined) made.egressInterface = egressName
  if (isTunnelTime) made.ipv6InTunnel = span.details?.ipv6InTunnel ?? from.tunnelCarriesIpv6
  if (span.details?.tunnelMtu !== undefined) made.tunnelMtu = span.details.tunnelMtu
  const endpoint = isTunnelTime ? (span.endpoint ?? endpointIn(from, span)) : undefined
  if (endpoint !== undefined) {
    made.endpoint = endpoint.server
    made.transport = endpoint.transport
  }
  return made
}

/** What sites are held against: epochs and their networks, as known now. */
export function siteContext(from: Pick<ReportSources, 'timeline' | 'vpn' | 'links' | 'addresses'>): SiteContext {
  const made = new Map<number, SiteNetwork>()
  const network = (epochId: number): SiteNetwork => {
    const span = from.timeline.epochs.find((one) => one.id === epochId)
    if (span === undefined || span.state === 'none') return { tunnel: 'none' }
    const endpoint = span.endpoint ?? endpointIn(from, span)
    return {
      tunnel: span.state,
      ...(endpoint === undefined ? {} : { endpoint: endpoint.server, transport: endpoint.transport }),
      ...(span.details?.tunnelMtu === undefined ? {} : { tunnelMtu: span.details.tunnelMtu }),
    }
  }
  return {
    epochAt: from.timeline.epochAt,
    networkOf(epochId) {
      let known = made.get(epochId)
      if (known === undefined) {
        known = network(epochId)
        made.set(epochId, known)
      }
      return known
    },
  }
}

/** The server most talked to in that time. */
export function endpointIn(
  from: Pick<ReportSources, 'vpn' | 'links' | 'addresses'>,
  span: EpochSpan,
): EndpointSpan | undefined {
  return from.vpn
    .endpoints(from.links.ownAddresses)
    .flatMap((one) => endpointSpans(from.addresses, one))
    .find((one) => one.startMicros < span.endMicros && one.endMicros >= span.startMicros)
}

function reportResolver(from: ReportSources, one: ResolverFigures): ReportResolver {
  const source = from.interfaces[one.interfaceId]
  const made: ReportResolver = {
    server: one.server,
    port: one.port,
    transport: one.transport,
    interface: source?.name ?? source?.inputName ?? '',
    side: from.roles[one.interfaceId]?.role === 'tunnel' ? 'tunnel' : 'outside',
    epoch: one.epoch,
    queries: one.queries,
    answered: one.answered,
  }
  Object.assign(made, from.ownerOf?.(one.server))
  const p50 = latencyQuantile(one.latency, 0.5)
  const p95 = latencyQuantile(one.latency, 0.95)
  if (p50 !== undefined) made.p50Ms = Number((p50 / 1000).toPrecision(3))
  if (p95 !== undefined) made.p95Ms = Number((p95 / 1000).toPrecision(3))
  return made
}

function counters(from: ReportSources): Record<string, number> {
  return {
    names: from.names.count - 1,
    namesRefused: from.names.refused,
    unmatchedResponses: from.exchanges.unmatchedResponses,
    exchangesForced: from.exchanges.forced,
    leaksUnlisted: from.leaks.unlisted,
    findingsRefused: from.findings.refused,
    packetsLate: from.inputs.reduce((sum, input) => sum + input.late, 0),
  }
}
