// HOT PATH. One set of handlers that calls many, with nothing in between for facts that only one or nobody listens to.
import type { FactHandlers } from '../model/facts.ts'

type Handler = (...facts: never[]) => void

/** Handlers that nobody has stay undefined, so that their facts cost nothing to make. */
export function createFanOut(listeners: readonly FactHandlers[]): FactHandlers {
  const names = new Set(listeners.flatMap((one) => Object.keys(one))) as Set<keyof FactHandlers>
  const fanned: Record<string, Handler> = {}
  for (const name of names) {
    const handlers = listeners.flatMap((one) => (one[name] === undefined ? [] : [one[name].bind(one) as Handler]))
    fanned[name] = handlers.length === 1 ? handlers[0]! : callAll(handlers)
  }
  return fanned as FactHandlers
}

/** COLD PATH: makes the function once. No fact has more than three parts. */
function callAll(handlers: readonly Handler[]): Handler {
  return ((a: never, b: never, c: never) => {
    for (let i = 0; i < handlers.length; i++) handlers[i]!(a, b, c)
  }) as Handler
}
