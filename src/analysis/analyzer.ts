// Columns to facts to findings: the trackers, the judge and the detectors, wired once. Live and offline alike.
import type { CaptureInterface, InputSummary } from '../model/capture-interface.ts'
import type { DecodedBatch } from '../model/decoded-batch.ts'
import type { FactHandlers } from '../model/facts.ts'
import type { Finding } from '../model/finding.ts'
import { LAYER_DNS } from '../model/layer.ts'
import type { PacketBatch } from '../model/packet-batch.ts'
import type { InterfaceRole, Report } from '../model/report.ts'
import { parseAddress } from '../text/address.ts'
import { buildReport } from './build-report.ts'
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
import { createResolverTracker } from './trackers/resolvers.ts'
import { offlineTimeline, type Timeline } from './trackers/timeline.ts'
import { createTransport } from './trackers/transport.ts'
import { createVerdictCounter } from './trackers/verdict.ts'
import { createVpnTransportTracker } from './trackers/vpn-transport.ts'

export interface AnalyzerOptions extends RoleOptions {
  version: string
  /** Addresses of the VPN's own resolvers, where the operator names them. */
  vpnResolvers: readonly string[]
  /** The live network context; offline the times of the tunnel are read from the capture. */
  timeline?: Timeline
  /** Hears of every finding when it is raised and whenever it grows. */
  onFinding?: (finding: Finding) => void
  /** Further listeners to facts (event lines, the store). */
  listeners?: readonly FactHandlers[]
}

export interface Analyzer {
  /** Analyses one decoded batch; afterwards its memory may be released. */
  consume(batch: PacketBatch, out: DecodedBatch): void
  /** All input has been read. Call once. */
  end(): void
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
  const findings = createFindingSet((timeMicros) => context().timeline.epochAt(timeMicros), options.onFinding)

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

  let nowMicros = 0
  let startMicros = -1
  let judgement: JudgementContext | undefined
  let roles: RoleDecision[] | undefined

  function interfaceOf(interfaceId: number): { name: string; inputName: string } {
    const one = interfaces[interfaceId]
    return { name: one?.name ?? one?.inputName ?? `#${interfaceId}`, inputName: one?.inputName ?? '' }
  }

  function declaredAddresses(interfaceId: number): number[] {
    const words = new Uint32Array(4)
    return (interfaces[interfaceId]?.addresses ?? []).flatMap((text) => {
      const parsed = parseAddress(text.replace(/\/.*$/, ''))
      if (parsed === undefined) return []
      words.set(parsed)
      return [addresses.intern(words, 0)]
    })
  }

  /** What is known of the network now. Offline it is asked at the end, or when the table of held exchanges is full. */
  function context(): JudgementContext {
    if (judgement !== undefined) return judgement
    const decided = decideRoles(interfaces, options, vpn.carried)
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
      timeline: options.timeline ?? offlineTimeline(evidence, startMicros, nowMicros),
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
      const lastMicros = batch.timeMicros[batch.count - 1]!
      if (startMicros < 0) startMicros = batch.timeMicros[0]!
      if (lastMicros > nowMicros) nowMicros = lastMicros
      // Forced exchanges were judged with what was known then; later ones may know more.
      if (options.timeline === undefined) judgement = undefined
      exchanges.settle(nowMicros, options.timeline === undefined ? Number.NEGATIVE_INFINITY : nowMicros)
      transport.tick(nowMicros)
      handlers.tick?.(nowMicros)
    },
    end() {
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
      handlers.end?.()
    },
    report() {
      const known = context()
      return buildReport({
        version: options.version,
        interfaces,
        inputs,
        roles: roles ?? [],
        timeline: known.timeline,
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
      })
    },
  }
}
