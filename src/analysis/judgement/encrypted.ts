// What one connection to an encrypted resolver means (rules.md R5-R7): the exemptions that need no name, then why it is outside.
import type { DnsJudgement, EncryptedDnsFact } from '../../model/dns-facts.ts'
import { isLanResolver, type JudgementContext } from './context.ts'

/** Ids of the connection's ends in the address table. */
export interface ConnectionIds {
  clientId: number
  serverId: number
}

/** Writes epoch, judgement, cause, reason and confidence into the fact. */
export function judgeEncrypted(fact: EncryptedDnsFact, ids: ConnectionIds, context: JudgementContext): void {
  fact.epoch = context.timeline.epochAt(fact.timeMicros)
  fact.judgement = judgementOf(fact, ids, context)
}

function judgementOf(fact: EncryptedDnsFact, ids: ConnectionIds, context: JudgementContext): DnsJudgement {
  const { clientId, serverId } = ids
  const role = context.roleOf(fact.interfaceId)
  if (role === 'tunnel') return 'inside'
  if (role === 'loopback' || role === 'virtual') return 'local'
  if (context.timeline.stateAt(fact.timeMicros) === 'none') return 'no-tunnel'
  const own = context.ownAddresses(fact.interfaceId)
  const isOurs = own.size === 0 || own.has(clientId) || context.tunnelAddresses.has(clientId)
  if (!isOurs) {
    if (own.has(serverId) || !context.isSentByUs(fact.interfaceId, clientId)) return 'local'
    fact.reason = 'X8'
    return 'expected'
  }
  if (role === 'unknown') return 'unknown'
  if (!context.insideSeen && !context.tunnelClients.has(clientId)) return 'no-tunnel'
  if (context.isEndpoint(serverId, fact.serverPort)) {
    fact.reason = 'X2'
    return 'expected'
  }
  if (context.isOwnProbe(fact.clientPort, serverId)) {
    fact.reason = 'X9'
    return 'expected'
  }
  fact.cause = causeOf(fact, ids, context, own)
  if (!context.insideSeen) fact.confidence = fact.confidence === 'proven' ? 'probable' : 'weak'
  return 'leak-encrypted'
}

function causeOf(
  fact: EncryptedDnsFact,
  { clientId, serverId }: ConnectionIds,
  context: JudgementContext,
  own: ReadonlySet<number>,
): string {
  if (context.tunnelAddresses.has(clientId) && !own.has(clientId)) return 'misbound'
  if (context.isRouteInjected(serverId, fact.timeMicros)) return 'route-injection'
  if (fact.ipVersion === 6 && context.insideSeen && !context.tunnelCarriesIpv6) return 'v6-bypass'
  return isLanResolver(context, serverId, own) ? 'lan-forwarder' : 'outside-tunnel'
}
