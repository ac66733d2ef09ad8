// Routes that the network handed to the machine, and what they lead around the tunnel (rules.md R15).
import type { RouteFact } from '../../model/facts.ts'
import { parseAddress } from '../../text/address.ts'
import type { AddressTable } from './addresses.ts'

export interface RouteTable {
  note(route: RouteFact): void
  /** A route learned before `timeMicros` covers the address. Default routes do not count: the tunnel's are finer. */
  covers(addressId: number, timeMicros: number): boolean
}

/** A lease may hand out at most some 50 routes (RFC 3442: 255 bytes an option). */
const MAX_ROUTES_KEPT = 1024

interface Prefix {
  words: readonly number[]
  /** Within 128 bits: IPv4 is mapped. */
  bits: number
  timeMicros: number
}

export function createRouteTable(addresses: AddressTable): RouteTable {
  const prefixes: Prefix[] = []
  return {
    note(route) {
      const words = parseAddress(route.destination)
      if (words === undefined || route.prefixLen === 0 || prefixes.length >= MAX_ROUTES_KEPT) return
      const bits = route.prefixLen + (route.destination.includes(':') ? 0 : 96)
      prefixes.push({ words: [...words], bits, timeMicros: route.timeMicros })
    },
    covers(addressId, timeMicros) {
      return prefixes.some((one) => one.timeMicros <= timeMicros && holds(one, addresses, addressId))
    },
  }
}

function holds(prefix: Prefix, addresses: AddressTable, addressId: number): boolean {
  for (let word = 0, left = prefix.bits; left > 0; word++, left -= 32) {
    const shift = left >= 32 ? 0 : 32 - left
    if (addresses.word(addressId, word) >>> shift !== prefix.words[word]! >>> shift) return false
  }
  return true
}
