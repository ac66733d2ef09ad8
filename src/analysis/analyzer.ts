// Columns to facts to findings: the trackers, the judge and the detectors, wired once. Live and offline alike.
import { DNS_TIMEOUT_MICROS } from '../constants/limits.ts'
import { DNS_FLAG_QR } from '../constants/wire.ts'
import type { CaptureInterface, InputSummary } from '../model/capture-interface.ts'
import type { DecodedBatch } from '../model/decoded-batch.ts'
import type { DnsJudgement, EncryptedDnsFact } from '../model/dns-facts.ts'
import type { FactHandlers, NetworkEventFact } from '../model/facts.ts'
import { LAYER_DNS, LAYER_MDNS } from '../model/layer.ts'
import type { PacketBatch } from '../model/packet-batch.ts'
import type { SiteObservation } from '../model/site.ts'
import type { Analyzer, AnalyzerOptions } from './analyzer-interface.ts'
import { buildReport, type ReportSources, reportOverview, siteContext } from './build-report.ts'
import { createDeclaredAddresses } from './declared-addresses.ts'
import type { DetectorContext } from './detector.ts'
import { DETECTORS } from './detectors/index.ts'
import { judgeExchange } from './dns-judgement.ts'
import { createEncryptedDns } from './encrypted-dns.ts'
import { createEvidenceLocator } from './evidence-source.ts'
import { createFanOut } from './fan-out.ts'
import { withJoins } from './joined-tunnels.ts'
import { PARALLEL_MICROS } from './judgement/causes.ts'
import { judgeConnection } from './judgement/connections.ts'
import { endpointSpans } from './known-network.ts'
import { createLossTeller } from './loss-teller.ts'
import { createNetworkNow, type PacketClock } from './network-now.ts'
import type { PathContext } from './path-context.ts'
import { createFindingSet } from './raise.ts'
import { createAddressTable } from './trackers/addresses.ts'
import { ConnectionView } from './trackers/connection-view.ts'
import { createConnectionTracker } from './trackers/connections.ts'
import { createAnswerTable } from './trackers/dns-answers.ts'
import { createDnsExchangeTracker } from './trackers/dns-exchanges.ts'
import { ExchangeView } from './trackers/exchange-view.ts'
import { createFurtherQuestions } from './trackers/further-questions.ts'
import { createHeldRoutes } from './trackers/held-routes.ts'
import { createRouteTable } from './trackers/injected-routes.ts'
import { createLateAnswers } from './trackers/late-answers.ts'
import { createLeakServiceTracker } from './trackers/leak-service.ts'
import { createLeakTestTracker } from './trackers/leak-tests.ts'
import { createLeakList } from './trackers/leaks.ts'
import { createLeaseTracker } from './trackers/leases.ts'
import { createLinkTracker } from './trackers/links.ts'
import { createNameTable } from './trackers/names.ts'
import { createNetworkHistory } from './trackers/network-history.ts'
import { createPathTable } from './trackers/path-table.ts'
import { createRecentQuestions } from './trackers/recent-questions.ts'
import { createResolverTracker } from './trackers/resolvers.ts'
import { createServerNames } from './trackers/server-names.ts'
import { createSiteQuestions } from './trackers/site-questions.ts'
import { createSiteTracker, type SiteContext } from './trackers/sites.ts'
import { createTracerouteTracker, MAX_PROBE_TTL } from './trackers/traceroutes.ts'
import { createTransport } from './trackers/transport.ts'
import { createTunnelJoin } from './trackers/tunnel-join.ts'
import { tellLosses } from './trackers/tunnel-losses.ts'
import { createVerdictCounter } from './trackers/verdict.ts'
import { createVolumeJoin } from './trackers/volume-join.ts'
import { createVpnTransportTracker } from './trackers/vpn-transport.ts'
import { createUnjoinedTunnels } from './unjoined-tunnels.ts'

/** What would be a leak is judged by what is known this recently: the server whose name it asks may just have come into use. */
const LEAK_CONTEXT_MICROS = 50_000
/**
 * Offline, when more is held than there is room for, what is known so far is gathered again after so many batches. The
 * detectors' deadlines are looked at as seldom: nobody reads a finding before the end of the file, most bear a time of
 * the packets whenever they are raised (tcp-lossy and mtu-mss-clamped that of the tick, so late by some batches at the
 * most), and some detectors go through all they hold at each tick.
 */
const FORCED_TICKS = 16

/** Live, sites are looked at so often: a person waits for a page longer. */
const SITES_MICROS = 1_000_000

/** `interfaces` and `inputs` are the source's own lists, which grow while reading. */
export function createAnalyzer(
  interfaces: readonly CaptureInterface[],
  inputs: readonly InputSummary[],
  options: AnalyzerOptions,
): Analyzer {
  const names = createNameTable()
  const addresses = createAddressTable()
  /** Empty where nobody tells; then the times of the tunnel come from the packets. */
  const network = options.network ?? createNetworkHistory(false)
  const links = createLinkTracker(addresses, createDeclaredAddresses(interfaces, network, addresses))
  const join = createTunnelJoin(addresses, () => interfaces.length, links.ownAddresses)
  const unjoined = createUnjoinedTunnels(interfaces, options, network, join)
  const volume = createVolumeJoin(addresses, unjoined)
  const vpn = withJoins(createVpnTransportTracker(addresses), join, volume)
  const leakTests = createLeakTestTracker()
  const leakService = createLeakServiceTracker()
  const answers = createAnswerTable(addresses)
  const serverNames = createServerNames(answers)
  const recent = createRecentQuestions(names)
  const routes = createRouteTable(addresses)
  const connections = createConnectionTracker(addresses, answers, opened)
  const heldRoutes = createHeldRoutes(
    (timeMicros) => context().timeline.stateAt(timeMicros) !== 'none',
    (route) => handlers.route?.(route),
  )
  const leases = createLeaseTracker(interfaceOf, (route) => {
    routes.note(route)
    heldRoutes.hold(route)
  })
  const connectionView = new ConnectionView(() => connections.columns, addresses, interfaces)
  /** Where connectivity checks go, by their answers (rules.md X3). */
  const portalAddresses = new Set<number>()
  const resolvers = createResolverTracker()
  const leaks = createLeakList()
  const exposures = createLeakList()
  const verdict = createVerdictCounter()
  const exchanges = createDnsExchangeTracker(names, addresses, told, answers)
  const view = new ExchangeView(() => exchanges, names, addresses, answers, interfaces)
  const lateAnswers = createLateAnswers(names, addresses, answers, interfaces)
  const clock: PacketClock = { startMicros: -1, nowMicros: 0 }
  const networkNow = createNetworkNow(interfaces, options, network, { join, volume }, clock, () => ({
    addresses,
    serverNames,
    links,
    vpn,
    exchanges,
    connections,
    recent,
    routes,
    portalAddresses,
    lanDomains: leases.domains,
  }))
  const { context } = networkNow
  const locate = createEvidenceLocator(inputs)
  const findings = createFindingSet((timeMicros) => context().timeline.epochAt(timeMicros), locate)

  const paths = createPathTable(addresses)
  const traceroutes = createTracerouteTracker(addresses)
  const pathContext: PathContext = {
    paths,
    addresses,
    roleOf: (interfaceId) => context().roleOf(interfaceId),
    outerTunnels: networkNow.outerTunnels,
    mtuOf: (interfaceId) => network.mtu(interfaceOf(interfaceId).name),
    tcpMtuProbing: network.tcpMtuProbing,
  }
  const detectorContext: DetectorContext = {
    raise: findings.raise,
    vpnResolvers: () => options.vpnResolvers,
    ownerOf: (address) => options.ownerOf?.(address),
    answersOf: (set) => answers.addressesOf(set).map(addresses.text),
    resolvers: resolvers.all,
    interfaceOf,
    network: pathContext,
  }
  const questions = createSiteQuestions(names, addresses)
  const siteWords = { addressText: addresses.text, interfaceOf, locate, ownerOf: detectorContext.ownerOf }
  const sites = createSiteTracker(names, addresses, answers, questions, siteWords, options)
  const handlers = createFanOut([
    ...DETECTORS.map((detector) => detector.create(detectorContext)),
    sites.handlers,
    { icmpError: traceroutes.icmpError },
    ...(options.listeners ?? []),
  ])
  const transportHandlers: FactHandlers = {
    ...handlers,
    dnsMessage(batch, out, row) {
      handlers.dnsMessage?.(batch, out, row)
      const isQuestion = (out.dnsFlags[row]! & DNS_FLAG_QR) === 0
      if (out.layer[row] === LAYER_DNS) {
        verdict.dnsMessages++
        if (isQuestion) links.initiation(batch, out, row)
        else questions.response(batch, out, row)
        encrypted.dnsMessage(batch, out, row)
      } else if (!isQuestion || out.dnsQuestions[row] === 0) return
      const unmatched = exchanges.unmatchedResponses
      exchanges.message(batch, out, row)
      if (network.isKnown && exchanges.unmatchedResponses !== unmatched) tellSecond(batch, out, row)
      if (isQuestion && out.dnsQuestions[row]! > 1 && out.layer[row] === LAYER_MDNS) further.message(batch, out, row)
    },
  }
  const encrypted = createEncryptedDns(options.encryptedResolvers ?? [], addresses, context, encryptedTold)
  const further = createFurtherQuestions(exchanges.message)
  const { crypto, inflate, keyLog } = options
  const transport = createTransport(createFanOut([transportHandlers, encrypted.handlers]), {
    paths,
    ...(crypto === undefined ? {} : { crypto }),
    ...(inflate === undefined ? {} : { inflate }),
    ...(keyLog === undefined ? {} : { keyLog }),
    ...(options.maxFlows === undefined ? {} : { maxFlows: options.maxFlows }),
  })

  const losses = createLossTeller(interfaces, inputs, (fact) => handlers.captureStatistics?.(fact))
  let ticks = 0
  let settledMicros = 0

  network.watchServers(() =>
    vpn
      .endpoints(links.ownAddresses)
      .filter((one) => one.isUsed)
      .flatMap((one) => endpointSpans(addresses, one)),
  )

  function interfaceOf(interfaceId: number): { name: string; inputName: string } {
    const one = interfaces[interfaceId]
    return { name: one?.name ?? one?.inputName ?? `#${interfaceId}`, inputName: one?.inputName ?? '' }
  }

  function told(slot: number): void {
    view.moveTo(slot)
    judgeExchange(view, context())
    if (network.isKnown && (view.judgement === 'leak' || view.judgement === 'leak-window')) {
      judgeExchange(view, context(LEAK_CONTEXT_MICROS))
    }
    const { judgement: judged } = view
    if (judged === 'no-tunnel' && !view.isPlainDns) return
    if (judged === 'lan-exposure' || view.cause === 'local-name') {
      exposures.add(view)
      handlers.nameExposure?.(view)
      return
    }
    if (network.isKnown) lateAnswers.note(view)
    resolvers.exchange(view)
    verdict.exchange(view)
    questions.note(view)
    if (judged === 'leak' || judged === 'leak-window') leaks.add(view)
    if (interfaces.length > 1) noteRecent(judged)
    if (view.reason === 'X3') for (const id of view.answerIds) portalAddresses.add(id)
    encrypted.exchange(view)
    leakTests.exchange(view)
    leakService.exchange(view)
    handlers.dnsExchange?.(view)
  }

  /** Twins are on another interface: where there is only one, nobody will ask. */
  function noteRecent(judged: DnsJudgement): void {
    if (judged === 'inside') recent.note(view, judged)
    else if (judged === 'local') {
      // A guest's comes in on a bridge, or by the hotspot's own radio (rules.md X8).
      if (context().roleOf(view.interfaceId) !== 'loopback') recent.note(view, judged)
    } else if (judged !== 'no-tunnel') recent.note(view, 'outside')
  }

  function encryptedTold(fact: EncryptedDnsFact, serverId: number): () => void {
    const figures = resolvers.connection(fact, serverId)
    verdict.exchange(fact)
    if (fact.judgement === 'leak-encrypted') leaks.addEncrypted(fact, interfaceOf(fact.interfaceId).name)
    handlers.encryptedDns?.(fact)
    return () => {
      figures.answered++
      handlers.encryptedDnsAnswered?.(fact)
    }
  }

  function tellSecond(batch: PacketBatch, out: DecodedBatch, row: number): void {
    const fact = lateAnswers.answer(batch, out, row)
    if (fact !== undefined) handlers.secondAnswer?.(fact)
  }

  function opened(slot: number): void {
    connectionView.slot = slot
    judgeConnection(connectionView, context())
    if (network.isKnown && connectionView.judgement === 'outside') {
      judgeConnection(connectionView, context(LEAK_CONTEXT_MICROS))
    }
    handlers.connectionOpened?.(connectionView)
  }

  function tick(timeMicros: number): void {
    /** Live, somebody waits for what a deadline raises; offline see FORCED_TICKS. */
    let isDue = true
    networkNow.tick()
    if (timeMicros > clock.nowMicros) clock.nowMicros = timeMicros
    const { nowMicros } = clock
    if (network.isKnown) network.tick(nowMicros, tellNetwork)
    // Forced exchanges were judged with what was known then; later ones may know more.
    else if (++ticks % FORCED_TICKS === 0) networkNow.forget()
    else isDue = false
    // A cause may look ahead as far as this: the same question asked inside a moment later.
    const contextMicros = network.isKnown
      ? network.decidedBefore(nowMicros - PARALLEL_MICROS)
      : Number.NEGATIVE_INFINITY
    exchanges.settle(nowMicros, contextMicros)
    connections.settle(nowMicros, contextMicros)
    heldRoutes.settle(contextMicros)
    // A resolver's own name is looked up before it is used, and that question is judged first.
    encrypted.settle(contextMicros - DNS_TIMEOUT_MICROS)
    transport.tick(nowMicros)
    losses.tick(nowMicros)
    if (network.isKnown ? isTimeForSites() : sites.isFull()) settleSites()
    if (isDue) handlers.tick?.(nowMicros)
  }

  /** Not while a VPN server may be taking over: nobody knows the epochs yet. */
  function isTimeForSites(): boolean {
    return clock.nowMicros - settledMicros >= SITES_MICROS && (network.switchMicros() === undefined || sites.isFull())
  }

  function settleSites(): void {
    settledMicros = clock.nowMicros
    sites.settle(currentSiteContext(), tellSite)
  }

  function currentSiteContext(): SiteContext {
    return siteContext({ timeline: context().timeline, vpn, links, addresses })
  }

  function tellSite(now: SiteObservation, others: SiteObservation[], timeMicros: number): void {
    handlers.siteFails?.(now, others, timeMicros)
  }

  function tellNetwork(event: NetworkEventFact): void {
    handlers.networkEvent?.(event)
  }

  function sources(): ReportSources {
    const known = context()
    return {
      version: options.version,
      interfaces,
      inputs,
      roles: networkNow.roles(),
      timeline: known.timeline,
      network,
      links,
      vpn,
      addresses,
      connections,
      resolvers,
      joins: join.joins(),
      volumes: volume.joins(),
      leakTests,
      leakService,
      paths,
      traceroutes,
      leaks,
      exposures,
      verdict,
      exchanges,
      sites,
      findings,
      names,
      ownerOf: options.ownerOf,
      tunnelCarriesIpv6: known.tunnelCarriesIpv6,
      splitTunnels: known.splitTunnels,
      insideSeen: known.insideSeen,
    }
  }

  return {
    consume(batch, out) {
      const followsVolume = unjoined().length > 0
      for (let row = 0; row < batch.count; row++) {
        links.packet(batch, out, row)
        vpn.packet(batch, out, row)
        join.packet(batch, out, row)
        if (followsVolume) volume.packet(batch, out, row)
        connections.packet(batch, out, row)
        leases.packet(batch, out, row)
        if (out.ttl[row]! <= MAX_PROBE_TTL || traceroutes.isWaiting(batch.timeMicros[row]!)) {
          traceroutes.packet(batch, out, row)
        }
        transport.packet(batch, out, row)
        encrypted.packet(batch, out, row, transport.flowId)
        if (out.fault[row] !== 0) handlers.malformed?.(batch, out, row)
        handlers.packet?.(batch, out, row)
      }
      if (batch.count === 0) return
      if (clock.startMicros < 0) clock.startMicros = batch.timeMicros[0]!
      tick(batch.timeMicros[batch.count - 1]!)
    },
    tick,
    end() {
      const { nowMicros } = clock
      // Offline not every tick is told: what is raised at the end bears the time of the end.
      handlers.tick?.(nowMicros)
      network.end(nowMicros, tellNetwork)
      networkNow.forget()
      transport.end()
      if (!network.isKnown) tellLosses(context().timeline, tellNetwork)
      exchanges.end(nowMicros)
      connections.end()
      heldRoutes.settle(Number.POSITIVE_INFINITY)
      encrypted.end()
      losses.end(nowMicros, (interfaceId) => links.figures(interfaceId)?.packets ?? 0)
      settleSites()
      handlers.end?.()
    },
    takeFindings: () => findings.takeChanged(network.switchMicros()),
    takeSites: (limit) => sites.takeChanged(currentSiteContext(), limit),
    observe: (choice) => sites.observe(currentSiteContext(), choice),
    takeLeakService: leakService.takeChanges,
    takeLeaks: leaks.takeChanged,
    takeJudgedFrom: verdict.takeCountedFrom,
    overview: (firstEpoch) => reportOverview(sources(), firstEpoch),
    report: () => buildReport(sources()),
  }
}
