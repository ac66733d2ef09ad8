// The kernel's tables as its events make them: apply a snapshot or single events, read the tables. Pure.
import { MAX_ROUTES } from '../constants/limits.ts'
import type { AddressState, LinkState, RouteState, RuleState } from '../model/network-context.ts'
import type { NetworkEvent } from './netlink-messages.ts'

/** A second of a machine that makes and deletes interfaces as fast as it can. */
const MAX_GONE_NAMES = 1024

export class NetworkState {
  readonly links = new Map<number, LinkState>()
  /** Names of the last links that went: their packets may still be on their way to us. */
  readonly goneNames = new Map<number, string>()
  readonly addresses = new Map<string, AddressState>()
  readonly rules = new Map<string, RuleState>()
  /** More routes came than we keep. */
  routesCut = false
  /** Routes that differ in their next hops only are told apart by position. */
  readonly #routes = new Map<string, RouteState[]>()
  #routeCount = 0

  /** What is known is out of date; names are kept for packets that are still on their way. */
  clear(): void {
    for (const link of this.links.values()) this.#rememberName(link)
    this.links.clear()
    this.addresses.clear()
    this.rules.clear()
    this.#routes.clear()
    this.#routeCount = 0
    this.routesCut = false
  }

  routes(): RouteState[] {
    return [...this.#routes.values()].flat()
  }

  /**
   * True when the kernel may have changed more than it says: it drops IPv4 routes in silence when their link goes down
   * or their address goes away, so the tables are to be dumped again.
   */
  apply(event: NetworkEvent): boolean {
    switch (event.what) {
      case 'link':
        return this.#applyLink(event.value, event.gone)
      case 'address': {
        const { interfaceIndex, address, prefixLen, peer } = event.value
        const key = `${interfaceIndex} ${address}/${prefixLen} ${peer ?? ''}`
        if (!event.gone) this.addresses.set(key, event.value)
        return event.gone && this.addresses.delete(key)
      }
      case 'rule': {
        const key = JSON.stringify(event.value)
        if (event.gone) this.rules.delete(key)
        else this.rules.set(key, event.value)
        return false
      }
      case 'route':
        if (event.gone) this.#removeRoute(event.value)
        else this.#addRoute(event.value, event.replaces)
        return false
    }
  }

  #applyLink(link: LinkState, gone: boolean): boolean {
    const before = this.links.get(link.index)
    if (gone) {
      this.#rememberName(link)
      this.links.delete(link.index)
      for (const [key, address] of this.addresses) {
        if (address.interfaceIndex === link.index) this.addresses.delete(key)
      }
    } else {
      this.links.set(link.index, link)
    }
    if (before === undefined || !before.up || (link.up && !gone)) return false
    for (const [key, routes] of this.#routes) {
      const left = routes.map((route) => withoutHops(route, (hop) => hop.interfaceIndex === link.index))
      this.#put(key, left)
    }
    return true
  }

  #rememberName(link: LinkState): void {
    this.goneNames.set(link.index, link.name)
    if (this.goneNames.size > MAX_GONE_NAMES) this.goneNames.delete(this.goneNames.keys().next().value!)
  }

  #addRoute(route: RouteState, replaces: boolean): void {
    const key = routeKey(route)
    const equals = this.#routes.get(key) ?? []
    // What the new one contains is no route of its own any more.
    const contained = (other: RouteState) =>
      replaces || other.nextHops.every((hop) => route.nextHops.some((mine) => sameHop(hop, mine)))
    const kept = equals.filter((other) => !contained(other))
    if (this.#routeCount - equals.length + kept.length >= MAX_ROUTES) {
      this.routesCut = true
      return
    }
    this.#put(key, [...kept, route])
  }

  #removeRoute(route: RouteState): void {
    const key = routeKey(route)
    const equals = this.#routes.get(key)
    if (equals === undefined) return
    const named = (hop: RouteState['nextHops'][number]) => route.nextHops.some((gone) => sameHop(hop, gone))
    // One without live hops has none to compare; it goes with whatever goes here.
    const withHops = equals.filter((other) => other.nextHops.length > 0)
    this.#put(
      key,
      withHops.map((other) => withoutHops(other, named)),
    )
  }

  #put(key: string, routes: (RouteState | undefined)[]): void {
    const left = routes.filter((route) => route !== undefined)
    this.#routeCount += left.length - (this.#routes.get(key)?.length ?? 0)
    if (left.length === 0) this.#routes.delete(key)
    else this.#routes.set(key, left)
  }
}

/** The route without some next hops; undefined when none is left of one that had some. */
function withoutHops(
  route: RouteState,
  isGone: (hop: RouteState['nextHops'][number]) => boolean,
): RouteState | undefined {
  if (!route.nextHops.some(isGone)) return route
  const nextHops = route.nextHops.filter((hop) => !isGone(hop))
  return nextHops.length === 0 ? undefined : { ...route, nextHops }
}

function sameHop(a: RouteState['nextHops'][number], b: RouteState['nextHops'][number]): boolean {
  return a.interfaceIndex === b.interfaceIndex && a.gateway === b.gateway
}

function routeKey(route: RouteState): string {
  const { family, table, destination, prefixLen, priority, type, source, sourceLen } = route
  return `${family} ${table} ${destination}/${prefixLen} ${priority} ${type} ${source ?? ''}/${sourceLen ?? 0}`
}
