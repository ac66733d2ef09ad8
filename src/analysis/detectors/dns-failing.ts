// dns-failing: a resolver that answers, but with SERVFAIL or REFUSED (RFC 1035 4.1.1). Told per resolver and interface.
import { MAX_NAMES_IN_FINDING } from '../../constants/limits.ts'
import { DNS_REFUSED, DNS_SERVFAIL, DNS_TYPE_A } from '../../constants/wire.ts'
import { createDeferred } from '../deferred.ts'
import type { Detector, DetectorMeta, RaisedFinding } from '../detector.ts'
import { dnsFilter } from '../display-filter.ts'
import { createPerResolver } from '../per-resolver.ts'

const meta: DetectorMeta = {
  id: 'dns-failing',
  title: 'A resolver that fails',
  severity: 'warning',
  basis: 'RFC 1035 4.1.1',
  message:
    '{server} on {interface} answered {failed} of {answered} {answered|question|questions} with {codes} ({nameCount} {nameCount|name|names}, e.g. {example}).',
  advice:
    'Ask another resolver for {example}: if that one knows it, {server} cannot reach the name’s servers or refuses to.',
}

/** Of one resolver on one interface. */
interface Failures {
  key: string
  /** The answers counted now, and those of the stretch before: a day of good answers must not hide a bad hour. */
  now: Counts
  before: Counts
  /** Names that failed and were not answered since, by id. */
  failing: Map<number, Failing>
}

interface Counts {
  answered: number
  servfail: number
  refused: number
}

interface Failing {
  name: string
  rcode: number
  micros: number
}

/** A failure that waits for what the next tries give. */
interface Waiting {
  one: Failures
  nameId: number
  raised: Omit<RaisedFinding, 'data'>
  data: Record<string, unknown>
}

/** One or two names that fail are those names' fault: their zones are broken, not the resolver. */
const MIN_FAILING_NAMES = 3
/** And it is the resolver when at least so many of its answers are failures. */
const MIN_SHARE = 0.2
const MAX_RESOLVERS = 1024
/** Answers of one stretch: enough for a share, few enough to show a change within minutes. */
const STRETCH = 100
/** A resolver that is still starting fails first and answers the next try; clients wait 5 s between tries (RFC 1035 4.2.1). */
const SECOND_TRY_MICROS = 6_000_000
/** Names that failed hours ago say nothing of now. */
const MEMORY_MICROS = 600_000_000
/** Failing names remembered; more change nothing in the finding. */
const MAX_FAILING = 1000

function createFailures(key: string): Failures {
  return { key, now: noCounts(), before: noCounts(), failing: new Map() }
}

export const dnsFailing: Detector = {
  meta,
  create(context) {
    const resolverOf = createPerResolver(MAX_RESOLVERS, createFailures)
    const deferred = createDeferred<Waiting>(decide)

    function decide({ one, nameId, raised, data }: Waiting): void {
      const failure = one.failing.get(nameId)
      const counts = sumOf(one)
      // REFUSED is policy: it counts when there is nothing else.
      const isRefusing = counts.refused === counts.answered
      const code = isRefusing ? DNS_REFUSED : DNS_SERVFAIL
      if (failure?.rcode !== code) return
      const failed = isRefusing ? counts.refused : counts.servfail
      const failing = [...one.failing.values()].filter(({ rcode }) => rcode === code)
      if (failing.length < MIN_FAILING_NAMES || failed < counts.answered * MIN_SHARE) return
      const names = failing.slice(0, MAX_NAMES_IN_FINDING).map(({ name }) => name || '.')
      context.raise(meta, {
        ...raised,
        data: {
          ...data,
          failed,
          answered: counts.answered,
          codes: isRefusing ? 'REFUSED' : 'SERVFAIL',
          names,
          nameCount: failing.length,
          example: names[0],
        },
      })
    }

    return {
      dnsExchange(exchange) {
        deferred.told(exchange.queryMicros)
        if (exchange.outcome !== 'answered' || exchange.judgement === 'local') return
        const one = resolverOf(exchange)
        if (one === undefined) return
        const { rcode, nameId, queryMicros } = exchange
        // A server that has no upstream refuses the types it does not hold; addresses every resolver answers.
        if (rcode === DNS_REFUSED && exchange.type !== DNS_TYPE_A) return
        count(one, rcode)
        if (rcode !== DNS_SERVFAIL && rcode !== DNS_REFUSED) {
          if (one.failing.size > 0) one.failing.delete(nameId)
          return
        }
        const { failing } = one
        for (const [id, { micros }] of failing) {
          if (micros >= queryMicros - MEMORY_MICROS) break
          failing.delete(id)
        }
        failing.delete(nameId)
        if (failing.size === MAX_FAILING) return
        failing.set(nameId, { name: exchange.name, rcode, micros: queryMicros })
        const raised = {
          key: one.key,
          timeMicros: exchange.responseMicros,
          confidence: 'proven' as const,
          interface: exchange.interfaceName,
          evidence: { source: exchange.inputName, frame: exchange.responseFrame },
          filter: `${dnsFilter(exchange)} && (dns.flags.rcode == 2 || dns.flags.rcode == 5)`,
        }
        const data = { server: exchange.serverAddress, port: exchange.serverPort }
        deferred.add({ one, nameId, raised, data }, queryMicros + SECOND_TRY_MICROS)
      },
      tick: deferred.tick,
      end: deferred.end,
    }
  },
}

function noCounts(): Counts {
  return { answered: 0, servfail: 0, refused: 0 }
}

function count(one: Failures, rcode: number): void {
  if (one.now.answered === STRETCH) {
    one.before = one.now
    one.now = noCounts()
  }
  one.now.answered++
  if (rcode === DNS_SERVFAIL) one.now.servfail++
  else if (rcode === DNS_REFUSED) one.now.refused++
}

function sumOf({ now, before }: Failures): Counts {
  return {
    answered: now.answered + before.answered,
    servfail: now.servfail + before.servfail,
    refused: now.refused + before.refused,
  }
}
