// The names in one finding: how many different ones, and the first few to show.
import { MAX_NAMES_IN_FINDING } from '../constants/limits.ts'
import type { DnsExchange } from '../model/dns-facts.ts'

export interface NameList {
  add(exchange: DnsExchange): void
  /** The first ones, in order; the root is a dot. */
  readonly shown: readonly string[]
  /** Different names, up to a bound far above what a person reads. */
  readonly count: number
}

/** Different names counted in one finding. */
const MAX_COUNTED = 100_000

export function createNameList(): NameList {
  const ids = new Set<number>()
  const shown: string[] = []
  return {
    add(exchange) {
      if (ids.has(exchange.nameId) || ids.size >= MAX_COUNTED) return
      ids.add(exchange.nameId)
      if (shown.length < MAX_NAMES_IN_FINDING) shown.push(exchange.name === '' ? '.' : exchange.name)
    },
    shown,
    get count() {
      return ids.size
    },
  }
}
