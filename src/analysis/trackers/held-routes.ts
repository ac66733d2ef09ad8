// Routes that came to the machine's knowledge; like questions they wait until it is known whether a tunnel was up.
import type { RouteFact } from '../../model/facts.ts'

export interface HeldRoutes {
  hold(route: RouteFact): void
  /** Tells those from before `beforeMicros`, in their order. */
  settle(beforeMicros: number): void
}

/** A lease may carry some 50 routes; later ones say nothing new. */
const MAX_HELD_ROUTES = 1024

/** `isTunnelTime(micros)`: the tunnel was up or wanted then. */
export function createHeldRoutes(
  isTunnelTime: (timeMicros: number) => boolean,
  tell: (route: RouteFact) => void,
): HeldRoutes {
  const held: RouteFact[] = []
  return {
    hold(route) {
      if (held.length < MAX_HELD_ROUTES) held.push(route)
    },
    settle(beforeMicros) {
      while (held.length > 0 && held[0]!.timeMicros < beforeMicros) {
        const route = held.shift()!
        tell({ ...route, isTunnelTime: isTunnelTime(route.timeMicros) })
      }
    },
  }
}
