// dns-leak-window: names that left in clear while the tunnel was lost and wanted back (rules.md R14).
import type { DnsExchange } from '../../model/dns-facts.ts'
import type { Detector, DetectorMeta } from '../detector.ts'
import { interfaceFilter } from '../display-filter.ts'
import { createNameList, type NameList } from '../name-list.ts'

const meta: DetectorMeta = {
  id: 'dns-leak-window',
  title: 'DNS in clear while the tunnel was lost',
  severity: 'critical',
  basis: 'RFC 1035 4.2.1',
  message:
    'While the tunnel was lost for {windowMs} ms, {count} DNS {count|question|questions} for {nameCount} {nameCount|name|names} left on {interface} in clear, e.g. {example}.',
  advice: 'Switch on the VPN’s kill switch, so that nothing leaves while it reconnects.',
}

/** One loss of the tunnel; the end is not known while it lasts. */
interface Window {
  startMicros: number
  endMicros: number | undefined
  groups: Map<string, { names: NameList; servers: Set<string> }>
}

/** Losses told apart; a tunnel that flaps more often than this in one run is described by the first ones. */
const MAX_WINDOWS = 1000

export const dnsLeakWindow: Detector = {
  meta,
  create(context) {
    const windows: Window[] = []
    return {
      networkEvent(event) {
        if (event.kind === 'tunnel-lost' && windows.length < MAX_WINDOWS) {
          windows.push({ startMicros: event.timeMicros, endMicros: undefined, groups: new Map() })
        } else if (event.kind === 'tunnel-back' || event.kind === 'tunnel-stopped') {
          const window = windows.find((one) => one.startMicros === event.lostMicros)
          if (window !== undefined) window.endMicros = event.timeMicros
        }
      },
      dnsExchange(exchange) {
        if (exchange.judgement !== 'leak-window') return
        const window = windows.findLast((one) => one.startMicros <= exchange.queryMicros)
        const startMicros = window?.startMicros ?? exchange.queryMicros
        const windowMs = Math.round(((window?.endMicros ?? exchange.queryMicros) - startMicros) / 1000)
        const group = groupOf(window, exchange)
        context.raise(meta, {
          key: `${exchange.interfaceName} ${startMicros}`,
          timeMicros: exchange.queryMicros,
          confidence: exchange.confidence,
          interface: exchange.interfaceName,
          cause: 'tunnel-lost',
          count: exchange.questions,
          data: {
            windowMs,
            server: exchange.serverAddress,
            servers: [...group.servers],
            names: group.names.shown,
            nameCount: group.names.count,
            example: group.names.shown[0],
          },
          evidence: { source: exchange.inputName, frame: exchange.queryFrame },
          filter: `${interfaceFilter(exchange.interfaceName)}dns && ${timeFilter(startMicros, window?.endMicros)}`,
        })
      },
    }
  },
}

function groupOf(window: Window | undefined, exchange: DnsExchange): { names: NameList; servers: Set<string> } {
  const group = window?.groups.get(exchange.interfaceName) ?? { names: createNameList(), servers: new Set<string>() }
  window?.groups.set(exchange.interfaceName, group)
  group.names.add(exchange)
  group.servers.add(exchange.serverAddress)
  return group
}

/** Wireshark compares frame.time_epoch with seconds. */
function timeFilter(startMicros: number, endMicros: number | undefined): string {
  const from = `frame.time_epoch >= ${(startMicros / 1e6).toFixed(6)}`
  return endMicros === undefined ? from : `${from} && frame.time_epoch <= ${(endMicros / 1e6).toFixed(6)}`
}
