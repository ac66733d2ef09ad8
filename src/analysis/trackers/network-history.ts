// The network context change by change: epochs, the tunnel's state and every interface's role, as the kernel told them.
// Live it grows with the kernel's events; offline it is read from a capture that carries its contexts.
import { MAX_EPOCHS, MAX_RECONNECT_MICROS } from '../../constants/limits.ts'
import type { NetworkEventFact } from '../../model/facts.ts'
import type { InterfaceState, IpFamily, NetworkContext, TcpMtuProbing } from '../../model/network-context.ts'
import type { RoleDecision } from '../roles.ts'
import type { Writable } from '../writable.ts'
import { createEpochList } from './epoch-list.ts'
import type { EndpointSpan, EpochDetails, TunnelState } from './epoch-span.ts'
import type { Timeline } from './timeline.ts'

/** An interface that can carry packets. */
export interface InterfaceUp {
  name: string
  role: RoleDecision['role']
  mtu: number
  isWatched: boolean
}

export interface NetworkHistory extends Timeline {
  /** Takes in the next context; times ascend. */
  add(context: NetworkContext): void
  /**
   * Who tells which VPN servers the packets show. One that takes over from another while the tunnel stays up begins an
   * epoch, also when no link, address or route changes: live as soon as nobody speaks with the old one any more.
   */
  watchServers(servers: () => readonly EndpointSpan[]): void
  /** At least one context is known. */
  readonly isKnown: boolean
  /** Grows with every context: what was derived from the history before is stale. */
  readonly version: number
  /**
   * Questions asked before this moment can be judged. During a loss that is the moment of the loss: whether it is a
   * leak window shows when the tunnel returns, or does not (rules.md 1.2). Offline nothing is judged before the end.
   */
  decidedBefore(nowMicros: number): number
  /** Packet time has reached `nowMicros`: a loss may have lasted too long. Tells what happened up to then, once. */
  tick(nowMicros: number, tell: (event: NetworkEventFact) => void): void
  /** No more contexts come; the last epoch ends here. */
  end(nowMicros: number, tell: (event: NetworkEventFact) => void): void
  /** The role an interface had last; undefined when no context names it. */
  role(interfaceName: string): RoleDecision | undefined
  /** Every address the interface ever had. */
  addresses(interfaceName: string): readonly string[]
  mtu(interfaceName: string): number | undefined
  /** As it was told last. */
  tcpMtuProbing(): TcpMtuProbing | undefined
  interfacesUp(): InterfaceUp[]
  /** What of the network could not be known, a sentence each. */
  gaps(): readonly string[]
  /** Tunnels that are up now and never carried the public internet: split ones (rules.md 1.1). */
  splitTunnels(): string[]
  /** Since when a VPN server may be taking over from another; until that is known, nobody knows whose epoch it is. */
  switchMicros(): number | undefined
  /** When the tunnel was lost that is not back yet. */
  lostMicros(): number | undefined
}

/** `live`: contexts come while packets do; otherwise they may all come before the first packet is judged. */
export function createNetworkHistory(live: boolean): NetworkHistory {
  const events: NetworkEventFact[] = []
  const list = createEpochList(events)
  const { epochs } = list
  const known = new Map<string, { role: RoleDecision; mtu: number; addresses: Set<string> }>()
  /** Tunnels that are up and carried the public internet since then. */
  const promised = new Set<string>()
  /** Families whose public addresses all went through a tunnel at some time since one was wanted. */
  const full = new Set<IpFamily>()
  const blind = new Set<string>()
  let current: NetworkContext | undefined
  let lostMicros: number | undefined
  let lostTunnels: string[] = []
  let key = ''
  /** The families of `full` from their moments on. */
  const promises: { fromMicros: number; families: readonly IpFamily[] }[] = []
  let serversOf: (() => readonly EndpointSpan[]) | undefined
  let serversMicros = 0

  function add(context: NetworkContext): void {
    const before = current
    current = context
    history.isKnown = true
    history.version++
    for (const state of context.interfaces) noteInterface(state)
    const up = tunnelsUp(context)
    const time = context.timeMicros
    const state = nextState(up, time, before)
    if (state === 'none') full.clear()
    for (const one of context.egress) if (up.length > 0 && one.mode === 'full') full.add(one.family)
    notePromise(time)
    const details = detailsOf(context, up)
    const nextKey = `${state} ${up.join()} ${[...full].sort().join()} ${JSON.stringify(details)}`
    if (nextKey !== key) {
      key = nextKey
      if (live) followServers(Number.POSITIVE_INFINITY)
      list.change({ timeMicros: time, state, tunnelInterfaces: up, details, changes: context.changes })
    }
    noteBlindness(context)
  }

  function notePromise(timeMicros: number): void {
    const families = [...full].sort()
    if (promises[promises.length - 1]?.families.join() === families.join()) return
    promises.push({ fromMicros: timeMicros, families })
    if (promises.length > MAX_EPOCHS) promises.shift()
  }

  function nextState(up: readonly string[], timeMicros: number, before: NetworkContext | undefined): TunnelState {
    if (up.length > 0) {
      history.hasTunnel = true
      if (lostMicros !== undefined && timeMicros - lostMicros > MAX_RECONNECT_MICROS) stopped(timeMicros)
      if (lostMicros !== undefined) {
        events.push({ kind: 'tunnel-back', timeMicros, interfaceNames: [...up], lostMicros })
        lostMicros = undefined
      }
      return 'up'
    }
    const last = epochs[epochs.length - 1]
    if (last?.state === 'up') {
      lostMicros = timeMicros
      lostTunnels = [...last.tunnelInterfaces]
      const how = lostTunnels.map((name) => howLost(name, before)).join(', ')
      events.push({ kind: 'tunnel-lost', timeMicros, interfaceNames: lostTunnels, how })
    }
    return lostMicros === undefined ? 'none' : 'lost'
  }

  /** What happened to a tunnel that is not up any more. */
  function howLost(name: string, before: NetworkContext | undefined): string {
    const now = current!.interfaces.find((one) => one.link.name === name)
    if (now === undefined) return `${name} deleted`
    if (!now.link.up) return `${name} switched off`
    if (!now.link.carrier) return `${name} without carrier`
    const had = before?.interfaces.find((one) => one.link.name === name)?.addresses.length ?? 0
    return now.addresses.length < had ? `${name} lost its address` : `${name} down`
  }

  /** The loss was no loss: from then on no tunnel was wanted. */
  function stopped(timeMicros: number): void {
    if (lostMicros === undefined) return
    for (const epoch of epochs) if (epoch.state === 'lost' && epoch.startMicros >= lostMicros) epoch.state = 'none'
    events.push({ kind: 'tunnel-stopped', timeMicros, interfaceNames: lostTunnels, lostMicros })
    key = key.replace(/^lost/, 'none')
    lostMicros = undefined
    history.version++
  }

  function noteInterface({ link, role, reason, addresses }: InterfaceState): void {
    let entry = known.get(link.name)
    if (entry === undefined) {
      if (known.size >= MAX_KNOWN_INTERFACES) return
      entry = { role: { role, reasons: [reason] }, mtu: link.mtu, addresses: new Set() }
      known.set(link.name, entry)
    }
    entry.role = { role, reasons: [reason] }
    entry.mtu = link.mtu
    for (const { address } of addresses) if (entry.addresses.size < MAX_KNOWN_ADDRESSES) entry.addresses.add(address)
  }

  /**
   * The tunnels that are up with an address and carry the public internet, or did so since they came up: routes that
   * lead around one afterwards (RFC 3442, TunnelVision) take nothing back of what the person counts on.
   */
  function tunnelsUp(context: NetworkContext): string[] {
    const linked = new Set(context.tunnels.filter((one) => one.state === 'up').map((one) => one.name))
    for (const name of promised) if (!linked.has(name)) promised.delete(name)
    for (const { interfaceIndex } of context.egress) {
      const state = context.interfaces.find((one) => one.link.index === interfaceIndex)
      if (state !== undefined && linked.has(state.link.name)) promised.add(state.link.name)
    }
    return [...promised].sort()
  }

  /** Live: the last epoch is cut where a VPN server takes over, as far as `nowMicros` can tell. */
  function followServers(nowMicros: number): void {
    if (serversOf === undefined || epochs[epochs.length - 1]?.state !== 'up') list.switchMicros = undefined
    else if (list.followServers(serversOf(), nowMicros, current!.timeMicros)) history.version++
  }

  function noteBlindness(context: NetworkContext): void {
    for (const { name, role, isWatched } of upIn(context)) {
      if (isWatched || (role !== 'physical' && role !== 'tunnel') || blind.has(name)) continue
      if (blind.size < MAX_KNOWN_INTERFACES) blind.add(name)
      events.push({ kind: 'unwatched', timeMicros: context.timeMicros, interfaceName: name, role })
    }
  }

  function tell(upToMicros: number, listener: (event: NetworkEventFact) => void): void {
    while (events.length > 0 && events[0]!.timeMicros <= upToMicros) listener(events.shift()!)
  }

  const history: Writable<NetworkHistory> = {
    add,
    watchServers(servers) {
      serversOf = servers
    },
    isKnown: false,
    version: 0,
    decidedBefore(nowMicros) {
      if (!live) return Number.NEGATIVE_INFINITY
      // Who hears of an exchange has heard before of what happened until then, and during a loss of its end.
      let micros = Math.min(nowMicros, lostMicros ?? nowMicros, list.switchMicros ?? nowMicros)
      for (const event of events) micros = Math.min(micros, 'lostMicros' in event ? event.lostMicros : event.timeMicros)
      return micros
    },
    tick(nowMicros, listener) {
      if (live && lostMicros !== undefined && nowMicros - lostMicros > MAX_RECONNECT_MICROS) {
        stopped(lostMicros + MAX_RECONNECT_MICROS)
      }
      const last = epochs[epochs.length - 1]
      if (last !== undefined && nowMicros > last.endMicros) last.endMicros = nowMicros
      if (live && nowMicros - serversMicros >= SERVERS_MICROS) {
        serversMicros = nowMicros
        followServers(nowMicros)
      }
      if (events.length > 0) tell(nowMicros, listener)
    },
    end(nowMicros, listener) {
      stopped(nowMicros)
      const last = epochs[epochs.length - 1]
      if (last !== undefined) {
        last.endMicros = Math.max(last.startMicros, nowMicros)
        if (live) followServers(Number.POSITIVE_INFINITY)
        else if (serversOf !== undefined) list.cutAll(serversOf())
        history.version++
        delete epochs[epochs.length - 1]!.isOpen
      }
      tell(Number.POSITIVE_INFINITY, listener)
    },
    role: (interfaceName) => known.get(interfaceName)?.role,
    addresses: (interfaceName) => [...(known.get(interfaceName)?.addresses ?? [])],
    // 0 where the system does not tell.
    mtu: (interfaceName) => known.get(interfaceName)?.mtu || undefined,
    gaps: () => current?.gaps ?? [],
    tcpMtuProbing: () => current?.tcpMtuProbing,
    splitTunnels() {
      const up = current?.tunnels.filter((one) => one.state === 'up' && !promised.has(one.name)) ?? []
      return [...new Set(up.map((one) => one.name))].sort()
    },
    interfacesUp: () => (current === undefined ? [] : upIn(current)),
    switchMicros: () => list.switchMicros,
    lostMicros: () => lostMicros,
    stateAt: (timeMicros) => list.at(timeMicros)?.state ?? 'none',
    epochAt: (timeMicros) => list.at(timeMicros)?.id ?? 1,
    isFullTunnel(timeMicros, ipVersion) {
      let index = promises.length - 1
      while (index > 0 && promises[index]!.fromMicros > timeMicros) index--
      return promises[index]?.families.includes(ipVersion === 6 ? 6 : 4)
    },
    epochs,
    hasTunnel: false,
    sources: ['the tunnel is up while its link is up with an address, as the kernel told'],
  }
  return history
}

/** More names than any machine has at once; a machine that makes containers for ever ends here. */
const MAX_KNOWN_INTERFACES = 4096
/** IPv6 privacy addresses change daily: years of them. */
const MAX_KNOWN_ADDRESSES = 1024
/** VPN servers are looked at so often. */
const SERVERS_MICROS = 50_000
function upIn(context: NetworkContext): InterfaceUp[] {
  const { watched } = context
  return context.interfaces
    .filter(({ link }) => link.up && link.carrier)
    .map(({ link, role }) => ({
      name: link.name,
      role,
      mtu: link.mtu,
      isWatched: watched === undefined || watched.includes(link.name),
    }))
}

/** What makes an epoch: any difference in it starts a new one (product.md, Time, identity, sameness). */
function detailsOf(context: NetworkContext, up: readonly string[]): EpochDetails {
  const nameOf = (index: number | undefined) => context.interfaces.find((one) => one.link.index === index)?.link.name
  const below = context.egress.map((one) => nameOf(one.physicalIndex)).find((name) => name !== undefined)
  const mtus = context.interfaces
    .filter(({ link }) => up.includes(link.name) && link.mtu > 0)
    .map(({ link }) => link.mtu)
  return {
    egressInterface: below,
    ways: context.egress.map((one) => `IPv${one.family} ${nameOf(one.interfaceIndex) ?? 'none'} ${one.mode}`),
    ipv6InTunnel: context.tunnels.some((one) => one.family === 6 && one.state === 'up' && up.includes(one.name)),
    tunnelMtu: mtus.length === 0 ? undefined : Math.min(...mtus),
    resolvers: [...new Set(context.dnsServers.map((one) => one.address))],
    endpoints: [...new Set(context.endpoints.map((one) => one.address))],
  }
}
