// What leaked since the service started, by program: the counters of `/metrics`. The days are in the store.
import type { LeakTotal } from '../api/service-state.ts'
import type { LeakServiceChange } from '../model/report.ts'

/** Programs with a counter of their own: each is a time series for whoever collects them. */
const MAX_APPS = 200
const OTHER_APPS = 'other'

export interface LeakTotals {
  add(change: LeakServiceChange): void
  all(): LeakTotal[]
}

export function createLeakTotals(): LeakTotals {
  const totals = new Map<string, { app: string; questions: number; outsideMs: number }>()
  return {
    add({ app, questions, outsideMs }) {
      const name = totals.has(app) || totals.size < MAX_APPS ? app : OTHER_APPS
      const total = totals.get(name) ?? { app: name, questions: 0, outsideMs: 0 }
      total.questions += questions
      total.outsideMs += outsideMs
      totals.set(name, total)
    },
    all: () => [...totals.values()],
  }
}
