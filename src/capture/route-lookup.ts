// "Where would a packet to this address leave?", answered from dumped rules and routes as the Linux kernel does
// (net/core/fib_rules.c): rules by priority, the longest prefix within a table, the smallest metric among equals. Pure.
import ipaddr from 'ipaddr.js'
import type { IpFamily, RouteState, RuleState } from '../model/network-context.ts'

const TABLE_MAIN = 254
const TABLE_DEFAULT = 253
const TABLE_LOCAL = 255

export interface RouteQuery {
  readonly address: string
  /** Source address when the program has chosen one. */
  readonly source?: string
  /** Packet mark, 0 unless given. */
  readonly mark?: number
  readonly uid?: number
  readonly ipProtocol?: number
  readonly sourcePort?: number
  readonly destinationPort?: number
  /** Name of the interface that the program is bound to. */
  readonly outputInterface?: string
  /** Name of the interface that a forwarded packet came in by. */
  readonly inputInterface?: string
}

export type RouteOutcome = 'leaves' | 'local' | 'group' | 'blackhole' | 'unreachable' | 'prohibit' | 'no-route'

export interface RouteAnswer {
  readonly outcome: RouteOutcome
  /** For `leaves`: the first next hop; a multipath route has more in `route`. */
  readonly interfaceIndex?: number
  readonly gateway?: string
  readonly route?: RouteState
  readonly rule?: RuleState
}

/** Routes of one table: by prefix length, then by the prefix itself; among equals the best first. */
type Table = { lengths: number[]; byLength: Map<number, Map<string, RouteState[]>> }

export class RouteLookup {
  readonly #rules: Readonly<Record<IpFamily, readonly RuleState[]>>
  readonly #tables: Readonly<Record<IpFamily, Map<number, Table>>> = { 4: new Map(), 6: new Map() }

  constructor(network: { readonly routes: readonly RouteState[]; readonly rules: readonly RuleState[] }) {
    this.#rules = { 4: rulesOf(network.rules, 4), 6: rulesOf(network.rules, 6) }
    for (const route of network.routes) this.#add(route)
    for (const tables of [this.#tables[4], this.#tables[6]]) {
      for (const table of tables.values()) table.lengths.sort((a, b) => b - a)
    }
  }

  /** Never throws for an address in text form; a text that is none has no route. */
  lookup(query: RouteQuery): RouteAnswer {
    if (!ipaddr.isValid(query.address)) return { outcome: 'no-route' }
    const bytes = ipaddr.parse(query.address).toByteArray()
    const family: IpFamily = bytes.length === 4 ? 4 : 6
    const source = query.source !== undefined && ipaddr.isValid(query.source) ? bytesOf(query.source) : undefined
    const rules = this.#rules[family]
    for (let i = 0; i < rules.length; i++) {
      const rule = rules[i]!
      if (ruleMatches(rule, query, bytes, source) === rule.invert) continue
      switch (rule.action) {
        case 'blackhole':
        case 'unreachable':
        case 'prohibit':
          return { outcome: rule.action, rule }
        case 'goto': {
          const target = rules.findIndex((other) => other.priority >= (rule.target ?? 0))
          // Only forwards; the kernel refuses the rest.
          if (target > i) i = target - 1
          break
        }
        case 'nop':
          break
        case 'table': {
          const route = this.#longest(family, rule.table, bytes, source)
          if (route === undefined || route.type === 'throw') break
          if (rule.suppressPrefixLen !== undefined && leads(route) && route.prefixLen <= rule.suppressPrefixLen) break
          return answer(route, rule)
        }
      }
    }
    return { outcome: 'no-route' }
  }

  #add(route: RouteState): void {
    const tables = this.#tables[route.family]
    let table = tables.get(route.table)
    if (table === undefined) {
      table = { lengths: [], byLength: new Map() }
      tables.set(route.table, table)
    }
    let prefixes = table.byLength.get(route.prefixLen)
    if (prefixes === undefined) {
      prefixes = new Map()
      table.byLength.set(route.prefixLen, prefixes)
      table.lengths.push(route.prefixLen)
    }
    const key = prefixKey(bytesOf(route.destination), route.prefixLen)
    const equals = prefixes.get(key)
    if (equals === undefined) prefixes.set(key, [route])
    else {
      equals.push(route)
      equals.sort((a, b) => (b.sourceLen ?? 0) - (a.sourceLen ?? 0) || a.priority - b.priority)
    }
  }

  #longest(family: IpFamily, tableId: number, bytes: number[], source: number[] | undefined): RouteState | undefined {
    const table = this.#tables[family].get(tableId)
    if (table === undefined) return undefined
    for (const len of table.lengths) {
      const found = table.byLength
        .get(len)!
        .get(prefixKey(bytes, len))
        ?.find((route) => isUsable(route) && sourceMatches(route, source))
      if (found !== undefined) return found
    }
    return undefined
  }
}

/** The rules every kernel has when nobody made others. */
export function defaultRules(family: IpFamily): RuleState[] {
  const rule = (priority: number, table: number): RuleState => ({
    family,
    priority,
    action: 'table',
    table,
    invert: false,
    vrf: false,
  })
  const rules = [rule(0, TABLE_LOCAL), rule(32766, TABLE_MAIN)]
  if (family === 4) rules.push(rule(32767, TABLE_DEFAULT))
  return rules
}

function rulesOf(rules: readonly RuleState[], family: IpFamily): readonly RuleState[] {
  const own = rules.filter((rule) => rule.family === family)
  if (own.length === 0) return defaultRules(family)
  return own.sort((a, b) => a.priority - b.priority)
}

/** Do the conditions hold, leaving `invert` aside? A condition on something the query does not tell does not hold. */
function ruleMatches(rule: RuleState, query: RouteQuery, bytes: number[], source: number[] | undefined): boolean {
  // Such a rule concerns programs bound to a VRF only.
  if (rule.vrf) return false
  if (rule.mark !== undefined && ((query.mark ?? 0) & (rule.markMask ?? -1)) >>> 0 !== rule.mark) return false
  if (rule.inputInterface !== undefined && rule.inputInterface !== (query.inputInterface ?? 'lo')) return false
  if (rule.outputInterface !== undefined && rule.outputInterface !== query.outputInterface) return false
  if (rule.uidFirst !== undefined && !within(query.uid, rule.uidFirst, rule.uidLast)) return false
  if (rule.ipProtocol !== undefined && rule.ipProtocol !== query.ipProtocol) return false
  if (rule.sourcePortFirst !== undefined && !within(query.sourcePort, rule.sourcePortFirst, rule.sourcePortLast)) {
    return false
  }
  const { destinationPortFirst: first, destinationPortLast: last } = rule
  if (first !== undefined && !within(query.destinationPort, first, last)) return false
  if (rule.destination !== undefined && !inPrefix(bytes, rule.destination, rule.destinationLen ?? 0)) return false
  if (rule.source === undefined) return true
  return source !== undefined && inPrefix(source, rule.source, rule.sourceLen ?? 0)
}

function within(value: number | undefined, first: number, last: number | undefined): boolean {
  return value !== undefined && value >= first && value <= (last ?? first)
}

function inPrefix(bytes: number[], prefix: string, prefixLen: number): boolean {
  return prefixKey(bytes, prefixLen) === prefixKey(bytesOf(prefix), prefixLen)
}

function sourceMatches(route: RouteState, source: number[] | undefined): boolean {
  if (route.source === undefined) return true
  return source !== undefined && inPrefix(source, route.source, route.sourceLen ?? 0)
}

/** A route whose next hops are all dead is passed over. */
function isUsable(route: RouteState): boolean {
  return route.type !== 'unicast' || route.nextHops.length > 0
}

/** Suppression concerns routes that were found, not those that forbid. */
function leads(route: RouteState): boolean {
  return route.type !== 'blackhole' && route.type !== 'unreachable' && route.type !== 'prohibit'
}

function answer(route: RouteState, rule: RuleState): RouteAnswer {
  switch (route.type) {
    case 'blackhole':
    case 'unreachable':
    case 'prohibit':
    case 'local':
      return { outcome: route.type, route, rule }
    case 'broadcast':
    case 'anycast':
    case 'multicast':
      return { outcome: 'group', route, rule, ...hopOf(route) }
    default:
      return { outcome: 'leaves', route, rule, ...hopOf(route) }
  }
}

function hopOf(route: RouteState): { interfaceIndex?: number; gateway?: string } {
  const hop = route.nextHops[0]
  if (hop === undefined) return {}
  return { interfaceIndex: hop.interfaceIndex, ...(hop.gateway === undefined ? {} : { gateway: hop.gateway }) }
}

function bytesOf(address: string): number[] {
  return ipaddr.parse(address).toByteArray()
}

/** The first `len` bits as text: equal prefixes have equal keys. */
function prefixKey(bytes: readonly number[], len: number): string {
  const whole = len >> 3
  const rest = len & 7
  let key = ''
  for (let i = 0; i < whole; i++) key += String.fromCharCode(bytes[i]!)
  if (rest !== 0) key += String.fromCharCode(bytes[whole]! & (0xff00 >> rest) & 0xff)
  return key
}
