// The ladder of "breaks only with the VPN": DNS, TCP, TLS, HTTP, quality. The first stage at which the test differs from
// the control decides. RFC 9110 15.6.3, RFC 8446 6, RFC 8914, RFC 8305; OONI’s consistency rules for answers.
import type { Difference, Hypothesis, NetworkVariable } from '../../model/comparison.ts'
import type { SiteObservation } from '../../model/site.ts'
import { addressWords, exitChanged, found } from './difference.ts'
import { httpDifference } from './http-difference.ts'
import { askedWords, edgeWords, isNowhere, matchAnswers, networkWords } from './observation.ts'
import { certificateDifference, requestDifference } from './request-difference.ts'

/** Slower than so many times and by so many milliseconds is noticed by a person. */
const SLOWER_TIMES = 3
const DNS_SLOWER_MS = 200
const RTT_SLOWER_MS = 100
const FIRST_BYTE_SLOWER_MS = 1000
/** So many of a hundred packets sent again are felt; of fewer packets no share is formed. */
const LOSSY_SHARE = 0.05
const MIN_PACKETS = 100

/**
 * Undefined when nothing that matters is different. `changed`: what is different between the two networks;
 * `isAnswerCleared`: it is known that another address for the name is not what makes it fail.
 */
export function firstDifference(
  control: SiteObservation,
  test: SiteObservation,
  changed: readonly NetworkVariable[],
  isAnswerCleared = false,
): Difference | undefined {
  return (
    (isAnswerCleared ? undefined : dnsDifference(control, test, changed)) ??
    tcpDifference(control, test) ??
    tlsDifference(control, test, changed) ??
    httpDifference(control, test, changed) ??
    requestDifference(control, test, changed) ??
    qualityDifference(control, test)
  )
}

function dnsDifference(
  control: SiteObservation,
  test: SiteObservation,
  changed: readonly NetworkVariable[],
): Difference | undefined {
  const before = control.dns
  const now = test.dns
  if (now === undefined) return undefined
  const who = `${now.server} ${askedWords(test)}`
  if (before === undefined) {
    const good = `${addressWords(control)} was gone to without asking, ${networkWords(control)}`
    return differentAnswers(control, test, changed, who, good)
  }
  const reason = now.extendedErrors === undefined ? '' : ` (extended error ${now.extendedErrors.join(', ')})`
  const good = `${before.server} answered ${addressWords(control)} ${askedWords(control)}`
  if (before.answers.length > 0 && now.answers.length === 0 && now.answered === 0 && now.timedOut > 0) {
    const summary = `${who} did not answer the question for ${test.host} (${now.questions} asked), while ${good}.`
    return found('dns', 'dns', 'unanswered', 'strong', 'RFC 1035 4.2.1', summary, ['resolver'])
  }
  if (before.answers.length > 0 && now.answers.length === 0 && now.rcode !== undefined && now.answered > 0) {
    const said = now.rcode === 'NOERROR' ? 'no address' : now.rcode
    const summary = `${who} said ${said}${reason} for ${test.host}, while ${good}.`
    return found('dns', 'dns', 'no-address', 'strong', 'RFC 1035 4.1.1, RFC 8914', summary, ['resolver'])
  }
  if (now.answers.length > 0 && now.answers.every(isNowhere) && !before.answers.every(isNowhere)) {
    const summary = `${who} gave ${addressWords(test)} for ${test.host}, which is nowhere on the internet${reason}, while ${good}.`
    return found('dns', 'dns', 'nowhere', 'strong', 'heuristic', summary, ['resolver'])
  }
  const differs = differentAnswers(control, test, changed, who, good)
  if (differs !== undefined) return differs
  const slow = now.latencyMs ?? 0
  const fast = before.latencyMs ?? Number.POSITIVE_INFINITY
  if (test.outcome !== 'fails' && slow >= fast * SLOWER_TIMES && slow - fast >= DNS_SLOWER_MS) {
    const summary = `The site works, but ${who} took ${words(slow)} ms to answer, ${before.server} ${askedWords(control)} ${words(fast)} ms.`
    return found('dns', 'dns', 'slow', 'strong', 'heuristic', summary, ['resolver'])
  }
  return undefined
}

/** Another address, which fails: the answer is wrong, or right for somebody else. */
function differentAnswers(
  control: SiteObservation,
  test: SiteObservation,
  changed: readonly NetworkVariable[],
  who: string,
  good: string,
): Difference | undefined {
  if (test.outcome !== 'fails' || matchAnswers(control, test) !== 'different') return undefined
  const summary = `DNS gave other addresses: ${who} said ${addressWords(test)}, while ${good}. There ${failureWords(test)}.`
  const left: Hypothesis[] = exitChanged(changed) ? ['resolver', 'exit'] : ['resolver']
  return found('dns', 'dns', 'answers-differ', 'strong', 'heuristic', summary, left)
}

function tcpDifference(control: SiteObservation, test: SiteObservation): Difference | undefined {
  const before = control.tcp
  const now = test.tcp
  if (before === undefined || now === undefined || before.answered === 0 || now.answered > 0) return undefined
  const at = test.addresses.map(({ address }) => address).join(', ')
  const isToldByRouter = test.request?.code === 'EHOSTUNREACH' || test.request?.code === 'ENETUNREACH'
  const silent = isToldByRouter ? 'cannot be reached, says a router on the way' : 'never answered a SYN'
  const how = now.refused > 0 ? 'refused the connection' : silent
  const summary = `${at} ${how} ${networkWords(test)} (${now.tried} tried), and took connections ${networkWords(control)}${sameAddressWords(control, test)}.`
  const cause = now.refused > 0 ? 'refused' : 'silent'
  return found('tcp', 'address-range', cause, 'strong', 'RFC 9293 3.5', summary, ['exit'])
}

function tlsDifference(
  control: SiteObservation,
  test: SiteObservation,
  changed: readonly NetworkVariable[],
): Difference | undefined {
  const lost = test.sizeLoss
  if (lost !== undefined && control.sizeLoss === undefined && test.outcome === 'fails') {
    const passes = lost.largestDelivered > 0 ? `, ${lost.largestDelivered} pass` : ''
    const way = lost.direction === 'down' ? 'on the way here' : 'on the way there'
    const none = test.http === undefined ? 'No HTTP answer exists. ' : ''
    const stage = test.tls !== undefined && test.tls.stalls > 0 ? `TLS stopped after ${stageWords(test)}; ` : ''
    const summary = `${none}${stage}packets of ${lost.smallestLost} bytes die ${way} ${networkWords(test)}${passes}. The same site sent all it had ${networkWords(control)}.`
    return found('tls', 'mtu', 'size', 'proven', 'RFC 4821 7.7, RFC 2923 2.1', summary, ['mtu'])
  }
  const before = control.tls
  const now = test.tls
  if (now === undefined || before === undefined || test.outcome !== 'fails') return undefined
  const certificate = certificateDifference(control, test, changed)
  if (certificate !== undefined) return certificate
  const well = `${networkWords(control)} the handshake came to ${stageWords(control)}`
  if (now.alert !== undefined && before.alert === undefined) {
    const summary = `TLS ended with the alert ${now.alert} ${networkWords(test)}; ${well}.`
    const left: Hypothesis[] = exitChanged(changed) ? ['exit', 'local'] : ['local']
    return found('tls', 'tls', 'alert', 'strong', 'RFC 8446 6', summary, left)
  }
  if (now.resets > 0 && before.resets === 0) {
    const isOther = now.resetTtl !== undefined && now.serverTtl !== undefined && now.resetTtl !== now.serverTtl
    const by = isOther
      ? ` The reset came with TTL ${now.resetTtl}, the server's own packets with ${now.serverTtl}.`
      : ''
    const summary = `The connection was reset after the ClientHello for ${test.host} ${networkWords(test)}, ${now.resets} of ${now.handshakes} ${now.handshakes === 1 ? 'time' : 'times'}; ${well}.${by} Not MTU: the answer came at once. Somebody on that way refuses the name, or the server refuses that exit.`
    return found('tls', 'tls', 'reset', 'strong', 'heuristic', summary, ['exit'])
  }
  if (now.stalls > 0 && before.stalls === 0) {
    const summary = `TLS fell silent after ${stageWords(test)} ${networkWords(test)}; ${well}. No size was seen to die: too little was sent to tell.`
    return found('tls', 'mtu', 'stalled', 'probable', 'heuristic', summary, ['mtu', 'exit'])
  }
  return undefined
}

function qualityDifference(control: SiteObservation, test: SiteObservation): Difference | undefined {
  const before = control.tcp
  const now = test.tcp
  if (control.quic !== undefined && control.quic.answered > 0 && test.quic !== undefined && test.quic.answered === 0) {
    const summary = `QUIC was tried ${test.quic.tried} times ${networkWords(test)} and never answered, and worked ${networkWords(control)}.`
    return found('quality', 'mtu', 'quic-unanswered', 'probable', 'RFC 9000 14.1', summary, ['mtu', 'exit'])
  }
  if (before === undefined || now === undefined) return undefined
  const share = now.packets >= MIN_PACKETS ? now.retransmissions / now.packets : 0
  const shareBefore = before.packets > 0 ? before.retransmissions / before.packets : 0
  if (share >= LOSSY_SHARE && share >= shareBefore * SLOWER_TIMES) {
    const summary = `${percent(share)} of the packets were sent again ${networkWords(test)}, ${percent(shareBefore)} ${networkWords(control)}.`
    return found('quality', 'path', 'lossy', 'probable', 'heuristic', summary, ['exit', 'mtu'])
  }
  const rtt = now.rttMs ?? 0
  const rttBefore = before.rttMs ?? Number.POSITIVE_INFINITY
  if (rtt >= rttBefore * SLOWER_TIMES && rtt - rttBefore >= RTT_SLOWER_MS) {
    const summary = `The way is longer ${networkWords(test)}: ${words(rtt)} ms there and back, ${words(rttBefore)} ms ${networkWords(control)}.`
    return found('quality', 'path', 'far-exit', 'strong', 'heuristic', summary, ['exit'])
  }
  const first = test.http?.firstByteMs ?? 0
  const firstBefore = control.http?.firstByteMs ?? Number.POSITIVE_INFINITY
  if (first >= firstBefore * SLOWER_TIMES && first - firstBefore >= FIRST_BYTE_SLOWER_MS) {
    const summary = `The first byte came after ${words(first)} ms ${networkWords(test)}, after ${words(firstBefore)} ms ${networkWords(control)}.`
    return found('quality', 'path', 'slow-answer', 'probable', 'heuristic', summary, ['exit', 'gateway'])
  }
  return undefined
}

/** What the failing observation shows, as the end of a sentence. */
function failureWords(test: SiteObservation): string {
  if (test.tcp !== undefined && test.tcp.answered === 0) {
    return test.tcp.refused > 0 ? 'connections are refused' : 'nobody answers'
  }
  if (test.tls?.alert !== undefined) return `TLS ends with the alert ${test.tls.alert}`
  if (test.tls !== undefined && test.tls.resets > 0) return 'TLS is reset'
  if (test.http !== undefined && test.http.status >= 400) return `${edgeWords(test.http)} answers ${test.http.status}`
  return test.tls !== undefined && test.tls.stalls > 0 ? 'TLS falls silent' : 'the site fails'
}

function sameAddressWords(control: SiteObservation, test: SiteObservation): string {
  return matchAnswers(control, test) === 'same' ? ' at the same address' : ''
}

function stageWords(one: SiteObservation): string {
  switch (one.tls?.stage) {
    case 'established':
      return 'its end'
    case 'certificate':
      return 'the certificate'
    case 'server-hello':
      return 'ServerHello'
    default:
      return 'ClientHello'
  }
}

function words(value: number): string {
  return value >= 10 ? value.toFixed(0) : value.toPrecision(2)
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
