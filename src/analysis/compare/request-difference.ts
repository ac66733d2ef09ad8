// What only our own request (`check`) shows: a certificate that is not trusted, no answer inside TLS, an answer that breaks off.
import type { Difference, Hypothesis, NetworkVariable } from '../../model/comparison.ts'
import type { SiteObservation } from '../../model/site.ts'
import { exitChanged, found } from './difference.ts'
import { networkWords } from './observation.ts'

/** RFC 5280 6: it is trusted on one way and not on the other. Where it is trusted nowhere, only this machine lacks the CA. */
export function certificateDifference(
  control: SiteObservation,
  test: SiteObservation,
  changed: readonly NetworkVariable[],
): Difference | undefined {
  const before = control.tls?.certificate
  const now = test.tls?.certificate
  if (now?.fault === undefined || before === undefined || before.fault !== undefined) return undefined
  const at = test.addresses.map(({ address }) => address).join(', ')
  const summary = `The certificate of ${at} is not trusted ${networkWords(test)} (${now.fault}; issued by ${now.issuer}), and the one shown ${networkWords(control)} is. Somebody on that way answers in the site’s place, or the server shows that exit another one.`
  const left: Hypothesis[] = exitChanged(changed) ? ['exit', 'local'] : ['local']
  return found('tls', 'tls', 'certificate', 'strong', 'RFC 5280 6', summary, left)
}

/** The request came less far than the control's, and no packet says why. */
export function requestDifference(
  control: SiteObservation,
  test: SiteObservation,
  changed: readonly NetworkVariable[],
): Difference | undefined {
  const now = test.request
  if (now?.fault === undefined || control.request?.stage !== 'done') return undefined
  const exit: Hypothesis[] = exitChanged(changed) ? ['exit'] : []
  const good = `${control.http?.status ?? 'an answer'} came ${networkWords(control)}`
  if (now.stage === 'body') {
    const summary = `The answer broke off after ${now.bodyLen} bytes ${networkWords(test)} (${now.fault}), and came to its end ${networkWords(control)}.`
    return found('quality', 'path', 'broken-off', 'probable', 'RFC 9112 8', summary, [...exit, 'mtu'])
  }
  if (now.stage === 'answer') {
    const summary = `The request was taken and got no answer ${networkWords(test)} (${now.fault}), while ${good}.`
    return found('http', 'gateway', 'no-answer', 'strong', 'RFC 9110 15.6.5', summary, [...exit, 'gateway'])
  }
  const summary = `${now.stage === 'tls' ? 'TLS did not come about' : 'The connection did not come about'} ${networkWords(test)} (${now.fault}), while ${good}.`
  return found(now.stage === 'tls' ? 'tls' : 'tcp', 'path', 'broken-off', 'probable', 'heuristic', summary, [
    ...exit,
    'local',
  ])
}
