// Cold path: the connections and questions of one site in one epoch, as the row that reports show and `compare` holds
// against another one.
import type { AddressOwner } from '../../model/address-owner.ts'
import type {
  SiteAddress,
  SiteDns,
  SiteHttp,
  SiteNetwork,
  SiteObservation,
  SiteOutcome,
  SiteTcp,
  SiteTls,
  SiteTry,
  TlsStage,
} from '../../model/site.ts'
import { dnsRcodeName } from '../../text/dns-tables.ts'
import { utcTime } from '../../text/timestamp.ts'
import type { EvidenceLocator } from '../evidence-source.ts'
import { isGatewayStatus, isRefusalStatus, type Visit } from './site-visits.ts'

/** The words for numbers. */
export interface SiteWords {
  addressText(addressId: number): string
  interfaceOf(interfaceId: number): { name: string; inputName: string }
  locate: EvidenceLocator
  ownerOf(address: string): AddressOwner | undefined
}

/** Questions for one site in one epoch. */
export interface SiteDnsFigures {
  serverId: number
  interfaceId: number
  questions: number
  answered: number
  timedOut: number
  latencies: number[]
  /** −1 without an answer. */
  rcode: number
  answers: Set<number>
  chain: string[]
  extendedErrors: string[]
  frame: number
  firstMicros: number
  lastMicros: number
}

/** One site in one epoch: what came of it so far. */
export interface SiteGroup {
  host: string
  epoch: number
  visits: Visit[]
  visitCount: number
  dns: SiteDnsFigures | undefined
  /** Listeners know it as it is. */
  isTold: boolean
  /** Who keeps observations has it as it is. */
  isTaken: boolean
}

const TLS_STAGES: readonly TlsStage[] = Object.freeze(['client-hello', 'server-hello', 'certificate', 'established'])
/** Of the connections to one port so many must fail before the site counts as failing: single ones always do. */
const FAILING_SHARE = 1 / 3
/** Packets named as evidence. */
const MAX_EVIDENCE_FRAMES = 3

export function observationOf(group: SiteGroup, network: SiteNetwork, words: SiteWords): SiteObservation {
  const { visits, dns } = group
  const latest = visits[visits.length - 1]
  const times = [
    ...visits.map((one) => one.timeMicros),
    ...(dns === undefined ? [] : [dns.firstMicros, dns.lastMicros]),
  ]
  const judged = visits.map(outcomeOf)
  const outcome = siteOutcome(visits, judged, dns)
  const failing = visits.filter((_, index) => judged[index] === 'fails')
  const shown = outcome === 'fails' && failing.length > 0 ? failing : visits
  const made: SiteObservation = {
    host: group.host,
    epoch: group.epoch,
    first: utcTime(Math.min(...times)),
    last: utcTime(Math.max(...times)),
    network: { ...network },
    outcome,
    visits: group.visitCount,
    failures: failing.length,
    addresses: addressesOf(shown, words),
    evidence: shown
      .slice(0, MAX_EVIDENCE_FRAMES)
      .map((one) => words.locate(words.interfaceOf(one.interfaceId).inputName, one.http?.frame ?? one.frame)),
  }
  if (latest !== undefined) {
    made.network.interface = words.interfaceOf(latest.interfaceId).name
    made.network.family = latest.ipVersion === 6 ? 6 : 4
  }
  if (dns !== undefined) {
    made.dns = dnsOf(dns, words)
    if (made.evidence.length === 0 && dns.frame > 0) {
      made.evidence.push(words.locate(words.interfaceOf(dns.interfaceId).inputName, dns.frame))
    }
  }
  const streams = visits.filter((one) => one.quicAnswered === undefined)
  if (streams.length > 0) made.tcp = tcpOf(streams)
  const tls = tlsOf(streams)
  if (tls !== undefined) made.tls = tls
  const quic = visits.filter((one) => one.quicAnswered !== undefined)
  if (quic.length > 0) made.quic = { tried: quic.length, answered: quic.filter((one) => one.quicAnswered).length }
  const tries = triesOf(visits, judged)
  if (tries.length > 0) made.tries = tries
  const http = httpOf(shown, words) ?? httpOf(visits, words)
  if (http !== undefined) made.http = http
  const lost = visits.find((one) => one.lostLen > 0)
  if (lost !== undefined) {
    made.sizeLoss = {
      direction: lost.lostUp ? 'up' : 'down',
      smallestLost: Math.min(...visits.filter((one) => one.lostLen > 0).map((one) => one.lostLen)),
      largestDelivered: Math.max(...visits.map((one) => (one.lostUp === lost.lostUp ? one.deliveredLen : 0))),
    }
  }
  return made
}

/** How the site did, without making words of it. */
export function outcomeOfGroup({ visits, dns }: SiteGroup): SiteOutcome {
  return siteOutcome(visits, visits.map(outcomeOf), dns)
}

/** How one connection did. */
export function outcomeOf(visit: Visit): SiteOutcome {
  if (visit.connect !== 'answered' || visit.isStalled || visit.isReset || visit.tls?.alert !== undefined) return 'fails'
  if (visit.http !== undefined) {
    return isGatewayStatus(visit.http.status) || isRefusalStatus(visit.http.status) ? 'fails' : 'works'
  }
  if (visit.quicAnswered !== undefined) return visit.quicAnswered ? 'works' : 'unknown'
  return visit.tls !== undefined && visit.tls.stage !== 'client-hello' ? 'works' : 'unknown'
}

/** A connection that nobody took while another was taken is Happy Eyeballs' loser (RFC 8305 5). */
function siteOutcome(
  visits: readonly Visit[],
  judged: readonly SiteOutcome[],
  dns: SiteDnsFigures | undefined,
): SiteOutcome {
  if (visits.length === 0) {
    if (dns === undefined) return 'unknown'
    return dns.answers.size === 0 && (dns.rcode > 0 || dns.timedOut > 0) ? 'fails' : 'unknown'
  }
  let outcome: SiteOutcome = 'unknown'
  for (const port of new Set(visits.map((one) => one.port))) {
    const decided = visits.flatMap((one, index) =>
      one.port === port && judged[index] !== 'unknown' ? [{ one, isBad: judged[index] === 'fails' }] : [],
    )
    const taken = decided.filter(({ one }) => one.connect === 'answered')
    const counted = taken.length > 0 ? taken : decided
    const bad = counted.filter(({ isBad }) => isBad)
    if (bad.length > counted.length * FAILING_SHARE || bad.some(({ one }) => one.lostLen > 0)) return 'fails'
    if (counted.length > 0) outcome = 'works'
  }
  return outcome
}

function addressesOf(visits: readonly Visit[], words: SiteWords): SiteAddress[] {
  return [...new Set(visits.map((one) => one.address))].map((address) => ({ address, ...owner(words, address) }))
}

/** Address by address, where they did not do alike: somebody may have written one down to try it. */
function triesOf(visits: readonly Visit[], judged: readonly SiteOutcome[]): SiteTry[] {
  const tries = [...new Set(visits.map((one) => one.address))].map((address): SiteTry => {
    const there = judged.filter((_, index) => visits[index]!.address === address)
    const outcome = there.includes('fails') ? 'fails' : there.includes('works') ? 'works' : 'unknown'
    return { address, outcome, visits: there.length }
  })
  return tries.some((one) => one.outcome === 'fails') && tries.some((one) => one.outcome === 'works') ? tries : []
}

function owner(words: SiteWords, address: string): Omit<SiteAddress, 'address'> {
  const known = words.ownerOf(address)
  return {
    ...(known?.asn === undefined ? {} : { asn: known.asn }),
    ...(known?.organisation === undefined ? {} : { organisation: known.organisation }),
  }
}

function dnsOf(dns: SiteDnsFigures, words: SiteWords): SiteDns {
  const latencies = [...dns.latencies].sort((a, b) => a - b)
  const middle = latencies[latencies.length >> 1]
  return {
    server: words.addressText(dns.serverId),
    interface: words.interfaceOf(dns.interfaceId).name,
    questions: dns.questions,
    answered: dns.answered,
    timedOut: dns.timedOut,
    ...(middle === undefined ? {} : { latencyMs: millis(middle / 1000) }),
    ...(dns.rcode < 0 ? {} : { rcode: dnsRcodeName(dns.rcode) }),
    answers: [...dns.answers].map(words.addressText),
    ...(dns.chain.length === 0 ? {} : { chain: dns.chain }),
    ...(dns.extendedErrors.length === 0 ? {} : { extendedErrors: dns.extendedErrors }),
  }
}

function tcpOf(visits: readonly Visit[]): SiteTcp {
  const rtts = visits.filter((one) => one.rttMillis >= 0).map((one) => one.rttMillis)
  const sum = (of: (one: Visit) => number) => visits.reduce((total, one) => total + of(one), 0)
  const mss = (of: (one: Visit) => number) => Math.max(...visits.map(of))
  const made: SiteTcp = {
    tried: visits.length,
    answered: visits.filter((one) => one.connect === 'answered').length,
    refused: visits.filter((one) => one.connect === 'refused').length,
    silent: visits.filter((one) => one.connect === 'silent').length,
    packets: sum((one) => one.packets),
    retransmissions: sum((one) => one.retransmissions),
    bytesToClient: sum((one) => one.bytesToClient),
  }
  if (rtts.length > 0) made.rttMs = millis(Math.min(...rtts))
  if (mss((one) => one.mssToServer) > 0) made.mssToServer = mss((one) => one.mssToServer)
  if (mss((one) => one.mssToClient) > 0) made.mssToClient = mss((one) => one.mssToClient)
  return made
}

function tlsOf(visits: readonly Visit[]): SiteTls | undefined {
  const handshakes = visits.filter((one) => one.tls !== undefined)
  if (handshakes.length === 0) return undefined
  const worst = [...handshakes].sort(
    (a, b) => rank(b) - rank(a) || TLS_STAGES.indexOf(a.tls!.stage) - TLS_STAGES.indexOf(b.tls!.stage),
  )[0]!
  const made: SiteTls = {
    handshakes: handshakes.length,
    stage: worst.tls!.stage,
    resets: handshakes.filter((one) => one.tls!.isReset).length,
    stalls: handshakes.filter((one) => one.isStalled).length,
  }
  const { version, alpn, issuer, alert, isReset, resetTtl, serverTtl } = worst.tls!
  if (version !== undefined) made.version = version
  if (alpn !== undefined) made.alpn = alpn
  if (issuer !== undefined) made.issuer = issuer
  if (alert !== undefined) made.alert = alert
  if (isReset && resetTtl >= 0) made.resetTtl = resetTtl
  if (isReset && serverTtl >= 0) made.serverTtl = serverTtl
  return made
}

function rank(visit: Visit): number {
  return outcomeOf(visit) === 'fails' ? 1 : 0
}

function httpOf(visits: readonly Visit[], words: SiteWords): SiteHttp | undefined {
  const answered = visits.filter((one) => one.http !== undefined)
  const worst = answered.find((one) => outcomeOf(one) === 'fails') ?? answered[answered.length - 1]
  if (worst?.http === undefined) return undefined
  const { status, path, server, via, cfRay, proxyStatus, xCache, bodyLen, isPartial, firstByteMillis, frame } =
    worst.http
  return {
    responses: answered.reduce((sum, one) => sum + one.responses, 0),
    status,
    unanswered: visits.reduce((sum, one) => sum + one.unanswered, 0),
    address: worst.address,
    ...(path === '' ? {} : { path }),
    ...(server === undefined ? {} : { server }),
    ...(via === undefined ? {} : { via }),
    ...(cfRay === undefined ? {} : { cfRay }),
    ...(proxyStatus === undefined ? {} : { proxyStatus }),
    ...(xCache === undefined ? {} : { xCache }),
    bodyLen,
    ...(isPartial ? { partial: true as const } : {}),
    ...(firstByteMillis < 0 ? {} : { firstByteMs: millis(firstByteMillis) }),
    ...words.locate(words.interfaceOf(worst.interfaceId).inputName, frame),
  }
}

function millis(value: number): number {
  return Number(value.toPrecision(3))
}
