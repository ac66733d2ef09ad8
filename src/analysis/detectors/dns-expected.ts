// dns-expected: questions outside the tunnel that are no leak, each with its reason X1 … X12 (rules.md 1.4).
import type { DnsExchange } from '../../model/dns-facts.ts'
import type { Detector, DetectorMeta } from '../detector.ts'
import { dnsFilter } from '../display-filter.ts'
import { exemption } from '../judgement/exemptions.ts'
import { createNameList, type NameList } from '../name-list.ts'

const meta: DetectorMeta = {
  id: 'dns-expected',
  title: 'DNS outside the tunnel for a legitimate reason',
  severity: 'info',
  basis: 'RFC 6761',
  message:
    '{count} DNS {count|question|questions} for {nameCount} {nameCount|name|names} left on {interface} to {server}, e.g. {example}, and that is in order: {why} ({reason} {title}).',
  advice: 'Nothing to do; the reason says why it is no leak.',
}

export const dnsExpected: Detector = {
  meta,
  create(context) {
    const groups = new Map<string, NameList>()
    function expected(exchange: DnsExchange): void {
      if (exchange.judgement !== 'expected') return
      const { interfaceName, serverAddress, protocol, reason } = exchange
      const key = `${interfaceName} ${serverAddress} ${protocol} ${reason}`
      const names = groups.get(key) ?? createNameList()
      groups.set(key, names)
      names.add(exchange)
      const row = exemption(reason)
      context.raise(meta, {
        key,
        timeMicros: exchange.queryMicros,
        confidence: row.basis === 'heuristic' ? 'probable' : 'strong',
        basis: row.basis,
        cause: row.title,
        interface: interfaceName,
        count: exchange.questions,
        data: {
          reason,
          title: row.title,
          why: row.why,
          server: serverAddress,
          protocol,
          names: names.shown,
          nameCount: names.count,
          example: names.shown[0],
        },
        evidence: { source: exchange.inputName, frame: exchange.queryFrame },
        filter: dnsFilter(exchange),
      })
    }
    return { dnsExchange: expected, nameExposure: expected }
  },
}
