// dns-lan-exposure: names that everybody on the LAN hears although they are nobody's there (rules.md R9, R10).
import type { Detector, DetectorMeta } from '../detector.ts'
import { dnsFilter } from '../display-filter.ts'
import { createNameList, type NameList } from '../name-list.ts'

const meta: DetectorMeta = {
  id: 'dns-lan-exposure',
  title: 'Names shouted on the LAN',
  severity: 'warning',
  basis: 'RFC 6762 22, RFC 4795 2',
  message:
    '{count} {count|question|questions} for {nameCount} {nameCount|name|names} went to everybody on the network of {interface} over {protocol}, e.g. {example}: {why}.',
  advice:
    'Switch off {protocol} on {interface} while the VPN is up, or keep it from asking for names that are not local.',
}

const WHY: Readonly<Record<string, string>> = Object.freeze({
  'public-name': 'these are names of the internet, not of the LAN',
  'asked-inside': 'they had just been asked inside the tunnel, so the system fell back to shouting',
})

const BASIS: Readonly<Record<string, string>> = Object.freeze({
  mdns: 'RFC 6762 22',
  llmnr: 'RFC 4795 2',
  nbns: 'RFC 1002 4.2',
})

export const dnsLanExposure: Detector = {
  meta,
  create(context) {
    const groups = new Map<string, NameList>()
    return {
      nameExposure(exchange) {
        if (exchange.judgement !== 'lan-exposure') return
        const { interfaceName, protocol, cause } = exchange
        const key = `${interfaceName} ${protocol} ${cause}`
        const names = groups.get(key) ?? createNameList()
        groups.set(key, names)
        names.add(exchange)
        context.raise(meta, {
          key,
          timeMicros: exchange.queryMicros,
          confidence: cause === 'public-name' ? 'proven' : 'probable',
          basis: BASIS[protocol] ?? meta.basis,
          cause,
          interface: interfaceName,
          count: exchange.questions,
          data: {
            protocol,
            server: exchange.serverAddress,
            names: names.shown,
            nameCount: names.count,
            example: names.shown[0],
            why: WHY[cause],
          },
          evidence: { source: exchange.inputName, frame: exchange.queryFrame },
          filter: dnsFilter(exchange),
        })
      },
    }
  },
}
