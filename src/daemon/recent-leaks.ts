// What left outside the tunnel in this run, for whoever asks now: the last leaks, each as it now stands. The findings about
// them are in the store.
import type { LeaksSeen } from '../api/service-state.ts'
import type { ReportLeak } from '../model/report.ts'

/** Leaks kept: a screen shows some tens, and each takes half a kilobyte. */
const MAX_LEAKS_KEPT = 2000

export interface RecentLeaks {
  /** The same question in the same place replaces what was said of it before. */
  add(leak: ReportLeak): void
  /** At most so many, the last ones first. */
  last(limit: number): LeaksSeen
  clear(): void
}

export function createRecentLeaks(): RecentLeaks {
  /** Oldest first. */
  const leaks = new Map<string, ReportLeak>()
  let forgotten = 0

  return {
    add(leak) {
      const { name, type, server, port, transport, cause, epoch } = leak
      const key = JSON.stringify([name, type, server, port, transport, leak.interface, cause, epoch])
      leaks.delete(key)
      leaks.set(key, leak)
      if (leaks.size <= MAX_LEAKS_KEPT) return
      leaks.delete(leaks.keys().next().value!)
      forgotten++
    },
    last: (limit) => ({ leaks: [...leaks.values()].slice(-limit).reverse(), forgotten }),
    clear() {
      leaks.clear()
      forgotten = 0
    },
  }
}
