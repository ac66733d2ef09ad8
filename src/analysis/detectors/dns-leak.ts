// dns-leak: a name left in clear outside the tunnel while the tunnel was up (rules.md R1-R4, R16).
import { MAX_NAMES_IN_FINDING } from '../../constants/limits.ts'
import type { DnsExchange } from '../../model/facts.ts'
import type { Detector, DetectorMeta } from '../detector.ts'
import { dnsFilter } from '../display-filter.ts'

/** What is wrong and which standard says so, by cause. */
const CAUSES: Readonly<Record<string, { basis: string; why: string }>> = Object.freeze({
  'outside-tunnel': { basis: 'RFC 1035 4.2.1', why: 'the question took the way outside' },
  'v6-bypass': { basis: 'RFC 7359 4', why: 'the tunnel carries no IPv6, so IPv6 goes around it' },
  'lan-forwarder': { basis: 'RFC 9076', why: 'the resolver on the LAN forwards the name to the provider in clear' },
  fragment: { basis: 'RFC 9715', why: 'the message left in fragments, which port filters do not see' },
})

const meta: DetectorMeta = {
  id: 'dns-leak',
  title: 'DNS outside the tunnel',
  severity: 'critical',
  basis: 'RFC 1035 4.2.1',
  message:
    '{count} DNS {count|question|questions} for {nameCount} {nameCount|name|names} left outside the tunnel on {interface} to {server} ({transport}), e.g. {example}: {why}.',
  advice: 'Let the VPN set the resolver and block port 53 on {interface} for everything but the VPN.',
}

export const dnsLeak: Detector = {
  meta,
  create(context) {
    const groups = new Map<string, { names: Set<number>; shown: string[] }>()
    return {
      dnsExchange(exchange) {
        if (exchange.judgement !== 'leak') return
        const { interfaceName, serverAddress, transport, cause } = exchange
        const key = `${interfaceName} ${serverAddress} ${transport} ${cause}`
        const group = groups.get(key) ?? { names: new Set(), shown: [] }
        groups.set(key, group)
        noteName(group, exchange)
        const known = CAUSES[cause] ?? CAUSES['outside-tunnel']!
        context.raise(meta, {
          key,
          timeMicros: exchange.queryMicros,
          confidence: 'proven',
          basis: known.basis,
          cause,
          interface: interfaceName,
          count: exchange.questions,
          data: {
            server: serverAddress,
            port: exchange.serverPort,
            transport,
            names: group.shown,
            nameCount: group.names.size,
            example: group.shown[0],
            why: known.why,
          },
          evidence: { source: exchange.inputName, frame: exchange.queryFrame },
          filter: dnsFilter(exchange),
        })
      },
    }
  },
}
function noteName(group: { names: Set<number>; shown: string[] }, exchange: DnsExchange): void {
  if (group.names.has(exchange.nameId)) return
  group.names.add(exchange.nameId)
  if (group.shown.length < MAX_NAMES_IN_FINDING) group.shown.push(exchange.name === '' ? '.' : exchange.name)
}
