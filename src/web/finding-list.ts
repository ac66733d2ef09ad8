// The findings that the page holds, each as it now stands, newest activity first. Bounded by severity, so that a flood of
// small things pushes out no great one; what was let go is counted.
import type { FindingMessage } from '../api/messages.ts'
import type { Severity } from '../model/finding.ts'
import { FINDING_TITLES } from './finding-titles.ts'

export type Finding = FindingMessage['finding']

export interface KnownFinding {
  /** Its name in lists: the same finding keeps it. */
  readonly identity: string
  readonly seq: number
  readonly number: number
  readonly finding: Finding
}

export interface FindingFilter {
  readonly severities: ReadonlySet<Severity>
  /** Empty: any. */
  readonly id: string
  /** Lower case; all of them must occur. */
  readonly words: readonly string[]
}

export interface FindingList {
  /** True when it was not held before. What is older than what is held changes nothing. */
  add(seq: number, number: number, finding: Finding): boolean
  /** Those that pass, newest activity first. */
  matching(filter: FindingFilter): KnownFinding[]
  /** How many there are of each severity, from `firstEpoch` on. */
  counts(firstEpoch: number): Record<Severity, number>
  /** Ids that are held, with how many. */
  ids(): [id: string, count: number][]
  readonly size: number
  /** Once held, and let go to make room. */
  readonly forgotten: number
}

/** Of each severity: some megabytes in all. */
export const MAX_HELD = 500

export const SEVERITIES: readonly Severity[] = Object.freeze(['critical', 'warning', 'info'])

export function createFindingList(most = MAX_HELD): FindingList {
  /** By identity. */
  const held: Record<Severity, Map<string, KnownFinding>> = { critical: new Map(), warning: new Map(), info: new Map() }
  let forgotten = 0

  function add(seq: number, number: number, finding: Finding): boolean {
    const identity = JSON.stringify([finding.epoch, finding.id, finding.key])
    const before = SEVERITIES.map((severity) => held[severity].get(identity)).find((known) => known !== undefined)
    if (before !== undefined && before.seq >= seq) return false
    if (before !== undefined) held[before.finding.severity].delete(identity)
    const same = held[finding.severity]
    same.set(identity, { identity, seq, number, finding })
    if (same.size > most) {
      same.delete(oldestOf(same))
      forgotten++
    }
    return before === undefined
  }

  return {
    add,
    matching: (filter) =>
      [...filter.severities]
        .flatMap((severity) => [...held[severity].values()])
        .filter((known) => passes(known.finding, filter))
        .sort((left, right) => right.seq - left.seq),
    counts(firstEpoch) {
      const counts = { critical: 0, warning: 0, info: 0 }
      for (const severity of SEVERITIES) {
        for (const { finding } of held[severity].values()) if (finding.epoch >= firstEpoch) counts[severity]++
      }
      return counts
    },
    ids() {
      const counts = new Map<string, number>()
      for (const severity of SEVERITIES) {
        for (const { finding } of held[severity].values()) counts.set(finding.id, (counts.get(finding.id) ?? 0) + 1)
      }
      return [...counts].sort(([left], [right]) => (left < right ? -1 : 1))
    },
    get size() {
      return held.critical.size + held.warning.size + held.info.size
    },
    get forgotten() {
      return forgotten
    },
  }
}

/** What was found before the page was opened is fetched newest first: the order of the list is not that of time. */
function oldestOf(known: ReadonlyMap<string, KnownFinding>): string {
  let oldest: KnownFinding | undefined
  for (const one of known.values()) if (oldest === undefined || one.seq < oldest.seq) oldest = one
  return oldest!.identity
}

function passes(finding: Finding, { id, words }: FindingFilter): boolean {
  if (id !== '' && finding.id !== id) return false
  if (words.length === 0) return true
  const { process, data } = finding
  const parts = [
    finding.id,
    titleOf(finding.id),
    finding.severity,
    finding.interface,
    finding.cause,
    process === undefined ? '' : `${process.name}[${process.pid}]`,
    finding.summary,
    finding.advice,
    ...[data.host, data.name, data.server, data.names].flat(),
  ]
  const text = parts.join(' ').toLowerCase()
  return words.every((word) => text.includes(word))
}

/** What a finding is called; one of a later version by its id. */
export function titleOf(id: string): string {
  return Object.hasOwn(FINDING_TITLES, id) ? FINDING_TITLES[id]! : id
}
