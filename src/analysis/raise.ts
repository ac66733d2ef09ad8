// From what detectors raise to findings: one per (id, key), repeats counted, evidence of the first few kept.
import { MAX_EVIDENCE, MAX_FINDINGS } from '../constants/limits.ts'
import { type Finding, SEVERITY_RANK } from '../model/finding.ts'
import { fill } from '../text/fill.ts'
import { utcTime } from '../text/timestamp.ts'
import type { DetectorMeta, RaisedFinding } from './detector.ts'
import type { EvidenceLocator } from './evidence-source.ts'

export interface FindingSet {
  raise(meta: DetectorMeta, raised: RaisedFinding): void
  /**
   * Findings that are new or have grown since the last call, in the order in which they did so first. Those that began at
   * `heldMicros` or later stay until another call: their epoch is not known yet.
   */
  takeChanged(heldMicros?: number): Finding[]
  /** Worst first, then in order of time. */
  all(): Finding[]
  readonly size: number
  /** Findings not kept because there were too many different ones. */
  readonly refused: number
}

const NONE: Finding[] = []

interface Kept {
  meta: DetectorMeta
  latest: RaisedFinding
  firstMicros: number
  lastMicros: number
  finding: Finding
}

/** `epochAt(micros)` gives the epoch a finding belongs to, `locate` the file and frame of its evidence. */
export function createFindingSet(
  epochAt: (timeMicros: number) => number,
  locate: EvidenceLocator = (source, frame) => ({ source, frame }),
): FindingSet {
  const kept = new Map<string, Kept>()
  const changed = new Set<Kept>()
  let refused = 0

  function first(meta: DetectorMeta, raised: RaisedFinding): Kept {
    const finding: Finding = {
      id: meta.id,
      severity: meta.severity,
      confidence: raised.confidence,
      basis: meta.basis,
      key: raised.key,
      epoch: 0,
      time: '',
      last: '',
      count: 0,
      summary: '',
      advice: '',
      data: {},
      evidence: [],
    }
    return { meta, latest: raised, firstMicros: raised.timeMicros, lastMicros: raised.timeMicros, finding }
  }

  return {
    raise(meta, raised) {
      const id = `${meta.id}\n${raised.key}`
      let entry = kept.get(id)
      if (entry === undefined) {
        if (kept.size >= MAX_FINDINGS) {
          refused++
          return
        }
        entry = first(meta, raised)
        kept.set(id, entry)
      }
      entry.latest = raised
      const finding = entry.finding
      finding.count += raised.count ?? 1
      if (raised.timeMicros > entry.lastMicros) entry.lastMicros = raised.timeMicros
      if (raised.timeMicros < entry.firstMicros) entry.firstMicros = raised.timeMicros
      finding.severity = raised.severity ?? meta.severity
      finding.confidence = raised.confidence
      finding.basis = raised.basis ?? meta.basis
      finding.data = raised.data
      if (raised.interface !== undefined) finding.interface = raised.interface
      if (raised.cause !== undefined) finding.cause = raised.cause
      if (raised.filter !== undefined) finding.filter = raised.filter
      if (raised.evidence !== undefined && finding.evidence.length < MAX_EVIDENCE)
        finding.evidence.push(locate(raised.evidence.source, raised.evidence.frame))
      changed.add(entry)
    },
    takeChanged(heldMicros = Number.POSITIVE_INFINITY) {
      if (changed.size === 0) return NONE
      const taken = [...changed].filter((one) => one.firstMicros < heldMicros)
      for (const one of taken) changed.delete(one)
      return taken.map((one) => worded(one, epochAt))
    },
    all() {
      return [...kept.values()]
        .map((one) => worded(one, epochAt))
        .sort(
          (a, b) =>
            SEVERITY_RANK[b.severity] - SEVERITY_RANK[a.severity] || (a.time < b.time ? -1 : a.time > b.time ? 1 : 0),
        )
    },
    get size() {
      return kept.size
    },
    get refused() {
      return refused
    },
  }
}

/** Words are made when somebody reads them: the numbers in them grow with every repeat. */
function worded(
  { meta, latest, firstMicros, lastMicros, finding }: Kept,
  epochAt: (timeMicros: number) => number,
): Finding {
  // A file tells at its end when its tunnel was up.
  finding.epoch = epochAt(firstMicros)
  finding.time = utcTime(firstMicros)
  finding.last = utcTime(lastMicros)
  const data = { ...finding.data, count: finding.count, interface: finding.interface ?? '' }
  finding.summary = fill(latest.message ?? meta.message, data)
  finding.advice = fill(latest.advice ?? meta.advice, data)
  return finding
}
