// Made-up findings, epochs, verdicts and figures as a page is told them.
import type { Finding } from '../../src/web/finding-list.ts'
import type { Epoch, Stats, Verdict } from '../../src/web/told.ts'
import { makeEpoch, makeFinding, makeStats, makeVerdict } from '../support/findings.ts'

export function toldFinding(changes: Parameters<typeof makeFinding>[0] = {}): Finding {
  return makeFinding(changes) as unknown as Finding
}

export function toldEpoch(id: number, leaked = 0, changes: Parameters<typeof makeEpoch>[0] = {}): Epoch {
  const verdict = { dns: 'mixed', questionsOutside: leaked, questionsInTunnel: 40, leaked } as const
  return makeEpoch({ id, verdict, ...changes }) as unknown as Epoch
}

/** Mixed unless said. */
export function toldVerdict(coverage: Partial<Verdict['coverage']> = {}, dns: Verdict['dns'] = 'mixed'): Verdict {
  const made = makeVerdict({ dns })
  return { ...made, coverage: { ...made.coverage, ...coverage } }
}

export function toldStats(changes: Parameters<typeof makeStats>[0] = {}): Stats {
  return { ...makeStats(changes) }
}
