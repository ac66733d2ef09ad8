// What one question outside or inside the tunnel means (rules.md 1.3, 1.4): the first rule that applies decides.
import type { DnsJudgement } from '../model/facts.ts'
import type { InterfaceRole } from '../model/report.ts'
import { isPrivateAddress, isSameNetwork } from './address-classes.ts'
import type { AddressTable } from './trackers/addresses.ts'
import type { ExchangeView } from './trackers/exchange-view.ts'
import type { Timeline } from './trackers/timeline.ts'

/** The network context as far as it is known. */
export interface JudgementContext {
  readonly timeline: Timeline
  readonly addresses: AddressTable
  roleOf(interfaceId: number): InterfaceRole
  /** This machine's addresses on an interface; empty = not known. */
  ownAddresses(interfaceId: number): ReadonlySet<number>
  /** IPv6 works inside the tunnel; without it every IPv6 question bypasses the tunnel (RFC 7359 4). */
  readonly tunnelCarriesIpv6: boolean
}

/** Writes epoch, judgement, cause and reason of the exchange the view stands on. */
export function judgeExchange(view: ExchangeView, context: JudgementContext): void {
  view.epoch = context.timeline.epochAt(view.queryMicros)
  view.cause = ''
  view.reason = ''
  view.judgement = judgementOf(view, context)
}

function judgementOf(view: ExchangeView, context: JudgementContext): DnsJudgement {
  const role = context.roleOf(view.interfaceId)
  if (role === 'tunnel') return 'inside'
  if (role === 'loopback' || role === 'virtual') return 'local'
  const state = context.timeline.stateAt(view.queryMicros)
  if (state === 'none') return 'no-tunnel'
  if (role === 'unknown') return 'unknown'
  const own = context.ownAddresses(view.interfaceId)
  if (own.size > 0 && !own.has(view.clientId) && own.has(view.serverId)) return 'local'
  view.cause = causeOf(view, context, own)
  return state === 'lost' ? 'leak-window' : 'leak'
}

function causeOf(view: ExchangeView, context: JudgementContext, own: ReadonlySet<number>): string {
  if (view.fragmented) return 'fragment'
  if (view.ipVersion === 6 && !context.tunnelCarriesIpv6) return 'v6-bypass'
  if (isLanAddress(context.addresses, view.serverId, own)) return 'lan-forwarder'
  return 'outside-tunnel'
}

/** Private space, or the network of one of our own addresses there: the LAN, where a full tunnel does not reach. */
export function isLanAddress(addresses: AddressTable, id: number, own: ReadonlySet<number>): boolean {
  const words = wordsOf(addresses, id)
  if (isPrivateAddress(words[0]!, words[1]!, words[2]!, words[3]!)) return true
  for (const mine of own) if (isSameNetwork(wordsOf(addresses, mine), words)) return true
  return false
}

function wordsOf(addresses: AddressTable, id: number): number[] {
  return [addresses.word(id, 0), addresses.word(id, 1), addresses.word(id, 2), addresses.word(id, 3)]
}
