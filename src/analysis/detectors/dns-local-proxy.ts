// dns-local-proxy: a program on this machine answers DNS that is not the system's own stub (rules.md R21).
import type { Detector, DetectorMeta } from '../detector.ts'
import { dnsFilter } from '../display-filter.ts'

const meta: DetectorMeta = {
  id: 'dns-local-proxy',
  title: 'A DNS proxy on this machine',
  severity: 'info',
  basis: 'heuristic',
  message:
    'A program on this machine answers DNS at {server} port {port} ({count} {count|question|questions}): what it asks in turn decides whether names leak.',
  advice: 'See which program listens there (ss -lunp) and which resolver it uses.',
}

/** systemd-resolved's stub and its proxy, resolved.conf(5). */
const SYSTEM_STUBS: readonly string[] = Object.freeze(['127.0.0.53', '127.0.0.54'])

export const dnsLocalProxy: Detector = {
  meta,
  create(context) {
    return {
      dnsExchange(exchange) {
        const { serverAddress, serverPort } = exchange
        if (exchange.judgement !== 'local' || exchange.outcome !== 'answered') return
        if (exchange.clientAddress !== serverAddress && !isLoopback(serverAddress)) return
        if (SYSTEM_STUBS.includes(serverAddress) || context.vpnResolvers().includes(serverAddress)) return
        context.raise(meta, {
          key: `${serverAddress} ${serverPort}`,
          timeMicros: exchange.queryMicros,
          confidence: 'strong',
          interface: exchange.interfaceName,
          count: exchange.questions,
          data: { server: serverAddress, port: serverPort },
          evidence: { source: exchange.inputName, frame: exchange.responseFrame },
          filter: dnsFilter(exchange),
        })
      },
    }
  },
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1'
}
