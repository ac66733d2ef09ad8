// dns-resolver-not-vpn: inside the tunnel, but not to the VPN's own resolver (rules.md R17). Policy, not a leak.
import type { Evidence } from '../../model/finding.ts'
import { parseAddress } from '../../text/address.ts'
import { isPrivateAddress } from '../address-classes.ts'
import type { Detector, DetectorMeta } from '../detector.ts'
import { dnsFilter } from '../display-filter.ts'

const meta: DetectorMeta = {
  id: 'dns-resolver-not-vpn',
  title: 'A resolver that is not the VPN’s, asked inside the tunnel',
  severity: 'info',
  basis: 'heuristic',
  message:
    '{count} DNS {count|question|questions} went through the tunnel {interface} to {server}, which is not the VPN’s resolver ({expected}).',
  advice: 'Nothing leaks to the network in between; use the VPN’s resolver if {server} should not see the names.',
}

/** A resolver that is asked at all is asked within this time. */
const SETTLED_MICROS = 60_000_000

interface AskedInside {
  interfaceName: string
  server: string
  port: number
  questions: number
  /** Of them, those counted in the finding already. */
  told: number
  firstMicros: number
  evidence: Evidence
  filter: string
}

export const dnsResolverNotVpn: Detector = {
  meta,
  create(context) {
    const asked = new Map<string, AskedInside>()
    let newestMicros = 0
    let nextMicros = 0

    function look(): void {
      const said = context.vpnResolvers()
      const inside = [...asked.values()].map((one) => one.server).filter(isPrivate)
      const expected = said.length > 0 ? said : [...new Set(inside)]
      if (expected.length === 0) return
      for (const [key, one] of asked) {
        if (expected.includes(one.server) || one.questions === one.told) continue
        context.raise(meta, {
          key,
          timeMicros: one.firstMicros,
          confidence: said.length > 0 ? 'strong' : 'weak',
          interface: one.interfaceName,
          count: one.questions - one.told,
          data: { server: one.server, port: one.port, expected },
          ...(one.told === 0 ? { evidence: one.evidence } : {}),
          filter: one.filter,
        })
        one.told = one.questions
      }
    }

    return {
      dnsExchange(exchange) {
        if (exchange.judgement !== 'inside') return
        const key = `${exchange.interfaceName} ${exchange.serverAddress}`
        const known = asked.get(key)
        if (known !== undefined) known.questions += exchange.questions
        else if (asked.size < MAX_RESOLVERS) {
          newestMicros = exchange.queryMicros
          asked.set(key, {
            interfaceName: exchange.interfaceName,
            server: exchange.serverAddress,
            port: exchange.serverPort,
            questions: exchange.questions,
            told: 0,
            firstMicros: exchange.queryMicros,
            evidence: { source: exchange.inputName, frame: exchange.queryFrame },
            filter: dnsFilter(exchange),
          })
        }
      },
      // Which resolvers are the VPN's shows only when all of them have been seen; live, when none is new for a while.
      tick(timeMicros) {
        if (timeMicros < nextMicros) return
        nextMicros = timeMicros + SETTLED_MICROS
        if (timeMicros - newestMicros >= SETTLED_MICROS) look()
      },
      end: look,
    }
  },
}

/** Resolvers told apart; a machine has a handful. */
const MAX_RESOLVERS = 256

function isPrivate(address: string): boolean {
  const words = parseAddress(address)
  return words !== undefined && isPrivateAddress(...words)
}
