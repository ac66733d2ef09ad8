// What one connection outside means (traffic-outside-tunnel): the exemptions that hold for packets of any kind, then why.
import type { ConnectionJudgement } from '../../model/connection-facts.ts'
import { isPublicAddress } from '../address-classes.ts'
import type { ConnectionView } from '../trackers/connection-view.ts'
import { isMisbound, isOnLink, type JudgementContext, wordsOf } from './context.ts'

/** What is known of connections beside the context of DNS. */
export interface ConnectionContext extends JudgementContext {
  /** A VPN server has that address, on whatever port. */
  isEndpointAddress(addressId: number): boolean
  /** The address of a connectivity check, by its DNS answer (rules.md X3). */
  isPortalCheck(addressId: number): boolean
  /** Offline: names of tunnels that carry only a part of the internet; live the network's history knows them. */
  readonly splitTunnels: readonly string[]
  /** The tunnel carries connections to public addresses: it is no tunnel for a few networks only. */
  tunnelCarriesPublic(): boolean
}

/** Writes epoch, judgement, cause, reason and confidence of the connection the view stands on. */
export function judgeConnection(view: ConnectionView, context: ConnectionContext): void {
  view.epoch = context.timeline.epochAt(view.timeMicros)
  view.cause = ''
  view.reason = ''
  view.confidence = 'proven'
  view.judgement = judgementOf(view, context)
}

function judgementOf(view: ConnectionView, context: ConnectionContext): ConnectionJudgement {
  const role = context.roleOf(view.interfaceId)
  if (role === 'tunnel') return 'inside'
  if (role === 'loopback' || role === 'virtual') return 'local'
  if (context.timeline.stateAt(view.timeMicros) === 'none') return 'no-tunnel'
  const own = context.ownAddresses(view.interfaceId)
  const words = wordsOf(context.addresses, view.serverId)
  if (own.has(view.serverId) || !isPublicAddress(...words) || isOnLink(context.addresses, words, own)) return 'local'
  if (own.size > 0 && !own.has(view.clientId) && !context.tunnelAddresses.has(view.clientId)) {
    return context.isSentByUs(view.interfaceId, view.clientId) ? expected(view, 'X8') : 'local'
  }
  if (context.isEndpointAddress(view.serverId)) return expected(view, 'X2')
  if (context.isPortalCheck(view.serverId)) return expected(view, 'X3')
  if (context.isOwnProbe(view.clientPort, view.serverId)) return expected(view, 'X9')
  if (role === 'unknown' || !context.insideSeen) return 'unknown'
  return outside(view, context)
}

function expected(view: ConnectionView, code: string): ConnectionJudgement {
  view.reason = code
  return 'expected'
}

/** Which tunnel is meant to carry everything is known live; from a capture it follows from what the tunnel carries. */
function outside(view: ConnectionView, context: ConnectionContext): ConnectionJudgement {
  const isFull = context.timeline.isFullTunnel?.(view.timeMicros, view.ipVersion)
  const bypassesV6 = view.ipVersion === 6 && !context.tunnelCarriesIpv6
  if (isFull === false && !bypassesV6) return 'unknown'
  if (isFull === undefined && !context.tunnelCarriesPublic()) return 'unknown'
  view.cause = causeOf(view, context, bypassesV6)
  view.confidence = isFull === true || view.cause === 'misbound' ? 'proven' : bypassesV6 ? 'strong' : 'probable'
  return 'outside'
}

function causeOf(view: ConnectionView, context: ConnectionContext, bypassesV6: boolean): string {
  if (isMisbound(context, view.clientId, view.interfaceId)) return 'misbound'
  if (context.isRouteInjected(view.serverId, view.timeMicros)) return 'route-injection'
  if (bypassesV6) return 'v6-bypass'
  return context.timeline.stateAt(view.timeMicros) === 'lost' ? 'tunnel-lost' : 'outside-tunnel'
}
