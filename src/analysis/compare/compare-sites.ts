// All observations of all sites held against each other: which pair tells most, and what follows from it.
import type {
  Difference,
  Hypothesis,
  LabelledObservation,
  NetworkVariable,
  SiteComparison,
} from '../../model/comparison.ts'
import { capped, changedVariables, ruleOut } from './difference.ts'
import { firstDifference } from './ladder.ts'
import { nextExperiment } from './next-experiment.ts'
import { answerAddresses, networkWords } from './observation.ts'

/** Sites in order: those that fail somewhere first, then by name. The observations of a site in their order of time. */
export function compareSites(observations: readonly LabelledObservation[]): SiteComparison[] {
  const byHost = new Map<string, LabelledObservation[]>()
  for (const one of observations) {
    const known = byHost.get(one.observation.host)
    if (known === undefined) byHost.set(one.observation.host, [one])
    else known.push(one)
  }
  // A name that was only asked for, and nowhere else, tells nothing.
  const visited = new Set(observations.filter(wasVisited).map((one) => one.observation.host))
  return [...byHost.values()]
    .flatMap((all) => compareSite(all))
    .filter((one) => one.verdict !== 'not-comparable' || visited.has(one.host))
    .sort((a, b) => rank(a) - rank(b) || (a.host < b.host ? -1 : a.host > b.host ? 1 : 0))
}

/** One site: a comparison for every context in which it fails, one when it fails nowhere. */
export function compareSite(all: readonly LabelledObservation[]): SiteComparison[] {
  const host = all[0]!.observation.host
  const works = all.filter((one) => one.observation.outcome === 'works')
  const fails = all.filter((one) => one.observation.outcome === 'fails')
  const base = { host, works: works.map((one) => one.label), fails: fails.map((one) => one.label) }
  if (fails.length > 0 && works.length > 0) {
    return fails.map((test) => ({ ...base, ...compareWith(nearest(works, test), test, all) }))
  }
  const resolved = all.filter(wasResolved)
  const unresolved = fails.filter((one) => !wasVisited(one))
  if (unresolved.length > 0 && resolved.length > 0) {
    return unresolved.map((test) => ({ ...base, ...compareWith(nearest(resolved, test), test, all) }))
  }
  if (fails.length > 1 && fails.some(wasVisited)) {
    const summary = `${host} fails in every context it was seen in: ${whyEverywhere(fails)}.`
    return [{ ...base, verdict: 'fails-everywhere', summary }]
  }
  if (works.length > 1) return [{ ...base, ...compareWorking(works) }]
  if (fails.length === 0 && resolved.length > 1) return [{ ...base, ...compareNames(resolved) }]
  const only = all.map((one) => networkWords(one.observation)).join(' and ')
  return [{ ...base, verdict: 'not-comparable', summary: `${host} was seen only ${only}: nothing to compare with.` }]
}

/** What it says of the VPN that a site fails in all of these. */
export function whyEverywhere(fails: readonly LabelledObservation[]): string {
  const plain = fails.filter((one) => one.observation.network.tunnel === 'none')
  if (plain.length === 0) return 'nothing shows that the VPN is to blame'
  // Ours may go without the VPN to what the VPN's resolver said.
  const isOwnAnswer = plain.some(({ observation: { dns, network } }) => {
    return network.boundTo === undefined || dns === undefined || dns.interface === network.boundTo
  })
  if (isOwnAnswer) return 'also without the VPN, which is not to blame'
  const servers = [...new Set(plain.map(({ observation }) => observation.dns?.server))].join(', ')
  return `also without the VPN, but only at what ${servers} said, which may be wrong: ask a resolver outside the VPN too`
}

type Outcome = Omit<SiteComparison, 'host' | 'works' | 'fails'>

function wasVisited({ observation }: LabelledObservation): boolean {
  return observation.visits > 0
}

/** Its name has an address there, whatever came of it. */
function wasResolved({ observation }: LabelledObservation): boolean {
  return observation.outcome !== 'fails' && (observation.dns?.answers.length ?? 0) > 0
}

/** The one whose network differs least; of those the latest before it. */
function nearest(all: readonly LabelledObservation[], test: LabelledObservation): LabelledObservation {
  const distance = (one: LabelledObservation) => changedVariables(one.observation, test.observation).length
  const { boundTo, family } = test.observation.network
  // Ours (`check`) are of one IP version each, and its other version is another site as far as exits and paths go.
  const alike = boundTo === undefined ? [] : all.filter((one) => one.observation.network.family === family)
  return [...(alike.length > 0 ? alike : all)].sort(
    (a, b) => distance(a) - distance(b) || (a.observation.first < b.observation.first ? 1 : -1),
  )[0]!
}

function compareWith(
  control: LabelledObservation,
  test: LabelledObservation,
  all: readonly LabelledObservation[],
): Outcome {
  const changed = changedVariables(control.observation, test.observation)
  const { difference, clearedBy } = differenceOf(control, test, changed, all)
  const { host } = test.observation
  if (difference === undefined) {
    const summary = `${host} fails ${networkWords(test.observation)} and works ${networkWords(control.observation)}, and what was captured of it does not show why.`
    return { verdict: 'differs', summary, control, test, changed }
  }
  const left = ruleOut(difference.hypotheses, test, all)
  const tried = triedHere(control, test, difference)
  if (tried !== undefined) {
    left.hypotheses = ['resolver']
    left.settledBy.push(test.label)
    difference.summary += ` At ${tried} it works ${networkWords(test.observation)}.`
  }
  const isTried = tried !== undefined || isTriedAlready(left.hypotheses, changed)
  difference.hypotheses = left.hypotheses
  difference.confidence = capped(
    isTried && difference.confidence === 'strong' ? 'proven' : difference.confidence,
    left.hypotheses,
  )
  const others = isTried && tried === undefined ? [control.label] : []
  const settledBy = [...new Set([...others, ...clearedBy, ...left.settledBy])]
  const next = isTried ? undefined : nextExperiment(difference, control.observation, test.observation)
  return {
    verdict: 'differs',
    summary: difference.summary,
    control,
    test,
    changed,
    difference,
    ...(settledBy.length === 0 ? {} : { settledBy }),
    ...(next === undefined ? {} : { next }),
  }
}

/** The first stage that differs; not the answers for the name where another observation shows that they are not to blame. */
function differenceOf(
  control: LabelledObservation,
  test: LabelledObservation,
  changed: readonly NetworkVariable[],
  all: readonly LabelledObservation[],
): { difference: Difference | undefined; clearedBy: string[] } {
  const first = firstDifference(control.observation, test.observation, changed)
  if (first?.cause === 'answers-differ') {
    const { hypotheses, settledBy } = ruleOut(first.hypotheses, test, all)
    const later = firstDifference(control.observation, test.observation, changed, true)
    if (!hypotheses.includes('resolver') && later !== undefined) return { difference: later, clearedBy: settledBy }
  }
  return { difference: first, clearedBy: [] }
}

/** The address that the control was told, when somebody went there from the test's network too, and it worked. */
function triedHere(control: LabelledObservation, test: LabelledObservation, { cause }: Difference): string | undefined {
  if (cause !== 'answers-differ') return undefined
  const right = answerAddresses(control.observation)
  const { tries = [] } = test.observation
  return tries.find(({ address, outcome }) => outcome === 'works' && right.includes(address))?.address
}

/** The only thing that changed is the only explanation: the experiment is made. */
function isTriedAlready(hypotheses: readonly Hypothesis[], changed: readonly NetworkVariable[]): boolean {
  if (hypotheses.length !== 1 || changed.length !== 1) return false
  return TRIED_BY[changed[0]!] === hypotheses[0]
}

/** A tunnel brings too much along to be one change. */
const TRIED_BY: Readonly<Partial<Record<NetworkVariable, Hypothesis>>> = Object.freeze({
  location: 'exit',
  resolver: 'resolver',
  'tunnel-mtu': 'mtu',
  family: 'family',
  interface: 'exit',
})

/** It works everywhere: the first context, without a tunnel if there is one, is what the others are held against. */
function compareWorking(works: readonly LabelledObservation[]): Outcome {
  const control = works.find((one) => one.observation.network.tunnel === 'none') ?? works[0]!
  const others = works.filter((one) => one !== control)
  const distance = (one: LabelledObservation) => changedVariables(control.observation, one.observation).length
  // Where less has changed, a difference says more.
  for (const test of others.sort((a, b) => distance(a) - distance(b))) {
    const changed = changedVariables(control.observation, test.observation)
    const difference = firstDifference(control.observation, test.observation, changed)
    if (difference === undefined) continue
    return compareWith(control, test, works)
  }
  const test = works.find((one) => one !== control)!
  return {
    verdict: 'same',
    summary: `${control.observation.host}: no difference that matters between ${works.map((one) => one.label).join(' and ')}.`,
    control,
    test,
    changed: changedVariables(control.observation, test.observation),
  }
}

/** It was visited in one context at most: what the resolvers said is all there is to hold against each other. */
function compareNames(resolved: readonly LabelledObservation[]): Outcome {
  const control = resolved.find((one) => one.observation.network.tunnel === 'none') ?? resolved[0]!
  const others = resolved.filter((one) => one !== control)
  for (const test of others) {
    const changed = changedVariables(control.observation, test.observation)
    const difference = firstDifference(control.observation, test.observation, changed)
    if (difference?.cause === 'nowhere') return compareWith(control, test, resolved)
  }
  const test = others[0]!
  return {
    verdict: 'same',
    summary: `${control.observation.host}: no difference that matters in what its name stands for in ${resolved.map((one) => one.label).join(' and ')}.`,
    control,
    test,
    changed: changedVariables(control.observation, test.observation),
  }
}

const RANKS: Readonly<Record<SiteComparison['verdict'], number>> = Object.freeze({
  differs: 0,
  'fails-everywhere': 1,
  same: 2,
  'not-comparable': 3,
})

function rank(one: SiteComparison): number {
  return RANKS[one.verdict]
}
