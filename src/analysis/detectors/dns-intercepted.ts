// dns-intercepted: a public resolver inside the tunnel answers faster than its address can be reached (rules.md R18).
import type { Evidence } from '../../model/finding.ts'
import { parseAddress } from '../../text/address.ts'
import { isPublicAddress } from '../address-classes.ts'
import type { Detector, DetectorMeta } from '../detector.ts'
import { dnsFilter } from '../display-filter.ts'

const meta: DetectorMeta = {
  id: 'dns-intercepted',
  title: 'DNS answered on the way',
  severity: 'info',
  basis: 'heuristic',
  message:
    'Answers of {server} inside the tunnel {interface} take {dnsMs} ms, a TCP handshake with the same address {tcpMs} ms: the VPN answers in its place.',
  advice: 'Nothing leaks by that; use DNS over TLS or HTTPS if {server} itself shall answer.',
}

/** Half the way is no way: the answer came from nearer by. */
const MAX_SHARE = 0.5
/** Below this difference, timers and queues explain as much. */
const MIN_DIFFERENCE_MS = 5
const MIN_ANSWERS = 3
/** While the capture goes on more are wanted: a slow answer yet to come would speak against it. */
const MIN_ANSWERS_SO_FAR = 20
const INTERVAL_MICROS = 60_000_000
const MAX_SERVERS = 1024

interface Times {
  server: string
  interfaceName: string
  interfaceId: number
  /** Of the DNS answers over UDP, milliseconds. */
  slowestDnsMs: number
  answers: number
  firstMicros: number
  evidence: Evidence
  filter: string
}

export const dnsIntercepted: Detector = {
  meta,
  create(context) {
    const asked = new Map<string, Times>()
    const fastestTcpMs = new Map<string, number>()
    const raised = new Set<string>()
    let nextMicros = 0

    function look(minAnswers: number): void {
      for (const [key, one] of asked) {
        const tcpMs = fastestTcpMs.get(key)
        if (tcpMs === undefined || one.answers < minAnswers) continue
        if (one.slowestDnsMs > tcpMs * MAX_SHARE || tcpMs - one.slowestDnsMs < MIN_DIFFERENCE_MS) continue
        context.raise(meta, {
          key,
          timeMicros: one.firstMicros,
          confidence: 'probable',
          interface: one.interfaceName,
          data: { server: one.server, dnsMs: rounded(one.slowestDnsMs), tcpMs: rounded(tcpMs) },
          ...(raised.has(key) ? { count: 0 } : { evidence: one.evidence }),
          filter: one.filter,
        })
        raised.add(key)
      }
    }

    return {
      dnsExchange(exchange) {
        if (exchange.judgement !== 'inside' || exchange.outcome !== 'answered' || exchange.transport !== 'udp') return
        const key = `${exchange.interfaceId} ${exchange.serverAddress}`
        const takenMs = (exchange.responseMicros - exchange.queryMicros) / 1000
        const known = asked.get(key)
        if (known !== undefined) {
          known.answers++
          if (takenMs > known.slowestDnsMs) known.slowestDnsMs = takenMs
          return
        }
        const words = parseAddress(exchange.serverAddress)
        if (asked.size >= MAX_SERVERS || words === undefined || !isPublicAddress(...words)) return
        asked.set(key, {
          server: exchange.serverAddress,
          interfaceName: exchange.interfaceName,
          interfaceId: exchange.interfaceId,
          slowestDnsMs: takenMs,
          answers: 1,
          firstMicros: exchange.queryMicros,
          evidence: { source: exchange.inputName, frame: exchange.responseFrame },
          filter: dnsFilter(exchange),
        })
      },
      connectionOpened(connection) {
        if (connection.judgement !== 'inside' || connection.handshakeMicros <= 0) return
        const key = `${connection.interfaceId} ${connection.serverAddress}`
        const takenMs = connection.handshakeMicros / 1000
        const known = fastestTcpMs.get(key)
        if (known === undefined ? fastestTcpMs.size < MAX_SERVERS : takenMs < known) fastestTcpMs.set(key, takenMs)
      },
      // Live nobody waits for the end.
      tick(timeMicros) {
        if (timeMicros < nextMicros) return
        nextMicros = timeMicros + INTERVAL_MICROS
        look(MIN_ANSWERS_SO_FAR)
      },
      end: () => look(MIN_ANSWERS),
    }
  },
}

function rounded(millis: number): number {
  return Number(millis.toPrecision(3))
}
