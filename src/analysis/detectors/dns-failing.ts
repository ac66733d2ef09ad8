// dns-failing: a resolver that answers, but with SERVFAIL or REFUSED (RFC 1035 4.1.1). Told per resolver and interface.
import { DNS_REFUSED, DNS_SERVFAIL, DNS_TYPE_A } from '../../constants/wire.ts'
import type { Detector, DetectorMeta } from '../detector.ts'
import { dnsFilter } from '../display-filter.ts'
import { createNameList, type NameList } from '../name-list.ts'

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

interface Failures {
  answered: number
  servfail: number
  refused: number
  names: NameList
  /** Names that failed and were never answered. */
  failing: Set<number>
}

/** One or two names that fail are those names' fault: their zones are broken, not the resolver. */
const MIN_FAILING_NAMES = 3
/** And it is the resolver when at least so many of its answers are failures. */
const MIN_SHARE = 0.2
const MAX_RESOLVERS = 1024

export const dnsFailing: Detector = {
  meta,
  create(context) {
    const resolvers = new Map<string, Failures>()
    return {
      dnsExchange(exchange) {
        if (exchange.outcome !== 'answered' || exchange.judgement === 'local') return
        const key = `${exchange.interfaceName} ${exchange.serverAddress} ${exchange.serverPort}`
        let one = resolvers.get(key)
        if (one === undefined) {
          if (resolvers.size >= MAX_RESOLVERS) return
          one = { answered: 0, servfail: 0, refused: 0, names: createNameList(), failing: new Set() }
          resolvers.set(key, one)
        }
        // A server that has no upstream refuses the types it does not hold; addresses every resolver answers.
        if (exchange.rcode === DNS_REFUSED && exchange.type !== DNS_TYPE_A) return
        one.answered++
        if (exchange.rcode !== DNS_SERVFAIL && exchange.rcode !== DNS_REFUSED) {
          one.failing.delete(exchange.nameId)
          return
        }
        if (exchange.rcode === DNS_SERVFAIL) one.servfail++
        else one.refused++
        if (exchange.rcode === DNS_REFUSED && one.refused < one.answered) return
        one.failing.add(exchange.nameId)
        one.names.add(exchange)
        const failed = one.servfail + one.refused
        // REFUSED is policy: it counts when there is nothing else.
        const counted = one.refused === one.answered ? failed : one.servfail
        if (one.failing.size < MIN_FAILING_NAMES || counted < one.answered * MIN_SHARE) return
        context.raise(meta, {
          key,
          timeMicros: exchange.responseMicros,
          confidence: 'proven',
          interface: exchange.interfaceName,
          data: {
            server: exchange.serverAddress,
            port: exchange.serverPort,
            failed: counted,
            answered: one.answered,
            codes: one.servfail > 0 ? 'SERVFAIL' : 'REFUSED',
            names: one.names.shown,
            nameCount: one.names.count,
            example: one.names.shown[0],
          },
          evidence: { source: exchange.inputName, frame: exchange.responseFrame },
          filter: `${dnsFilter(exchange)} && (dns.flags.rcode == 2 || dns.flags.rcode == 5)`,
        })
      },
    }
  },
}
