// The HTTP stage of the ladder: statuses of gateways and refusals, captive portals and local proxies, pages that are not the
// same. RFC 9110 15.5 and 15.6, RFC 9209; OONI's ratio of bodies.
import type { Difference, Hypothesis, NetworkVariable } from '../../model/comparison.ts'
import type { SiteHttp, SiteObservation } from '../../model/site.ts'
import { isGatewayStatus, isRefusalStatus } from '../trackers/site-visits.ts'
import { addressWords, exitChanged, found } from './difference.ts'
import { edgeWords, isLocal, matchAnswers, networkWords, popOf } from './observation.ts'

/** OONI: bodies of one page whose lengths differ more are different pages. A heuristic: pages differ for every visitor. */
const BODY_RATIO = 0.7
/** Shorter bodies differ by a date or a counter. */
const MIN_BODY_LEN = 1024

/** The status that tells, or a page that is another one. */
export function httpDifference(
  control: SiteObservation,
  test: SiteObservation,
  changed: readonly NetworkVariable[],
): Difference | undefined {
  const before = control.http
  const now = test.http
  if (now === undefined) return undefined
  const isBad = isGatewayStatus(now.status) || isRefusalStatus(now.status)
  if (before === undefined) {
    return isBad && control.tls?.stage === 'established'
      ? statusDifference(control, undefined, test, now, changed)
      : undefined
  }
  if (isBad && !isGatewayStatus(before.status) && before.status !== now.status) {
    return statusDifference(control, before, test, now, changed)
  }
  const shorter = Math.min(before.bodyLen, now.bodyLen)
  const longer = Math.max(before.bodyLen, now.bodyLen)
  const isWhole = hasWholeBody(control) && hasWholeBody(test)
  const isSamePage = isWhole && before.path === now.path && before.status === now.status && before.status === 200
  if (isSamePage && longer >= MIN_BODY_LEN && shorter / longer < BODY_RATIO) {
    const summary = `${test.host}${now.path ?? ''} is ${now.bodyLen} bytes long ${networkWords(test)} and ${before.bodyLen} ${networkWords(control)}: perhaps another page (a ratio below ${BODY_RATIO} is a heuristic).`
    return found('http', 'gateway', 'other-body', 'weak', 'heuristic', summary, ['exit'])
  }
  return undefined
}

/** A request of ours may have stopped reading. */
function hasWholeBody({ request, http }: SiteObservation): boolean {
  return (
    http?.partial === undefined && (request === undefined || (request.stage === 'done' && request.bodyCut !== true))
  )
}

/** `before`: undefined where TLS hid the answer. */
function statusDifference(
  control: SiteObservation,
  before: SiteHttp | undefined,
  test: SiteObservation,
  now: SiteHttp,
  changed: readonly NetworkVariable[],
): Difference {
  const seen = `${now.status} came from ${edgeWords(now)} ${networkWords(test)}, ${otherAnswerWords(control, before, now)}.`
  const dns = `${answersWords(control, test)} Not a leak, not MTU.`.trimStart()
  const proxy = now.proxyStatus === undefined ? '' : ` Its Proxy-Status says: ${now.proxyStatus}.`
  const exit: Hypothesis[] = exitChanged(changed) ? ['exit'] : []
  const confidence = before === undefined ? 'probable' : 'strong'
  if (isLocal(now.address)) {
    const summary = `${seen} That address is on this machine or its LAN: a local proxy made the ${now.status}.${proxy}`
    return found('local', 'local', 'local-proxy', confidence, 'RFC 9110 3.7', summary, ['local'])
  }
  if (now.status === 511) {
    const summary = `${seen} ${dns} A captive portal wants to be answered first.`
    return found('http', 'local', 'captive-portal', 'proven', 'RFC 6585 6', summary, ['local'])
  }
  if (isRefusalStatus(now.status)) {
    const summary = `${seen} ${dns} The site refuses the address it is asked from: the exit's range, its reputation or its country.${proxy}`
    return found(
      'http',
      'address-range',
      'refused',
      confidence,
      'RFC 9110 15.5.4',
      summary,
      exit.length > 0 ? exit : ['gateway'],
    )
  }
  const from = popOf(now) ?? (test.network.tunnel === 'up' ? 'that exit' : 'there')
  const summary = `${seen} ${dns} The gateway could not reach the origin for clients from ${from}, or the origin refuses that gateway.${proxy}`
  return found(
    'http',
    'gateway',
    'gateway-error',
    confidence,
    'RFC 9110 15.6.3',
    summary,
    exit.length > 0 ? exit : ['gateway'],
  )
}

/** `and 200 from the same server without the VPN`. */
function otherAnswerWords(control: SiteObservation, before: SiteHttp | undefined, now: SiteHttp): string {
  if (before === undefined) {
    return `while TLS with ${addressWords(control)} came to its end ${networkWords(control)} and hid what was answered there`
  }
  const there = before.address === now.address && before.server === now.server ? 'the same server' : edgeWords(before)
  const inPop = popOf(before) === undefined || popOf(before) === popOf(now) ? '' : ` in POP ${popOf(before)}`
  return `and ${before.status} from ${there}${inPop} ${networkWords(control)}`
}

function answersWords(control: SiteObservation, test: SiteObservation): string {
  if (control.dns === undefined || test.dns === undefined) return ''
  switch (matchAnswers(control, test)) {
    case 'same':
      return `DNS gave the same address (${addressWords(test)}).`
    case 'same-operator':
      return `DNS gave different addresses (${addressWords(test)} and ${addressWords(control)}) of the same AS.`
    case 'different':
      return `DNS gave different addresses (${addressWords(test)} and ${addressWords(control)}).`
    case 'unknown':
      return ''
  }
}
