// HOT PATH. One set of handlers that calls many, with nothing in between for facts that only one or nobody listens to.
import type { FactHandlers } from '../model/facts.ts'

type Handler = (...facts: never[]) => void

/** Handlers that nobody has stay undefined, so that their facts cost nothing to make. They are called without a `this`. */
export function createFanOut(listeners: readonly FactHandlers[]): FactHandlers {
  const lists = new Map<string, Handler[]>()
  for (const one of listeners) {
    for (const [name, handler] of Object.entries(one) as [string, Handler | undefined][]) {
      if (handler === undefined) continue
      const list = lists.get(name)
      if (list === undefined) lists.set(name, [handler])
      else list.push(handler)
    }
  }
  const fanned: Record<string, Handler> = {}
  for (const [name, handlers] of lists) fanned[name] = handlers.length === 1 ? handlers[0]! : callAll(handlers)
  // A copy: V8 keeps what was put together name by name as a hash table, and every fact would be looked up in it.
  return { ...fanned } as FactHandlers
}

/** COLD PATH: makes the function once. No fact has more than three parts. */
function callAll(handlers: readonly Handler[]): Handler {
  return ((a: never, b: never, c: never) => {
    for (let i = 0; i < handlers.length; i++) handlers[i]!(a, b, c)
  }) as Handler
}
