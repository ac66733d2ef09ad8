// What was asked of whom since the last look, folded by resolver, name and type: what the store and /metrics are given
// of the DNS exchanges. Bounded: when too much waits, it leaves early.
import type { OwnerLookup } from '../model/address-owner.ts'
import type { CaptureInterface } from '../model/capture-interface.ts'
import type { DnsExchange, EncryptedDnsFact } from '../model/dns-facts.ts'
import type { FactHandlers } from '../model/facts.ts'
import { type DnsRollup, LATENCY_BOUNDS_MS, LATENCY_BUCKETS } from '../store/records.ts'

/** Rollups that wait; some 2 MB. A flood of made-up names leaves in batches of so many. */
const MAX_WAITING = 5000
/** RFC 1035 4.1.1 and RFC 2308: an answer, and "there is no such name", which is one too. */
const RCODE_NOERROR = 0
const RCODE_NXDOMAIN = 3

export interface DnsRollups {
  readonly handlers: Pick<FactHandlers, 'dnsExchange' | 'encryptedDns' | 'encryptedDnsAnswered'>
  /** Hands on what waits. */
  flush(): void
}

type Open = { -readonly [Field in keyof DnsRollup]: DnsRollup[Field] } & { latency: number[] }
type Place = Pick<DnsExchange, 'epoch' | 'serverAddress' | 'serverPort' | 'transport' | 'interfaceId' | 'judgement'>

/** `interfaces` is the source's own list; `deliver` gets the rollups and keeps them. */
export function createDnsRollups(
  interfaces: readonly CaptureInterface[],
  ownerOf: OwnerLookup | undefined,
  deliver: (rollups: readonly DnsRollup[]) => void,
): DnsRollups {
  const waiting = new Map<string, Open>()

  /** `type` 0: the transport hides what was asked. */
  function rollupOf(place: Place, name: string, type: number, timeMicros: number): Open {
    const { epoch, serverAddress, serverPort, transport, interfaceId, judgement } = place
    const side = judgement === 'inside' ? 'tunnel' : 'outside'
    const key = `${epoch} ${interfaceId} ${side} ${serverAddress} ${serverPort} ${transport} ${type} ${name}`
    const known = waiting.get(key)
    if (known !== undefined) return known
    if (waiting.size >= MAX_WAITING) flush()
    const on = interfaces[interfaceId]
    const owner = ownerOf?.(serverAddress)
    const made: Open = {
      epoch,
      server: serverAddress,
      port: serverPort,
      transport,
      interface: on?.name ?? on?.inputName ?? '',
      side,
      name,
      type,
      queries: 0,
      answered: 0,
      failed: 0,
      firstMicros: timeMicros,
      lastMicros: timeMicros,
      latency: new Array<number>(LATENCY_BUCKETS).fill(0),
      latencyMicros: 0,
      ...(owner === undefined ? {} : { owner }),
    }
    waiting.set(key, made)
    return made
  }

  function flush(): void {
    if (waiting.size === 0) return
    const rollups = [...waiting.values()]
    waiting.clear()
    deliver(rollups)
  }

  return {
    handlers: {
      dnsExchange(exchange) {
        const { queryMicros, rcode } = exchange
        const rollup = rollupOf(exchange, exchange.name, exchange.type, queryMicros)
        rollup.queries += exchange.questions
        if (queryMicros > rollup.lastMicros) rollup.lastMicros = queryMicros
        if (exchange.outcome !== 'answered') return
        const micros = Math.max(0, exchange.responseMicros - queryMicros)
        rollup.answered++
        if (rcode !== RCODE_NOERROR && rcode !== RCODE_NXDOMAIN) rollup.failed++
        const bucket = latencyBucket(micros)
        rollup.latency[bucket] = rollup.latency[bucket]! + 1
        rollup.latencyMicros += micros
      },
      encryptedDns(fact) {
        hidden(fact).queries += fact.questions
      },
      encryptedDnsAnswered(fact) {
        hidden(fact).answered++
      },
    },
    flush,
  }

  function hidden(fact: EncryptedDnsFact): Open {
    return rollupOf(fact, '', 0, fact.timeMicros)
  }
}

/** The bucket of the store's histogram that a latency belongs to; bounds belong to the bucket below them. */
export function latencyBucket(micros: number): number {
  const bucket = LATENCY_BOUNDS_MS.findIndex((bound) => micros <= bound * 1000)
  return bucket < 0 ? LATENCY_BUCKETS - 1 : bucket
}
