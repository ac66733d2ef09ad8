// What is different between the networks of two observations, and what could explain a failure that only one of them has.
import type {
  CauseAxis,
  Difference,
  Hypothesis,
  LabelledObservation,
  NetworkVariable,
  Stage,
} from '../../model/comparison.ts'
import type { Confidence } from '../../model/finding.ts'
import type { SiteNetwork, SiteObservation } from '../../model/site.ts'
import { answerAddresses, matchAnswers } from './observation.ts'

/** What differs, the greatest first: a tunnel brings its location and MTU along, which then are not named. */
export function changedVariables(control: SiteObservation, test: SiteObservation): NetworkVariable[] {
  const changed: NetworkVariable[] = []
  const a = control.network
  const b = test.network
  if ((a.tunnel === 'up') !== (b.tunnel === 'up')) changed.push('tunnel')
  else {
    if (a.endpoint !== b.endpoint) changed.push('location')
    if (a.transport !== b.transport) changed.push('transport')
    if (a.tunnelMtu !== b.tunnelMtu) changed.push('tunnel-mtu')
    // Another server, or none, says it already.
    if (changed.length === 0 && a.boundTo !== b.boundTo) changed.push('interface')
  }
  if (isAnsweredByAnother(control, test)) changed.push('resolver')
  if (a.family !== undefined && b.family !== undefined && a.family !== b.family) changed.push('family')
  return changed
}

/** Another resolver was asked; or none, because somebody wrote another address down. */
function isAnsweredByAnother(a: SiteObservation, b: SiteObservation): boolean {
  if (a.dns !== undefined && b.dns !== undefined) return a.dns.server !== b.dns.server
  return a.dns !== b.dns && matchAnswers(a, b) === 'different'
}

/** The way out to the internet is another one. */
export function exitChanged(changed: readonly NetworkVariable[]): boolean {
  return WAYS_OUT.some((one) => changed.includes(one))
}

const WAYS_OUT: readonly NetworkVariable[] = Object.freeze(['tunnel', 'location', 'transport', 'interface'])

/** A difference in one line. */
export function found(
  stage: Stage,
  axis: CauseAxis,
  cause: string,
  confidence: Confidence,
  basis: string,
  summary: string,
  hypotheses: Hypothesis[],
): Difference {
  return { stage, axis, cause, confidence, basis, summary, hypotheses }
}

/** Explanations that are left, and which observations ruled others out. */
export interface Remaining {
  hypotheses: Hypothesis[]
  settledBy: string[]
}

/**
 * Rules out what the other observations of the same site contradict: an address that works elsewhere is no wrong answer,
 * a way out through which the site works refuses nobody.
 */
export function ruleOut(
  hypotheses: readonly Hypothesis[],
  test: LabelledObservation,
  all: readonly LabelledObservation[],
): Remaining {
  const settledBy: string[] = []
  const left = hypotheses.filter((hypothesis) => {
    const against = all.find(
      (one) => one.label !== test.label && contradicts(one.observation, test.observation, hypothesis),
    )
    if (against !== undefined) settledBy.push(against.label)
    return against === undefined
  })
  // When everything is contradicted something changed in time: nothing is ruled out then.
  return left.length === 0 ? { hypotheses: [...hypotheses], settledBy: [] } : { hypotheses: left, settledBy }
}

function contradicts(other: SiteObservation, test: SiteObservation, hypothesis: Hypothesis): boolean {
  if (other.outcome === 'unknown') return false
  const isSameWay = isSameWayOut(other.network, test.network)
  const isSameAnswer = matchAnswers(other, test) === 'same'
  switch (hypothesis) {
    case 'resolver':
      return isSameWay ? other.outcome === 'fails' && !isSameAnswer : other.outcome === 'works' && isSameAnswer
    case 'exit':
      return isSameWay
        ? other.outcome === 'works'
        : other.outcome === 'fails' && isSameAnswer && other.network.tunnel === test.network.tunnel
    case 'mtu':
      return isSameWay && other.outcome === 'works' && other.network.tunnelMtu === test.network.tunnelMtu
    case 'family':
      return other.outcome === 'works' && isSameWay && other.network.family === test.network.family
    default:
      return false
  }
}

/** Its IPv4 and its IPv6 leave with different addresses: what is refused one need not be refused the other. */
function isSameWayOut(a: SiteNetwork, b: SiteNetwork): boolean {
  const isSameFamily = a.boundTo === undefined || a.family === b.family
  return a.tunnel === b.tunnel && a.endpoint === b.endpoint && a.boundTo === b.boundTo && isSameFamily
}

/** One explanation left is as good as its evidence; two or more are never more than probable. */
export function capped(evidence: Confidence, hypotheses: readonly Hypothesis[]): Confidence {
  if (hypotheses.length <= 1) return evidence
  if (hypotheses.length === 2) return evidence === 'weak' ? 'weak' : 'probable'
  return 'weak'
}

/** `198.51.100.84, 198.51.100.85`, no more than a reader takes in. */
export function addressWords(one: SiteObservation): string {
  const given = answerAddresses(one)
  const more = given.length - MAX_SHOWN
  return given.slice(0, MAX_SHOWN).join(', ') + (more > 0 ? ` and ${more} more` : '')
}

const MAX_SHOWN = 4
