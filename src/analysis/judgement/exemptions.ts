// Outside the tunnel and no leak: the exemptions of rules.md 1.4 in the order in which they are asked. One row each.
import { DUPLICATE_MICROS } from '../../constants/limits.ts'
import type { ExchangeView } from '../trackers/exchange-view.ts'
import type { RecentQuestion } from '../trackers/recent-questions.ts'
import { isLanResolver, isOnLink, type JudgementContext } from './context.ts'
import { testOf } from './leak-test-names.ts'
import {
  CONNECTIVITY_CHECK_NAMES,
  isLocalReverse,
  isSingleLabel,
  isUnder,
  LOCAL_ZONES,
  OWN_PROBE_LABEL,
  reversePrefix,
} from './special-names.ts'

/** One legitimate reason. `applies` sees a question that left on a physical interface while a tunnel was up or wanted. */
export interface Exemption {
  readonly code: `X${number}`
  readonly title: string
  /** The standard, or `heuristic`. */
  readonly basis: string
  /** Why it is no leak, as half a sentence. */
  readonly why: string
  applies(view: ExchangeView, context: JudgementContext): boolean
}

/** A guest's question leaves again with our address within this time after it came in (rules.md X8). */
const FORWARD_MICROS = 5_000

/** Reasons of what is inside the tunnel, told beside the judgement. */
export const INSIDE_BY_PRIVATE_ADDRESS = 'X10'
export const INSIDE_ANOTHER_TUNNEL = 'X11'

export const EXEMPTIONS: readonly Exemption[] = Object.freeze<Exemption[]>([
  {
    code: 'X2',
    title: 'outer-traffic',
    basis: 'rules of the VPN’s own transport',
    why: 'the packet belongs to the VPN’s own transport',
    applies: (view, context) => context.isEndpoint(view.serverId, view.serverPort),
  },
  {
    code: 'X12',
    title: 'duplicate-view',
    basis: 'heuristic',
    why: 'the same packet was seen on another interface a moment before',
    applies: (view, context) =>
      context
        .askedBefore(view)
        .some(
          (one) =>
            one.side === 'outside' &&
            one.interfaceId !== view.interfaceId &&
            one.clientId === view.clientId &&
            one.serverId === view.serverId &&
            one.clientPort === view.clientPort &&
            one.dnsId === view.dnsId &&
            view.queryMicros - one.timeMicros < DUPLICATE_MICROS,
        ),
  },
  {
    code: 'X8',
    title: 'forwarded',
    basis: 'heuristic',
    why: 'a guest (virtual machine, container, tethered device) asked, not this machine',
    applies(view, context) {
      const own = context.ownAddresses(view.interfaceId)
      if (own.size > 0 && !own.has(view.clientId) && !context.tunnelAddresses.has(view.clientId)) return true
      const before = context.askedBefore(view)
      const guests = before.filter(
        (one) =>
          one.side === 'local' &&
          one.interfaceId !== view.interfaceId &&
          one.clientId !== view.clientId &&
          !own.has(one.clientId) &&
          view.queryMicros - one.timeMicros <= FORWARD_MICROS,
      )
      return guests.length > 0 && !guests.some((guest) => before.some((one) => isOurResolver(guest, one, own, context)))
    },
  },
  {
    code: 'X9',
    title: 'own-probe',
    basis: 'the label of a known test, or our own port',
    why: 'a probe asked, our own or a leak-test page’s (the report lists each run and what its page sees)',
    applies: (view, context) =>
      OWN_PROBE_LABEL.test(view.name) ||
      testOf(view.name) !== undefined ||
      context.isOwnProbe(view.clientPort, view.serverId),
  },
  {
    code: 'X7',
    title: 'excluded-app',
    basis: 'the operator’s choice',
    why: 'the program is excluded from the tunnel',
    applies: (view, context) => view.process !== undefined && context.excludedApps.has(view.process.name),
  },
  {
    code: 'X1',
    title: 'endpoint-bootstrap',
    basis: 'the answer is the VPN’s endpoint',
    why: 'it is the VPN server’s own name',
    applies: (view, context) => context.isEndpointName(view.nameId, view.queryMicros),
  },
  {
    code: 'X5',
    title: 'local-zones',
    basis: 'RFC 6761, RFC 6303',
    why: 'the name belongs to a zone that is answered locally',
    applies(view, context) {
      const { name } = view
      if (LOCAL_ZONES.some(([zone]) => isUnder(name, zone))) return true
      const reverse = reversePrefix(name)
      if (reverse === undefined) return false
      return (
        isLocalReverse(reverse) ||
        (reverse.prefixLen >= (reverse.isIpv4 ? 24 : 64) &&
          isOnLink(context.addresses, reverse.words, context.ownAddresses(view.interfaceId)))
      )
    },
  },
  {
    code: 'X6',
    title: 'lan-resolver-for-lan-name',
    basis: 'RFC 6731 3.3',
    why: 'a LAN name was asked of the LAN’s resolver',
    applies(view, context) {
      const { name } = view
      const isLanName = isSingleLabel(name) || context.lanSuffixes.some((suffix) => isUnder(name, suffix))
      return isLanName && isLanResolver(context, view.serverId, context.ownAddresses(view.interfaceId))
    },
  },
  {
    code: 'X4',
    title: 'split-dns',
    basis: 'RFC 8598 3.3',
    why: 'the name lies in a domain that is resolved outside on purpose',
    applies: (view, context) => context.splitDomains.some((domain) => isUnder(view.name, domain)),
  },
  {
    code: 'X3',
    title: 'captive-portal',
    basis: 'RFC 8910 2, RFC 8952',
    why: 'the system looks for a captive portal',
    applies: (view) => CONNECTIVITY_CHECK_NAMES.includes(view.name),
  },
])

/** The guest is a resolver in a container, and `asked` is this machine's own question to it, which it passes on. */
function isOurResolver(
  guest: RecentQuestion,
  asked: RecentQuestion,
  own: ReadonlySet<number>,
  context: JudgementContext,
): boolean {
  if (asked.side !== 'local' || asked.serverId !== guest.clientId) return false
  if (guest.timeMicros < asked.timeMicros || guest.timeMicros - asked.timeMicros > FORWARD_MICROS) return false
  const ownThere = context.ownAddresses(asked.interfaceId)
  // Where two hosts talk, packets without directions may show the guest as this machine: then the other one is.
  return own.has(asked.clientId) || ownThere.has(asked.clientId) || ownThere.has(guest.clientId)
}

/** The row of a code, for the finding that names it. */
export function exemption(code: string): Exemption {
  return EXEMPTIONS.find((one) => one.code === code) ?? EXEMPTIONS[0]!
}
