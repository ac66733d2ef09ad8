// Why a question left outside: the rules R1-R20 of rules.md 1.3 in the order in which they are asked. One row each.
import { PORT_DNS } from '../../constants/wire.ts'
import type { Confidence, Severity } from '../../model/finding.ts'
import type { ExchangeView } from '../trackers/exchange-view.ts'
import type { RecentQuestion } from '../trackers/recent-questions.ts'
import { isLanResolver, isMisbound, type JudgementContext } from './context.ts'

/** One cause of a leak. */
export interface LeakCause {
  readonly rule: string
  readonly cause: string
  readonly basis: string
  /** What is wrong, as half a sentence. */
  readonly why: string
  /** What to do, where the finding's own advice would not help. */
  readonly advice?: string
  readonly severity: Severity
  /** At best; a weaker context makes it weaker. */
  readonly confidence: Confidence
  applies(view: ExchangeView, context: JudgementContext): boolean
  /** What it rests on, for the finding's data. */
  detail?(view: ExchangeView, context: JudgementContext): Record<string, string | number>
}

/** RFC 6731 3.3 warns of asking several interfaces at once; answers within this time are one resolution (heuristic). */
export const PARALLEL_MICROS = 100_000
/** A client that gave up inside asks elsewhere within this time: resolvers wait 2 to 5 s, three times (RFC 1035 4.2.1). */
const FALLBACK_MICROS = 20_000_000

export const CAUSES: readonly LeakCause[] = Object.freeze<LeakCause[]>([
  {
    rule: 'R4',
    cause: 'fragment',
    basis: 'RFC 9715',
    why: 'the message travelled in fragments, which port filters do not see',
    advice: 'Let the VPN carry or drop every packet to {server}: a filter on port 53 does not see fragments.',
    severity: 'critical',
    confidence: 'proven',
    applies: (view) => view.fragmented,
  },
  {
    rule: 'R20',
    cause: 'misbound',
    basis: 'RFC 6724',
    why: 'it left on the wrong interface, with the tunnel’s own address as its source',
    advice:
      'Look for a program that is bound to {interface}, and for a route or rule that leads there; let the VPN drop what leaves by it and is not its own.',
    severity: 'critical',
    confidence: 'proven',
    applies: (view, context) => isMisbound(context, view.clientId, view.interfaceId),
  },
  {
    rule: 'R15',
    cause: 'route-injection',
    basis: 'RFC 3442, CVE-2024-3661',
    why: 'a route that the network handed out while the tunnel was up leads around it',
    advice: 'Tell the DHCP client to take no routes from this network (option 121), or leave it.',
    severity: 'critical',
    confidence: 'strong',
    applies: (view, context) => context.isRouteInjected(view.serverId, view.queryMicros),
  },
  {
    rule: 'R3',
    cause: 'v6-bypass',
    basis: 'RFC 7359 4',
    why: 'the tunnel carries no IPv6, so IPv6 goes around it',
    advice: 'Let the VPN carry IPv6, or switch it off on {interface} while the VPN is up.',
    severity: 'critical',
    confidence: 'proven',
    applies: (view, context) => view.ipVersion === 6 && context.insideSeen && !context.tunnelCarriesIpv6,
  },
  {
    rule: 'R8',
    cause: 'odd-port',
    basis: 'RFC 1035 4.1',
    why: 'it is a DNS message on a port that filters for DNS do not watch',
    advice: 'Let the VPN carry or drop all that leaves by {interface}: a filter on port 53 does not see port {port}.',
    severity: 'warning',
    confidence: 'strong',
    applies: (view) => view.serverPort !== PORT_DNS,
  },
  {
    rule: 'R11',
    cause: 'parallel-resolution',
    basis: 'RFC 6731 4.1',
    why: 'the same question was asked inside the tunnel and outside at once',
    severity: 'critical',
    confidence: 'proven',
    applies: (view, context) =>
      context.askedInsideSoon(view, PARALLEL_MICROS) ||
      context
        .askedBefore(view)
        .some((one) => one.side === 'inside' && view.queryMicros - one.timeMicros < PARALLEL_MICROS),
  },
  {
    rule: 'R19',
    cause: 'fallback-after-timeout',
    basis: 'RFC 1035 4.2.1',
    why: '{silentServer} inside the tunnel did not answer within {waitedMs} ms, so another resolver was asked outside',
    advice:
      'Find out why {silentServer} does not answer, and block port 53 on {interface} for everything but the VPN: its next silence leaks again.',
    severity: 'critical',
    confidence: 'strong',
    applies: (view, context) => givenUpInside(view, context) !== undefined,
    detail(view, context) {
      const given = givenUpInside(view, context)
      if (given === undefined) return {}
      return { silentServer: given.server, waitedMs: Math.round((view.queryMicros - given.timeMicros) / 1000) }
    },
  },
  {
    rule: 'R16',
    cause: 'lan-forwarder',
    basis: 'RFC 9076',
    why: 'the resolver on the LAN forwards the name to the provider in clear',
    severity: 'critical',
    confidence: 'proven',
    applies: (view, context) => isLanResolver(context, view.serverId, context.ownAddresses(view.interfaceId)),
  },
  {
    rule: 'R2',
    cause: 'outside-tunnel',
    basis: 'RFC 7766 5',
    why: 'the question took the way outside, over TCP',
    severity: 'critical',
    confidence: 'proven',
    applies: (view) => view.transport === 'tcp',
  },
  {
    rule: 'R1',
    cause: 'outside-tunnel',
    basis: 'RFC 1035 4.2.1',
    why: 'the question took the way outside',
    severity: 'critical',
    confidence: 'proven',
    applies: () => true,
  },
])

/** The first cause that applies; the last one always does. */
export function causeOf(view: ExchangeView, context: JudgementContext): LeakCause {
  return CAUSES.find((one) => one.applies(view, context)) ?? CAUSES[CAUSES.length - 1]!
}

/** The row of a cause by its word, for the finding that names it. */
export function causeRow(cause: string, transport: string): LeakCause {
  const rows = CAUSES.filter((one) => one.cause === cause)
  return (transport === 'tcp' ? rows[0] : rows[rows.length - 1]) ?? CAUSES[CAUSES.length - 1]!
}

/** The first of the tries inside that were not answered, when the last of them was answered neither. */
function givenUpInside(view: ExchangeView, context: JudgementContext): RecentQuestion | undefined {
  const inside = context
    .askedBefore(view)
    .filter((one) => one.side === 'inside' && view.queryMicros - one.timeMicros < FALLBACK_MICROS)
  return inside.at(-1)?.outcome === 'answered' ? undefined : inside.find((one) => one.outcome !== 'answered')
}
