// Counters of this run for /metrics, which must only ever grow: the store's own sums shrink when old rows are forgotten.
import type { InterfaceTotals, ResolverTotals } from '../api/service-state.ts'
import { type CaptureTally, type DnsRollup, LATENCY_BUCKETS } from '../store/records.ts'

/** Resolvers with counters of their own, 17 lines each; whoever is asked later is counted as `other`. */
const MAX_RESOLVERS = 100
const MAX_INTERFACES = 256
const OTHER = 'other'

export interface ServiceTotals {
  dns(rollup: DnsRollup): void
  capture(tally: CaptureTally): void
  resolvers(): readonly ResolverTotals[]
  interfaces(): readonly InterfaceTotals[]
}

type Growing<T> = { -readonly [Field in keyof T]: T[Field] }

export function createServiceTotals(): ServiceTotals {
  const resolvers = new Map<string, Growing<ResolverTotals> & { latency: number[] }>()
  const interfaces = new Map<string, Growing<InterfaceTotals>>()

  function resolverOf(rollup: DnsRollup, server: string) {
    const { transport, side } = rollup
    const key = `${server} ${transport} ${rollup.interface} ${side}`
    let known = resolvers.get(key)
    if (known === undefined) {
      if (server !== OTHER && resolvers.size >= MAX_RESOLVERS) return resolverOf({ ...rollup, interface: '' }, OTHER)
      const latency = new Array<number>(LATENCY_BUCKETS).fill(0)
      const zero = { queries: 0, answered: 0, failed: 0, latency, latencyMicros: 0 }
      known = { server, transport, interface: rollup.interface, side, ...zero }
      resolvers.set(key, known)
    }
    return known
  }

  return {
    dns(rollup) {
      const total = resolverOf(rollup, rollup.server)
      total.queries += rollup.queries
      total.answered += rollup.answered
      total.failed += rollup.failed
      total.latencyMicros += rollup.latencyMicros
      rollup.latency.forEach((count, bucket) => {
        total.latency[bucket] = total.latency[bucket]! + count
      })
    },
    capture(tally) {
      const isKnown = interfaces.has(tally.interface) || interfaces.size < MAX_INTERFACES
      const name = isKnown ? tally.interface : OTHER
      const total = interfaces.get(name) ?? { interface: name, packets: 0, bytes: 0 }
      interfaces.set(name, total)
      total.packets += tally.packets
      total.bytes += tally.bytes
    },
    resolvers: () => [...resolvers.values()],
    interfaces: () => [...interfaces.values()],
  }
}
