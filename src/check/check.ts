// A whole check: what there is, then the ways with the capture running, then what they say.
import { setMaxListeners } from 'node:events'
import type { NetworkWatch } from '../capture/context-watch.ts'
import { openNetworkWatch } from '../capture/open-watch.ts'
import type { CheckReport } from '../model/check.ts'
import type { NetworkContext } from '../model/network-context.ts'
import { OperatorError } from '../model/operator-error.ts'
import { BoundSockets } from './bound-sockets.ts'
import { checkReport } from './check-report.ts'
import { type Gone, goWays } from './go.ts'
import { openObserver } from './observer.ts'
import { type CheckPlan, type PlanOptions, planCheck } from './plan.ts'
import { readSystemHints } from './system-hints.ts'
import type { Target } from './target.ts'
import { eventLines, planLines } from './told.ts'

export interface CheckOptions extends PlanOptions {
  readonly target: Target
  readonly timeoutMillis: number
  readonly ca?: readonly string[]
  readonly file?: { readonly path: string; readonly name: string }
  /** Ends it early; what is there by then is reported. */
  readonly signal: AbortSignal
  /** A line for the person, not escaped. */
  readonly tell: (line: string) => void
}

/** The last packets of connections that are closed, and of those that others close. */
const LINGER_MILLIS = 300

/** What would be sent. Needs no right. @throws OperatorError as planCheck, and `not-here` */
export function dryRun(target: Target, options: PlanOptions): string[] {
  const watch = openWatch()
  try {
    return planLines(planFor(watch.current, target, options))
  } finally {
    watch.close()
  }
}

/** @throws OperatorError as planCheck and openObserver, and `not-here`, `bind-right` */
export async function runCheck(options: CheckOptions): Promise<CheckReport> {
  const { target, tell, signal, file } = options
  const watch = openWatch()
  try {
    const plan = planFor(watch.current, target, options)
    const sockets = new BoundSockets(target.host)
    const observer = openObserver({ watch, sockets, target, ...(file === undefined ? {} : { file }) })
    for (const line of planLines(plan)) tell(line)
    const startMillis = Date.now()
    // Ends also what still goes on when one of them fails for good. Every question and connection listens.
    const failed = new AbortController()
    const ending = AbortSignal.any([signal, failed.signal])
    setMaxListeners(0, ending)
    let gone: Gone
    try {
      gone = await goWays({
        plan,
        context: watch.current,
        sockets,
        timeoutMillis: options.timeoutMillis,
        ...(options.ca === undefined ? {} : { ca: options.ca }),
        signal: ending,
        tell: (event) => {
          for (const line of eventLines(event)) tell(line)
        },
      })
      await new Promise((resolve) => setTimeout(resolve, LINGER_MILLIS))
    } catch (error) {
      failed.abort()
      await observer.end()
      throw error
    }
    const endMillis = Date.now()
    const observed = await observer.end()
    return checkReport({
      plan,
      gone,
      observed,
      startMillis,
      endMillis,
      ...(file === undefined ? {} : { file: file.name }),
      isInterrupted: signal.aborted,
    })
  } finally {
    watch.close()
  }
}

function planFor(context: NetworkContext, target: Target, options: PlanOptions): CheckPlan {
  const names = context.interfaces.map((one) => one.link.name)
  return planCheck(context, target, options, readSystemHints(target.host, names))
}

function openWatch(): NetworkWatch {
  if (process.platform === 'linux') return openNetworkWatch()
  throw new OperatorError(
    'not-here',
    'check is for Linux: only there can a socket be bound to an interface whatever the routes say.',
  )
}
