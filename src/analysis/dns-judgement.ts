// What one question means (rules.md 1.3, 1.4): where it went, then the exemptions, then the causes, each a table in order.
import type { DnsJudgement } from '../model/dns-facts.ts'
import type { Confidence } from '../model/finding.ts'
import { isPrivateAddress } from './address-classes.ts'
import { causeOf } from './judgement/causes.ts'
import { isLanAddress, type JudgementContext, wordsOf } from './judgement/context.ts'
import { EXEMPTIONS, INSIDE_ANOTHER_TUNNEL, INSIDE_BY_PRIVATE_ADDRESS } from './judgement/exemptions.ts'
import { exposureCause } from './judgement/exposures.ts'
import { type ExchangeView, NO_DETAIL } from './trackers/exchange-view.ts'

export { isLanAddress, type JudgementContext }

/** Writes epoch, judgement, cause, reason and confidence of the exchange the view stands on. */
export function judgeExchange(view: ExchangeView, context: JudgementContext): void {
  view.epoch = context.timeline.epochAt(view.queryMicros)
  view.cause = ''
  view.reason = ''
  view.confidence = 'proven'
  view.detail = NO_DETAIL
  view.process = context.processOf(view)
  view.judgement = judgementOf(view, context)
}

function judgementOf(view: ExchangeView, context: JudgementContext): DnsJudgement {
  const role = context.roleOf(view.interfaceId)
  if (role === 'tunnel') {
    view.reason = reasonInside(view, context)
    return 'inside'
  }
  if (role === 'loopback' || role === 'virtual') return 'local'
  const state = context.timeline.stateAt(view.queryMicros)
  if (state === 'none') return 'no-tunnel'
  const own = context.ownAddresses(view.interfaceId)
  const isOurs = own.size === 0 || own.has(view.clientId) || context.tunnelAddresses.has(view.clientId)
  // Somebody else's question: to us, or by others on the same wire.
  if (!isOurs && (own.has(view.serverId) || !isSentHere(view, context))) return 'local'
  if (isExposure(view, context, own)) return judgeExposure(view, context, isOurs)
  if (role === 'unknown') return 'unknown'
  if (!context.insideSeen && !context.tunnelClients.has(view.clientId)) return 'no-tunnel'
  const exemption = EXEMPTIONS.find((one) => one.applies(view, context))
  if (exemption !== undefined) {
    view.reason = exemption.code
    view.cause = exemption.title
    return 'expected'
  }
  const found = causeOf(view, context)
  view.cause = found.cause
  if (found.detail !== undefined) view.detail = found.detail(view, context)
  view.confidence = context.insideSeen ? found.confidence : weaker(found.confidence)
  return state === 'lost' ? 'leak-window' : 'leak'
}

/** X10 and X11 are decided by the way out alone, never by the class of the address. */
function reasonInside(view: ExchangeView, context: JudgementContext): string {
  if (context.carriesVpn(view.interfaceId)) return INSIDE_ANOTHER_TUNNEL
  return isPrivateAddress(...wordsOf(context.addresses, view.serverId)) ? INSIDE_BY_PRIVATE_ADDRESS : ''
}

function isSentHere(view: ExchangeView, context: JudgementContext): boolean {
  return view.sent || context.isSentByUs(view.interfaceId, view.clientId)
}

/** mDNS may be asked of one neighbour too (RFC 6762 5.5); of anybody farther away it is DNS on an odd port (R8). */
function isExposure(view: ExchangeView, context: JudgementContext, own: ReadonlySet<number>): boolean {
  if (view.protocol === 'dns') return false
  return view.protocol !== 'mdns' || view.shouted || isLanAddress(context.addresses, view.serverId, own)
}

function judgeExposure(view: ExchangeView, context: JudgementContext, isOurs: boolean): DnsJudgement {
  if (!isOurs) return 'local'
  view.cause = exposureCause(view, context)
  if (view.cause !== '') return 'lan-exposure'
  view.reason = view.protocol === 'mdns' ? 'X5' : 'X6'
  view.cause = 'local-name'
  return 'expected'
}

function weaker(confidence: Confidence): Confidence {
  return confidence === 'proven' ? 'probable' : 'weak'
}
