// What the rules of rules.md part 1 may ask of the network: who we are, where the tunnel is, what else was asked.
import type { ProcessRef } from '../../model/finding.ts'
import type { InterfaceRole } from '../../model/report.ts'
import { isPrivateAddress, isSameNetwork } from '../address-classes.ts'
import type { AddressTable } from '../trackers/addresses.ts'
import type { ExchangeView } from '../trackers/exchange-view.ts'
import type { RecentQuestion } from '../trackers/recent-questions.ts'
import type { Timeline } from '../trackers/timeline.ts'

/** The network context as far as it is known. Ids are those of the address and name tables. */
export interface JudgementContext {
  readonly timeline: Timeline
  readonly addresses: AddressTable
  roleOf(interfaceId: number): InterfaceRole
  /** This machine's addresses on an interface; empty = not known. */
  ownAddresses(interfaceId: number): ReadonlySet<number>
  /** This machine's addresses inside its tunnels. */
  readonly tunnelAddresses: ReadonlySet<number>
  /** IPv6 works inside the tunnel; without it every IPv6 question bypasses the tunnel (RFC 7359 4). */
  readonly tunnelCarriesIpv6: boolean
  /**
   * The inside of the tunnel was captured. When only its outer packets were, what the machine does beside it is judged
   * for its own addresses `tunnelClients` alone, and with less confidence.
   */
  readonly insideSeen: boolean
  readonly tunnelClients: ReadonlySet<number>
  /** A VPN's own packets go there: E of rules.md. `port` 0: whatever port. */
  isEndpoint(addressId: number, port: number): boolean
  /** Some answer for that name held the address of a VPN server that was in use at most 30 s later (rules.md X1). */
  isEndpointName(nameId: number, timeMicros: number): boolean
  /** Packets from that address on that interface left this machine. */
  isSentByUs(interfaceId: number, addressId: number): boolean
  /** An injected route covers the address at that moment (rules.md R15). */
  isRouteInjected(addressId: number, timeMicros: number): boolean
  /** The same name and type, asked elsewhere before; newest last. */
  askedBefore(view: ExchangeView): readonly RecentQuestion[]
  /** When that single label was last asked inside, of whatever type: NetBIOS has types of its own. */
  labelInsideMicros(label: string): number
  /** The same name and type is asked inside the tunnel within so many microseconds after. */
  askedInsideSoon(view: ExchangeView, withinMicros: number): boolean
  /** The tunnel carries packets for that very address. */
  tunnelCarried(addressId: number): boolean
  /** A VPN's packets travel on that interface. */
  carriesVpn(interfaceId: number): boolean
  /** Domains that resolvers outside the tunnel are there for (rules.md X4), and the LAN's own suffixes (X6). */
  readonly splitDomains: readonly string[]
  readonly lanSuffixes: readonly string[]
  /** Programs that the operator let out of the tunnel (rules.md X7), by name. */
  readonly excludedApps: ReadonlySet<string>
  /** We sent it ourselves (rules.md X9). */
  isOwnProbe(clientPort: number, serverId: number): boolean
  /** Who sent from that local port, where the system can tell. */
  processOf(view: ExchangeView): ProcessRef | undefined
}

/** Private space, or the network of one of our own addresses there: the LAN, where a full tunnel does not reach. */
export function isLanAddress(addresses: AddressTable, id: number, own: ReadonlySet<number>): boolean {
  const words = wordsOf(addresses, id)
  if (isPrivateAddress(words[0]!, words[1]!, words[2]!, words[3]!)) return true
  return isOnLink(addresses, words, own)
}

/** A resolver of the LAN. The tunnel's own has a private address too: asked outside, it is not on the LAN for that. */
export function isLanResolver(context: JudgementContext, id: number, own: ReadonlySet<number>): boolean {
  if (isOnLink(context.addresses, wordsOf(context.addresses, id), own)) return true
  return isLanAddress(context.addresses, id, own) && !context.tunnelCarried(id)
}

/** In the network of one of our own addresses. */
export function isOnLink(addresses: AddressTable, words: readonly number[], own: ReadonlySet<number>): boolean {
  for (const mine of own) if (isSameNetwork(wordsOf(addresses, mine), words)) return true
  return false
}

/**
 * The source belongs to the tunnel although the packet left elsewhere (rules.md R20). What a machine sends shows which
 * addresses are its own, not whose they are: the interface must have another one of that family too.
 */
export function isMisbound(context: JudgementContext, clientId: number, interfaceId: number): boolean {
  if (!context.tunnelAddresses.has(clientId)) return false
  const own = context.ownAddresses(interfaceId)
  if (!own.has(clientId)) return true
  const isIpv4 = context.addresses.isIpv4(clientId)
  for (const id of own) {
    if (!context.tunnelAddresses.has(id) && context.addresses.isIpv4(id) === isIpv4) return true
  }
  return false
}

/** The four words of an address in the table. */
export function wordsOf(addresses: AddressTable, id: number): [number, number, number, number] {
  return [addresses.word(id, 0), addresses.word(id, 1), addresses.word(id, 2), addresses.word(id, 3)]
}
