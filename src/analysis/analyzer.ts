// Columns to facts to findings: the trackers, the judge and the detectors, wired once. Live and offline alike.
import type { CaptureInterface, InputSummary } from '../model/capture-interface.ts'
import type { DecodedBatch } from '../model/decoded-batch.ts'
import type { FactHandlers, NetworkEventFact } from '../model/facts.ts'
import type { Finding } from '../model/finding.ts'
import { LAYER_DNS } from '../model/layer.ts'
import type { PacketBatch } from '../model/packet-batch.ts'
import type { InterfaceRole, Report } from '../model/report.ts'
import { parseAddress } from '../text/address.ts'
import { buildReport, type ReportOverview, type ReportSources, reportOverview } from './build-report.ts'
import type { DetectorContext } from './detector.ts'
import { DETECTORS } from './detectors/index.ts'
import { type JudgementContext, judgeExchange } from './dns-judgement.ts'
import { createFanOut } from './fan-out.ts'
import { createFindingSet } from './raise.ts'
import { decideRoles, type RoleDecision, type RoleOptions } from './roles.ts'
import { createAddressTable } from './trackers/addresses.ts'
import { createConnectionTracker } from './trackers/connections.ts'
import { createDnsExchangeTracker } from './trackers/dns-exchanges.ts'
import { ExchangeView } from './trackers/exchange-view.ts'
import { createLeakList } from './trackers/leaks.ts'
import { createLinkTracker } from './trackers/links.ts'
import { createNameTable } from './trackers/names.ts'
import { createNetworkHistory, type NetworkHistory } from './trackers/network-history.ts'
import { createResolverTracker } from './trackers/resolvers.ts'
import { offlineTimeline } from './trackers/timeline.ts'
import { createTransport } from './trackers/transport.ts'
import { createVerdictCounter } from './trackers/verdict.ts'
import { createVpnTransportTracker } from './trackers/vpn-transport.ts'

export interface AnalyzerOptions extends RoleOptions {
  version: string
  /** Addresses of the VPN's own resolvers, where the operator names them. */
  vpnResolvers: readonly string[]
  /** What the kernel tells of the network; without it the times of the tunnel are read from the capture. */
  network?: NetworkHistory
  /** Further listeners to facts (event lines, the store). */
  listeners?: readonly FactHandlers[]
}

export interface Analyzer {
  /** Analyses one decoded batch; afterwards its memory may be released. */
  consume(batch: PacketBatch, out: DecodedBatch): void
  /** Time has reached `timeMicros` (never back): what waited for a deadline before it is decided. */
  tick(timeMicros: number): void
  /** All input has been read. Call once. */
  end(): void
  /** Findings that are new or have grown since the last call. */
  takeFindings(): Finding[]
  /** The verdict, the epochs from `firstEpoch` on and the interfaces as a report has them, at little cost. */
  overview(firstEpoch: number): ReportOverview
  /** The report as of now; complete after end(). */
  report(): Report
}

/** `interfaces` and `inputs` are the source's own lists, which grow while reading. */
export function createAnalyzer(
  interfaces: readonly CaptureInterface[],
  inputs: readonly InputSummary[],
  options: AnalyzerOptions,
): Analyzer {
  const names = createNameTable()
  const addresses = createAddressTable()
  const links = createLinkTracker(addresses, declaredAddresses)
  const vpn = createVpnTransportTracker(addresses)
  const connections = createConnectionTracker()
  const resolvers = createResolverTracker()
  const leaks = createLeakList()
  const verdict = createVerdictCounter()
  const exchanges = createDnsExchangeTracker(names, addresses, told)
  const view = new ExchangeView(() => exchanges, names, addresses, interfaces)
  const findings = createFindingSet((timeMicros) => context().timeline.epochAt(timeMicros))

  const detectorContext: DetectorContext = {
    raise: findings.raise,
    vpnResolvers: () => options.vpnResolvers,
    interfaceOf,
  }
  const handlers = createFanOut([
    ...DETECTORS.map((detector) => detector.create(detectorContext)),
    ...(options.listeners ?? []),
  ])
  const transport = createTransport({
    ...handlers,
    dnsMessage(batch, out, row) {
      handlers.dnsMessage?.(batch, out, row)
      if (out.layer[row] !== LAYER_DNS) return
      verdict.dnsMessages++
      if ((out.dnsFlags[row]! & 0x8000) === 0) links.initiation(batch, out, row)
      else connections.dnsAnswer(batch, out, row)
      exchanges.message(batch, out, row)
    },
  })

  /** Empty where nobody tells; then the times of the tunnel come from the packets. */
  const network = options.network ?? createNetworkHistory(false)
  /** What inputs as a whole lost, as told so far. */
  const toldDropped: number[] = []
  let nowMicros = 0
  let startMicros = -1
  let judgedVersion = -1
  let judgedInterfaces = -1
  let judgement: JudgementContext | undefined
  let roles: RoleDecision[] | undefined

  function interfaceOf(interfaceId: number): { name: string; inputName: string } {
    const one = interfaces[interfaceId]
    return { name: one?.name ?? one?.inputName ?? `#${interfaceId}`, inputName: one?.inputName ?? '' }
  }

  function declaredAddresses(interfaceId: number): number[] {
    const words = new Uint32Array(4)
    const { name, addresses: declared = [] } = interfaces[interfaceId] ?? {}
    const told = name === undefined ? [] : network.addresses(name)
    return [...declared, ...told].flatMap((text) => {
      const parsed = parseAddress(text.replace(/\/.*$/, ''))
      if (parsed === undefined) return []
      words.set(parsed)
      return [addresses.intern(words, 0)]
    })
  }

  /** What is known of the network now. Offline it is asked at the end, or when the table of held exchanges is full. */
  function context(): JudgementContext {
    const isCurrent = judgedVersion === network.version && judgedInterfaces === interfaces.length
    if (judgement !== undefined && isCurrent) return judgement
    judgedVersion = network.version
    judgedInterfaces = interfaces.length
    const decided = decideRoles(interfaces, options, vpn.carried, network.role)
    roles = decided
    const tunnelIds = decided.flatMap((one, id) => (one.role === 'tunnel' ? [id] : []))
    const own = new Map<number, Set<number>>()
    const evidence = tunnelIds.map((id) => ({
      interfaceName: interfaceOf(id).name,
      statistics: interfaces[id]?.statistics,
      firstMicros: links.figures(id)?.firstMicros ?? -1,
      lastMicros: links.figures(id)?.lastMicros ?? -1,
    }))
    judgement = {
      timeline: network.isKnown ? network : offlineTimeline(evidence, startMicros, nowMicros),
      addresses,
      roleOf: (id): InterfaceRole => decided[id]?.role ?? 'unknown',
      ownAddresses(id) {
        let found = own.get(id)
        if (found === undefined) {
          found = links.ownAddresses(id)
          own.set(id, found)
        }
        return found
      },
      tunnelCarriesIpv6: tunnelIds.some((id) => (links.figures(id)?.ipv6Packets ?? 0) > 0),
    }
    return judgement
  }

  function told(slot: number): void {
    view.slot = slot
    judgeExchange(view, context())
    resolvers.exchange(view)
    verdict.exchange(view)
    if (view.judgement === 'leak' || view.judgement === 'leak-window') leaks.add(view)
    handlers.dnsExchange?.(view)
  }

  function tick(timeMicros: number): void {
    if (timeMicros > nowMicros) nowMicros = timeMicros
    if (network.isKnown) network.tick(nowMicros, tellNetwork)
    // Forced exchanges were judged with what was known then; later ones may know more.
    else judgement = undefined
    exchanges.settle(nowMicros, network.isKnown ? network.decidedBefore(nowMicros) : Number.NEGATIVE_INFINITY)
    transport.tick(nowMicros)
    tellDropped()
    handlers.tick?.(nowMicros)
  }

  function tellNetwork(event: NetworkEventFact): void {
    handlers.networkEvent?.(event)
  }

  /** Loss that belongs to no interface: the kernel counts for its ring as a whole. */
  function tellDropped(): void {
    for (let index = 0; index < inputs.length; index++) {
      const { dropped, name, packets } = inputs[index]!
      if (dropped === undefined || dropped === toldDropped[index]) continue
      toldDropped[index] = dropped
      const fact = { interfaceName: 'all interfaces', inputName: name, timeMicros: nowMicros, packets, dropped }
      handlers.captureStatistics?.(fact)
    }
  }

  function sources(): ReportSources {
    const known = context()
    return {
      version: options.version,
      interfaces,
      inputs,
      roles: roles ?? [],
      timeline: known.timeline,
      network,
      links,
      vpn,
      addresses,
      connections,
      resolvers,
      leaks,
      verdict,
      exchanges,
      findings,
      names,
      tunnelCarriesIpv6: known.tunnelCarriesIpv6,
    }
  }

  return {
    consume(batch, out) {
      for (let row = 0; row < batch.count; row++) {
        links.packet(batch, out, row)
        vpn.packet(batch, out, row)
        connections.packet(batch, out, row)
        transport.packet(batch, out, row)
        if (out.fault[row] !== 0) handlers.malformed?.(batch, out, row)
        handlers.packet?.(batch, out, row)
      }
      if (batch.count === 0) return
      if (startMicros < 0) startMicros = batch.timeMicros[0]!
      tick(batch.timeMicros[batch.count - 1]!)
    },
    tick,
    end() {
      network.end(nowMicros, tellNetwork)
      judgement = undefined
      transport.end()
      exchanges.end(nowMicros)
      for (const one of interfaces) {
        handlers.captureStatistics?.({
          interfaceName: interfaceOf(one.id).name,
          inputName: one.inputName,
          timeMicros: nowMicros,
          packets: links.figures(one.id)?.packets ?? 0,
          dropped: one.statistics?.dropped ?? 0,
        })
      }
      tellDropped()
      handlers.end?.()
    },
    takeFindings: findings.takeChanged,
    overview: (firstEpoch) => reportOverview(sources(), firstEpoch),
    report: () => buildReport(sources()),
  }
}
