// Who was asked, how often, and how fast they answered: what `dig` shows, for every resolver, interface and epoch.
import type { DnsExchange, DnsTransport, EncryptedDnsFact } from '../../model/dns-facts.ts'

/** Latency classes: 8 a doubling from 16 µs on, up to beyond a minute. p50 and p95 are exact to 9 %. */
export const LATENCY_BUCKETS = 8 * 23
const FIRST_MICROS = 16

export interface ResolverFigures {
  readonly server: string
  readonly port: number
  readonly transport: DnsTransport
  readonly interfaceId: number
  readonly epoch: number
  queries: number
  answered: number
  timedOut: number
  failed: number
  firstMicros: number
  lastMicros: number
  /** Answers by class; empty before the first. */
  latency: Uint32Array
}

/** Who was asked, how and when. */
type Asked = Pick<DnsExchange, 'serverAddress' | 'serverPort' | 'transport' | 'interfaceId' | 'epoch' | 'queryMicros'>

/** A scan asks thousands of servers that never answer. */
const NO_LATENCIES = new Uint32Array(0)

const TRANSPORTS: readonly DnsTransport[] = Object.freeze(['udp', 'tcp', 'dot', 'doh', 'doq', 'dnscrypt'])

export interface ResolverTracker {
  exchange(exchange: DnsExchange): ResolverFigures
  /** A connection whose questions are hidden counts as one; `answered` is for the caller to count. */
  connection(fact: EncryptedDnsFact, serverId: number): ResolverFigures
  /** In the order in which they were first asked; grows. */
  all(): readonly ResolverFigures[]
}

export function createResolverTracker(): ResolverTracker {
  const byKey = new Map<number, Map<number, ResolverFigures>>()
  const figuresOfAll: ResolverFigures[] = []
  let last: ResolverFigures | undefined
  let lastServer = -1
  let lastGroup = -1

  function lookup(group: number, server: number, exchange: Asked): ResolverFigures {
    let servers = byKey.get(group)
    if (servers === undefined) {
      servers = new Map()
      byKey.set(group, servers)
    }
    let figures = servers.get(server)
    if (figures === undefined) {
      figures = {
        server: exchange.serverAddress,
        port: exchange.serverPort,
        transport: exchange.transport,
        interfaceId: exchange.interfaceId,
        epoch: exchange.epoch,
        queries: 0,
        answered: 0,
        timedOut: 0,
        failed: 0,
        firstMicros: exchange.queryMicros,
        lastMicros: exchange.queryMicros,
        latency: NO_LATENCIES,
      }
      servers.set(server, figures)
      figuresOfAll.push(figures)
    }
    return figures
  }

  return {
    exchange(exchange) {
      const group = (exchange.epoch * 4096 + exchange.interfaceId) * 8 + TRANSPORTS.indexOf(exchange.transport)
      const server = exchange.serverId * 65_536 + exchange.serverPort
      if (last === undefined || server !== lastServer || group !== lastGroup) {
        last = lookup(group, server, exchange)
        lastServer = server
        lastGroup = group
      }
      last.queries += exchange.questions
      last.lastMicros = exchange.queryMicros
      if (exchange.outcome === 'answered') {
        last.answered++
        const bucket = latencyBucket(exchange.responseMicros - exchange.queryMicros)
        if (last.latency.length === 0) last.latency = new Uint32Array(LATENCY_BUCKETS)
        last.latency[bucket] = last.latency[bucket]! + 1
        if (exchange.rcode === 2 || exchange.rcode === 5) last.failed++
      } else if (exchange.outcome === 'timed-out') {
        last.timedOut++
      }
      return last
    },
    connection(fact, serverId) {
      const group = (fact.epoch * 4096 + fact.interfaceId) * 8 + TRANSPORTS.indexOf(fact.transport)
      const { timeMicros, serverPort } = fact
      const figures = lookup(group, serverId * 65_536 + serverPort, { ...fact, queryMicros: timeMicros })
      figures.queries++
      figures.lastMicros = timeMicros
      return figures
    },
    all: () => figuresOfAll,
  }
}

/** The class that a latency belongs to. */
export function latencyBucket(micros: number): number {
  if (micros <= FIRST_MICROS) return 0
  const bucket = Math.floor(Math.log2(micros / FIRST_MICROS) * 8)
  return bucket >= LATENCY_BUCKETS ? LATENCY_BUCKETS - 1 : bucket
}

/** The latency in microseconds below which `share` (0 … 1) of the answers came; undefined without answers. */
export function latencyQuantile(latency: Uint32Array, share: number): number | undefined {
  let total = 0
  for (const count of latency) total += count
  if (total === 0) return undefined
  let rest = Math.max(1, Math.ceil(total * share))
  for (let bucket = 0; bucket < latency.length; bucket++) {
    rest -= latency[bucket]!
    if (rest <= 0) return FIRST_MICROS * 2 ** ((bucket + 0.5) / 8)
  }
  return undefined
}
