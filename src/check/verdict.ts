// What the ways say together: the comparison with what fails alike folded into one, and one sentence over it all. Pure.
import { compareSite, whyEverywhere } from '../analysis/compare/compare-sites.ts'
import type { CheckVerdict, CheckWay } from '../model/check.ts'
import type { SiteComparison } from '../model/comparison.ts'
import type { Confidence } from '../model/finding.ts'
import { AXIS_WORDS } from '../text/comparison-text.ts'

/** The ways held against each other; those that fail for one reason are one comparison. */
export function compareWays(ways: readonly CheckWay[]): SiteComparison[] {
  const labelled = ways.flatMap(({ way, observation }) =>
    observation === undefined ? [] : [{ label: `way ${way}`, observation }],
  )
  return labelled.length === 0 ? [] : folded(compareSite(labelled))
}

/** Of those with one cause, the one that is surest, and whose ways differ least, says most. */
function folded(all: readonly SiteComparison[]): SiteComparison[] {
  const byCause = new Map<string, SiteComparison[]>()
  for (const one of all) {
    const key = causeKey(one)
    const known = byCause.get(key)
    if (known === undefined) byCause.set(key, [one])
    else known.push(one)
  }
  return [...byCause.values()].map((alike) => {
    const [best, ...others] = [...alike].sort(
      (a, b) => sureness(a) - sureness(b) || (a.changed?.length ?? 0) - (b.changed?.length ?? 0),
    )
    const alsoIn = others.flatMap((one) => (one.test === undefined ? [] : [one.test.label])).sort(byNumber)
    return alsoIn.length === 0 ? best! : { ...best!, alsoIn }
  })
}

/** A size that dies in a tunnel makes all of that tunnel's ways fall silent, also those that do not show it. */
function causeKey({ verdict, difference, test }: SiteComparison): string {
  if (difference?.axis === 'mtu') return `mtu ${test?.observation.network.boundTo}`
  return [verdict, difference?.stage, difference?.axis, difference?.cause].join(' ')
}

const CONFIDENCES: readonly Confidence[] = Object.freeze(['proven', 'strong', 'probable', 'weak'])

function sureness({ difference }: SiteComparison): number {
  return difference === undefined ? CONFIDENCES.length : CONFIDENCES.indexOf(difference.confidence)
}

function byNumber(a: string, b: string): number {
  return Number(a.slice('way '.length)) - Number(b.slice('way '.length))
}

/** `reasons`: why it is not complete. */
export function verdictOf(
  host: string,
  ways: readonly CheckWay[],
  sites: readonly SiteComparison[],
  reasons: readonly string[],
): CheckVerdict {
  const works = ways.filter((one) => one.outcome === 'works')
  const fails = ways.filter((one) => one.outcome === 'fails')
  const base = { complete: reasons.length === 0, reasons: [...reasons] }
  const differing = sites.filter((one) => one.verdict === 'differs')
  if (differing.length > 0) {
    const axes = new Set(
      differing.map(({ difference }) =>
        difference === undefined ? 'not shown by what was seen' : AXIS_WORDS[difference.axis],
      ),
    )
    const how =
      fails.length === 0
        ? `works over ${overWords(ways, works)}, but not alike`
        : `fails on ${wayWords(fails)}${works.length === 0 ? '' : ` and works on ${wayWords(works)}`}`
    return { ...base, word: 'differs', summary: `${host} ${how}: ${[...axes].join(', ')}.` }
  }
  if (works.length > 0) {
    const opened = new Set(works.map((one) => `${one.interface} ${one.address}`)).size
    const same =
      opened > 1 || works.length > 1
        ? `works the same over ${overWords(ways, works)}`
        : `works over ${overWords(ways, works)}, the only way that could be gone`
    return { ...base, word: 'works', summary: `${host} ${same}.` }
  }
  if (fails.length > 0) {
    const reasonsOf = [...new Set(fails.map((one) => one.fault ?? `${one.status}`))]
    const how = reasonsOf.length === 1 ? ` (${reasonsOf[0]})` : ''
    const labelled = fails.map(({ way, observation }) => ({ label: `way ${way}`, observation: observation! }))
    const summary =
      fails.length === 1
        ? `${host} fails on the only way that could be gone${how}: there is nothing to compare with.`
        : `${host} fails on every way${how}: ${whyEverywhere(labelled)}.`
    return { ...base, word: 'fails', summary }
  }
  const isNameless = ways.some((one) => one.fault?.startsWith('no IPv') === true)
  const why = isNameless ? 'no resolver that answered has an address for it' : 'no way could be gone'
  return { ...base, word: 'unknown', summary: `Nothing can be said of ${host}: ${why}.` }
}

/** `wg0 and eth0, whichever of 10.64.0.1 and 192.0.2.53 is asked`. */
function overWords(all: readonly CheckWay[], ways: readonly CheckWay[]): string {
  const interfaces = [...new Set(ways.map((one) => one.interface))]
  const resolvers = [...new Set(ways.flatMap((one) => (one.resolver === undefined ? [] : [one.resolver.address])))]
  const families = new Set(all.filter((one) => one.outcome !== 'unknown').map((one) => one.family))
  const which = resolvers.length < 2 ? '' : `, whichever of ${listed(resolvers)} is asked`
  const ip = families.size === 2 ? ', with IPv4 and IPv6' : ''
  return `${listed(interfaces)}${which}${ip}`
}

function wayWords(ways: readonly CheckWay[]): string {
  return `${ways.length === 1 ? 'way' : 'ways'} ${ways.map((one) => one.way).join(', ')}`
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
}
