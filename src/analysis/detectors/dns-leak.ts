// dns-leak: a name left in clear outside the tunnel while the tunnel was up (rules.md R1-R4, R8, R11, R15, R16, R19, R20).
import { fill } from '../../text/fill.ts'
import type { Detector, DetectorMeta } from '../detector.ts'
import { dnsFilter } from '../display-filter.ts'
import { causeRow } from '../judgement/causes.ts'
import { createNameList, type NameList } from '../name-list.ts'

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
    const groups = new Map<string, NameList>()
    return {
      dnsExchange(exchange) {
        if (exchange.judgement !== 'leak') return
        const { interfaceName, serverAddress, serverPort, transport, cause } = exchange
        const key = `${interfaceName} ${serverAddress} ${serverPort} ${transport} ${cause}`
        const names = groups.get(key) ?? createNameList()
        groups.set(key, names)
        names.add(exchange)
        const row = causeRow(cause, transport)
        context.raise(meta, {
          key,
          timeMicros: exchange.queryMicros,
          confidence: exchange.confidence,
          severity: row.severity,
          basis: row.basis,
          ...(row.advice === undefined ? {} : { advice: row.advice }),
          cause,
          interface: interfaceName,
          count: exchange.questions,
          data: {
            rule: row.rule,
            server: serverAddress,
            port: serverPort,
            transport,
            names: names.shown,
            nameCount: names.count,
            example: names.shown[0],
            why: fill(row.why, exchange.detail),
            ...exchange.detail,
          },
          evidence: { source: exchange.inputName, frame: exchange.queryFrame },
          filter: dnsFilter(exchange),
        })
      },
    }
  },
}
