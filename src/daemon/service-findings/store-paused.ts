// store-paused: the store could not be written for a while. Raised by the service about itself, for no packet shows it; folded
// like any other finding, so that the second word of it says how long it lasted.
import type { DetectorMeta } from '../../analysis/detector.ts'
import type { Finding } from '../../model/finding.ts'
import { fill } from '../../text/fill.ts'

const meta: DetectorMeta = {
  id: 'store-paused',
  title: 'The store could not be written',
  severity: 'warning',
  basis: 'heuristic',
  message: 'The store {path} could not be written ({reason}); findings waited in memory.',
  advice: 'Make room on its file system, or set a smaller store size; writing goes on by itself.',
}

/** What a pause is about. `code` is SQLite's. */
export interface Pause {
  readonly time: string
  readonly epoch: number
  readonly path: string
  readonly reason: string
  readonly code: string
}

/** The pause as it begins. */
export function storePaused({ time, epoch, path, reason, code }: Pause): Finding {
  return {
    id: meta.id,
    severity: meta.severity,
    confidence: 'proven',
    basis: meta.basis,
    key: time,
    epoch,
    time,
    last: time,
    count: 1,
    summary: fill(meta.message, { path, reason }),
    advice: meta.advice,
    data: { path, code },
    evidence: [],
  }
}

/** The same pause when it is over, with what did not fit into memory meanwhile. */
export function storeResumed(paused: Finding, last: string, lostRecords: number): Finding {
  const pausedMs = Date.parse(last) - Date.parse(paused.time)
  return { ...paused, last, data: { ...paused.data, pausedMs, lostRecords } }
}
