// The context that questions and connections are judged in, from what the trackers and the operator know by now.
import type { CaptureInterface } from '../model/capture-interface.ts'
import type { ProcessRef } from '../model/finding.ts'
import type { OwnProbes } from '../model/own-probes.ts'
import type { InterfaceRole } from '../model/report.ts'
import { parseAddress } from '../text/address.ts'
import { splitEndpoint } from './endpoint-text.ts'
import type { ConnectionContext } from './judgement/connections.ts'
import { LAN_SUFFIXES } from './judgement/special-names.ts'
import { isMesh, isNamed, type RoleDecision, type RoleOptions } from './roles.ts'
import { type AddressTable, isPublicId } from './trackers/addresses.ts'
import type { ConnectionTracker } from './trackers/connections.ts'
import type { DnsExchangeTracker } from './trackers/dns-exchanges.ts'
import type { EndpointSpan } from './trackers/epoch-span.ts'
import {
  ANSWERS_AT,
  EXCHANGE_ANSWERED,
  EXCHANGE_SHIFT,
  exchangeState,
  interfaceIdOf,
  NAME_ID_AT,
  QUESTION_AT,
  queryMicrosOf,
  SERVER_AT,
} from './trackers/exchange-record.ts'
import type { ExchangeView } from './trackers/exchange-view.ts'
import type { RouteTable } from './trackers/injected-routes.ts'
import type { LinkTracker } from './trackers/links.ts'
import type { RecentQuestions } from './trackers/recent-questions.ts'
import type { ServerNames } from './trackers/server-names.ts'
import { offlineTimeline, type Timeline, type TunnelEvidence } from './trackers/timeline.ts'
import { type OutsideEvent, tunnelLosses } from './trackers/tunnel-losses.ts'
import { STINT_FIELDS, TRANSPORT_NAMES, type VpnEndpoint, type VpnTransportTracker } from './trackers/vpn-transport.ts'

/** What the operator and the host say beside the packets; all optional. */
export interface JudgementOptions {
  /** VPN servers, `ADDRESS` or `ADDRESS:PORT` (`[ADDRESS]:PORT` for IPv6): what goes there is the VPN's own. */
  endpoints?: readonly string[]
  /** Domains that are resolved outside the tunnel on purpose, and suffixes of the LAN's own names. */
  splitDomains?: readonly string[]
  lanSuffixes?: readonly string[]
  /** Programs that are let out of the tunnel. */
  excludedApps?: readonly string[]
  /** What we send ourselves (rules.md X9). */
  ownProbes?: OwnProbes
  /** Who has that local port at that time, where the system can tell. */
  processOf?: (transport: 'udp' | 'tcp', localPort: number, timeMicros: number) => ProcessRef | undefined
}

export interface NetworkSources {
  interfaces: readonly CaptureInterface[]
  roles: readonly RoleDecision[]
  /** The live context; undefined = from the packets. */
  timeline: Timeline | undefined
  options: JudgementOptions & RoleOptions
  startMicros: number
  nowMicros: number
  addresses: AddressTable
  serverNames: ServerNames
  links: LinkTracker
  vpn: VpnTransportTracker
  exchanges: DnsExchangeTracker
  connections: ConnectionTracker
  recent: RecentQuestions
  routes: RouteTable
  portalAddresses: ReadonlySet<number>
  /** Domains that DHCP named for the LAN. */
  lanDomains: readonly string[]
}

/** A server is in use so shortly after its name was resolved (rules.md X1). */
const BOOTSTRAP_MICROS = 30_000_000

/** Derives everything once; what changes with every question is asked when it is needed. */
export function createKnownNetwork(from: NetworkSources): ConnectionContext {
  const { addresses, links, exchanges, connections, options } = from
  const roleOf = (id: number): InterfaceRole => from.roles[id]?.role ?? 'unknown'
  const ownAddresses = onceForEach(links.ownAddresses)
  const sentByUs = onceForEach(links.sentByUs)
  const tunnelIds = from.roles.flatMap((one, id) => (one.role === 'tunnel' ? [id] : []))
  const dialled = from.vpn.endpoints(ownAddresses)
  const servers = dialled.filter((one) => one.isUsed)
  const split = from.timeline === undefined ? tunnelIds.filter((id) => isSplit(from, id, servers)) : []
  const usedTunnels = tunnelIds.filter((id) => !split.includes(id) && isUsed(from, id, servers.length > 0))
  const insideSeen = from.timeline !== undefined || usedTunnels.length > 0
  // Outer packets beside a split tunnel are its own: no VPN's whose inside was not captured.
  const timeline = from.timeline ?? offlineFrom(from, usedTunnels, split.length > 0 ? [] : servers, roleOf)
  const endpoints = createEndpointSet(addresses, servers, options.endpoints ?? [])
  const splitDomains = (options.splitDomains ?? []).map((one) => one.toLowerCase())
  const lanSuffixes = [...LAN_SUFFIXES, ...(options.lanSuffixes ?? []), ...from.lanDomains].map((one) =>
    one.toLowerCase(),
  )
  const excludedApps = new Set(options.excludedApps)
  const endpointNames = from.serverNames.of(
    dialled.filter((one) => one.isUsed || one.isDialled),
    (each) => {
      const { words } = exchanges.records
      exchanges.eachHeld((slot) => {
        const base = slot << EXCHANGE_SHIFT
        if (exchangeState(words, slot) === EXCHANGE_ANSWERED) each(words[base + NAME_ID_AT]!, words[base + ANSWERS_AT]!)
      })
    },
  )

  return {
    timeline,
    addresses,
    roleOf,
    ownAddresses,
    tunnelAddresses: new Set(tunnelIds.flatMap((id) => [...ownAddresses(id)])),
    tunnelCarriesIpv6: tunnelIds.some((id) => (links.figures(id)?.ipv6Packets ?? 0) > 0),
    insideSeen,
    tunnelClients: new Set(servers.map((one) => one.clientId)),
    isEndpoint: endpoints.has,
    isEndpointAddress: endpoints.hasAddress,
    isEndpointName: (nameId, timeMicros) => timeMicros + BOOTSTRAP_MICROS >= (endpointNames.get(nameId) ?? Infinity),
    isSentByUs: (interfaceId, addressId) => sentByUs(interfaceId).has(addressId),
    isRouteInjected: from.routes.covers,
    isPortalCheck: (addressId) => from.portalAddresses.has(addressId),
    tunnelCarried: (addressId) => tunnelIds.some((id) => links.hasCarried(id, addressId)),
    tunnelCarriesPublic: () => tunnelIds.some((id) => links.hasCarriedPublic(id)),
    askedBefore: (view) => from.recent.of(view),
    labelInsideMicros: from.recent.labelInsideMicros,
    askedInsideSoon: (view, withinMicros) => {
      const { words, times } = exchanges.records
      for (let slot = exchanges.after(view.slot); slot >= 0; slot = exchanges.after(slot)) {
        if (queryMicrosOf(times, slot) - view.queryMicros > withinMicros) return false
        const base = slot << EXCHANGE_SHIFT
        if (words[base + NAME_ID_AT] !== view.nameId || words[base + QUESTION_AT]! >>> 16 !== view.type) continue
        if (roleOf(interfaceIdOf(words, slot)) === 'tunnel') return true
      }
      return false
    },
    splitTunnels: split.map((id) => from.interfaces[id]?.name ?? '').sort(),
    carriesVpn: (id) => from.vpn.carried(id) !== undefined,
    splitDomains,
    lanSuffixes,
    excludedApps,
    isOwnProbe: (clientPort, serverId) => options.ownProbes?.siteOf(clientPort, addresses.text(serverId)) !== undefined,
    processOf: (view: ExchangeView) =>
      options.processOf?.(view.transport === 'tcp' ? 'tcp' : 'udp', view.clientPort, view.queryMicros),
  }

  function offlineFrom(
    sources: NetworkSources,
    tunnels: readonly number[],
    outer: readonly VpnEndpoint[],
    role: (id: number) => InterfaceRole,
  ): Timeline {
    const used = outer.flatMap((one) => endpointSpans(sources.addresses, one))
    if (tunnels.length === 0) return offlineTimeline(outerEvidence(outer), sources.startMicros, sources.nowMicros, used)
    // Goes through all that is held: only where there is a tunnel to be lost.
    const events = outsideEvents(exchanges, connections, role)
    const evidence = tunnels.map((id) => tunnelEvidence(sources, id, events))
    return offlineTimeline(evidence, sources.startMicros, sources.nowMicros, used)
  }
}

/** The times in which a server was talked to. */
export function endpointSpans(addresses: AddressTable, one: VpnEndpoint): EndpointSpan[] {
  const address = addresses.text(one.addressId)
  const server =
    one.port === 0 ? address : address.includes(':') ? `[${address}]:${one.port}` : `${address}:${one.port}`
  const transport = TRANSPORT_NAMES[one.transport] ?? ''
  const spans: EndpointSpan[] = []
  for (let at = 0; at < one.stints.length; at += STINT_FIELDS) {
    const [startMicros, endMicros, packets] = one.stints.slice(at, at + STINT_FIELDS) as [number, number, number]
    spans.push({ server, transport, startMicros, endMicros, packets })
  }
  return spans
}

function onceForEach(make: (interfaceId: number) => Set<number>): (interfaceId: number) => Set<number> {
  const made = new Map<number, Set<number>>()
  return (interfaceId) => {
    let found = made.get(interfaceId)
    if (found === undefined) {
      found = make(interfaceId)
      made.set(interfaceId, found)
    }
    return found
  }
}

/**
 * Packets went through it, or its capture statistics say that it was there. Of an interface that stands without a VPN
 * too, only traffic says so: neighbours greet each other on every interface.
 */
function isUsed(from: NetworkSources, id: number, isVpnSeen: boolean): boolean {
  const figures = from.links.figures(id)
  if (from.roles[id]?.isStanding === true && !isVpnSeen) {
    return figures !== undefined && figures.ipv4Packets + figures.ipv6Packets > 0
  }
  const one = from.interfaces[id]
  return (figures?.packets ?? 0) > 0 || (!one?.isContinuation && one?.statistics?.startMicros !== undefined)
}

/**
 * Only part of the internet goes through it, so that nothing leaks beside it (rules.md 1.1, R1): no packet in it had a
 * public address, and it is a mesh by its name; or private hosts were connected to in it, its resolvers gave addresses of
 * theirs only, and the internet was reached beside it.
 */
function isSplit(from: NetworkSources, id: number, servers: readonly VpnEndpoint[]): boolean {
  const one = from.interfaces[id]
  const figures = from.links.figures(id)
  if (one === undefined || figures === undefined || figures.hasPublic) return false
  if (isMesh(one, from.options)) return true
  if (isNamed(one, from.options.tunnels) || from.exchanges.hasResolvedPublic(id)) return false
  if (from.links.openedTo(id).length === 0) return false
  const isServer = (addressId: number): boolean => servers.some((server) => server.addressId === addressId)
  return from.roles.some(
    ({ role }, beside) =>
      role === 'physical' && from.links.openedTo(beside).some((to) => isPublicId(from.addresses, to) && !isServer(to)),
  )
}

/** Servers come and go within one connected time: between their packets nothing says that the tunnel was lost. */
function outerEvidence(servers: readonly VpnEndpoint[]): TunnelEvidence[] {
  if (servers.length === 0) return []
  return [
    {
      interfaceName: [...new Set(servers.map((one) => TRANSPORT_NAMES[one.transport] ?? 'VPN'))].join(', '),
      statistics: undefined,
      firstMicros: Math.min(...servers.map((one) => one.firstMicros)),
      lastMicros: Math.max(...servers.map((one) => one.lastMicros)),
      isOuter: true,
    },
  ]
}

function tunnelEvidence(from: NetworkSources, id: number, events: readonly OutsideEvent[]): TunnelEvidence {
  const one = from.interfaces[id]
  const figures = from.links.figures(id)
  const { startMicros, endMicros } = one?.statistics ?? {}
  return {
    interfaceName: one?.name ?? one?.inputName ?? '',
    statistics: startMicros === undefined || endMicros === undefined ? undefined : { startMicros, endMicros },
    firstMicros: figures?.firstMicros ?? -1,
    lastMicros: figures?.lastMicros ?? -1,
    losses: tunnelLosses(figures?.silences ?? [], (server) => from.links.hasCarried(id, server), events),
  }
}

/** What was started on physical interfaces and is still held, in order of time. */
function outsideEvents(
  exchanges: DnsExchangeTracker,
  connections: ConnectionTracker,
  roleOf: (id: number) => InterfaceRole,
): OutsideEvent[] {
  const events: OutsideEvent[] = []
  const { words, times } = exchanges.records
  exchanges.eachHeld((slot) => {
    if (roleOf(interfaceIdOf(words, slot)) !== 'physical') return
    const serverId = words[(slot << EXCHANGE_SHIFT) + SERVER_AT]!
    events.push({ timeMicros: queryMicrosOf(times, slot), serverId })
  })
  const opened = connections.columns
  connections.eachHeld((slot) => {
    if (roleOf(opened.interfaceId[slot]!) !== 'physical') return
    events.push({ timeMicros: opened.timeMicros[slot]!, serverId: opened.server[slot]! })
  })
  return events.sort((a, b) => a.timeMicros - b.timeMicros)
}

interface EndpointSet {
  has(addressId: number, port: number): boolean
  hasAddress(addressId: number): boolean
}

function createEndpointSet(
  addresses: AddressTable,
  servers: readonly VpnEndpoint[],
  named: readonly string[],
): EndpointSet {
  const ports = new Set<number>()
  const whole = new Set<number>()
  const all = new Set<number>()
  for (const { addressId, port } of servers) {
    all.add(addressId)
    if (port !== 0) ports.add(addressId * 65_536 + port)
  }
  for (const text of named) {
    const { address, port } = splitEndpoint(text)
    const words = parseAddress(address)
    if (words === undefined) continue
    const id = addresses.intern(Uint32Array.from(words), 0)
    all.add(id)
    if (port === 0) whole.add(id)
    else ports.add(id * 65_536 + port)
  }
  return {
    has: (addressId, port) => whole.has(addressId) || ports.has(addressId * 65_536 + port),
    hasAddress: (addressId) => all.has(addressId),
  }
}
