// tcp-unreachable: connections that nobody opened: silence, a refusal, or an ICMP message that says why (RFC 9293 3.5, RFC 1122 3.2.2.1).
import { ICMP_FRAGMENTATION_NEEDED, ICMP_UNREACHABLE, ICMPV6_UNREACHABLE, IPPROTO_TCP } from '../../constants/wire.ts'
import { createQuotedPacket, readQuoted } from '../../decoders/quoted.ts'
import type { FlowFact } from '../../model/connection-facts.ts'
import { LAYER_ICMPV4, LAYER_ICMPV6 } from '../../model/layer.ts'
import { addressText } from '../../text/address.ts'
import type { Detector, DetectorMeta, RaisedFinding } from '../detector.ts'
import { hostFilter } from '../display-filter.ts'
import { makeRoom } from '../make-room.ts'

const meta: DetectorMeta = {
  id: 'tcp-unreachable',
  title: 'A server that does not take connections',
  severity: 'warning',
  basis: 'RFC 9293 3.8.3, RFC 1122 4.2.3.5',
  message: '{server} did not take {attempts} {attempts|connection|connections} on {interface} (port {ports}): {why}.',
  advice:
    'Not an MTU matter: check the route and whether {server} refuses the address this machine has on {interface}; try it without the VPN.',
}

const UNREACHABLE_V4: readonly string[] = Object.freeze(
  'network unreachable|host unreachable|protocol unreachable|port unreachable|||network unknown|host unknown||network prohibited|host prohibited|||communication prohibited by a filter'.split(
    '|',
  ),
)
const UNREACHABLE_V6: readonly string[] = Object.freeze(
  'no route|prohibited by a filter|beyond the scope of the source|address unreachable|port unreachable|source address failed the policy|route rejected'.split(
    '|',
  ),
)

/** A SYN is unanswered for good after so many: the first and two repetitions, 3 s and more (RFC 6298 5.5). */
const MIN_SYNS = 3
/** Nobody repeats a SYN twice sooner (Linux after 1 and 2 s, macOS each second): closer ones are copies, or a scan's. */
const MIN_SILENT_MICROS = 1_500_000
/** One refusal is how a port says that nobody listens. */
const MIN_REFUSALS = 3
const MAX_SERVERS = 4096

interface Server {
  attempts: number
  ports: Set<number>
}

/** An attempt that nobody took. */
interface Waiting {
  place: string
  cause: string
  serverPort: number
  startMicros: number
  raised: Omit<RaisedFinding, 'filter'>
}

/** A server that works is looked for so long before and after an attempt; longer ago says nothing of now. */
const MOMENT_MICROS = 60_000_000
/** Times remembered of one server, and attempts that wait. */
const MAX_TIMES = 8
const MAX_WAITING = 1024

export const tcpUnreachable: Detector = {
  meta,
  create(context) {
    const servers = new Map<string, Server>()
    /** When servers and ports took connections, the last times. */
    const working = new Map<string, { fromMicros: number; toMicros: number }[]>()
    /** Attempts that wait for what the server says to the next one. */
    const waiting: Waiting[] = []
    /** What ICMP said of an attempt, until that ends. */
    const told = new Map<string, string>()
    const quoted = createQuotedPacket()

    function noteWorking(place: string, fromMicros: number, toMicros: number): void {
      const times = working.get(place) ?? []
      if (times.length === 0) {
        makeRoom(working, MAX_SERVERS)
        working.set(place, times)
      }
      const near = times.find(
        (one) => fromMicros <= one.toMicros + MOMENT_MICROS && toMicros >= one.fromMicros - MOMENT_MICROS,
      )
      if (near === undefined) {
        if (times.length === MAX_TIMES) times.shift()
        times.push({ fromMicros, toMicros })
        return
      }
      near.fromMicros = Math.min(near.fromMicros, fromMicros)
      near.toMicros = Math.max(near.toMicros, toMicros)
    }

    /** A server that took a connection a moment before or after only had a bad one. */
    function decide({ place, cause, serverPort, startMicros, raised }: Waiting): void {
      const isWorking = working
        .get(place)
        ?.some(
          (one) => startMicros <= one.toMicros + MOMENT_MICROS && raised.timeMicros >= one.fromMicros - MOMENT_MICROS,
        )
      if (isWorking === true) return
      const server = servers.get(raised.key) ?? { attempts: 0, ports: new Set<number>() }
      if (servers.size < MAX_SERVERS) servers.set(raised.key, server)
      server.attempts++
      if (server.ports.size < MAX_PORTS) server.ports.add(serverPort)
      const { server: address, why } = raised.data
      context.raise(meta, {
        ...raised,
        severity: cause === 'refused' && server.attempts < MIN_REFUSALS ? 'info' : 'warning',
        data: { server: address, attempts: server.attempts, ports: [...server.ports], why },
        filter: `${hostFilter(raised.interface!, address as string)} && tcp.port in {${[...server.ports].join(', ')}}`,
      })
    }

    return {
      icmpError(batch, out, row) {
        const isV4 = out.layer[row] === LAYER_ICMPV4 && out.icmpType[row] === ICMP_UNREACHABLE
        const isV6 = out.layer[row] === LAYER_ICMPV6 && out.icmpType[row] === ICMPV6_UNREACHABLE
        const code = out.icmpCode[row]!
        if ((!isV4 && !isV6) || (isV4 && code === ICMP_FRAGMENTATION_NEEDED)) return
        const at = out.quotedAt[row]!
        if (at === 0 || !readQuoted(batch.bytes, at, batch.startAt[row]! + batch.capturedLen[row]!, quoted)) return
        if (quoted.ipProtocol !== IPPROTO_TCP || !quoted.hasPorts) return
        const words = (isV4 ? UNREACHABLE_V4 : UNREACHABLE_V6)[code]
        const router = addressText(out.addresses, row << 3)
        const { name } = context.interfaceOf(batch.interfaceId[row]!)
        const server = addressText(quoted.addresses, 4)
        makeRoom(told, MAX_SERVERS)
        told.set(
          `${name} ${server} ${quoted.dstPort} ${quoted.srcPort}`,
          `${router} says ${words === undefined || words === '' ? `code ${code}` : words}`,
        )
      },
      connectionOpened(connection) {
        if (connection.outcome !== 'answered') return
        const { interfaceName, serverAddress, serverPort, timeMicros } = connection
        noteWorking(`${interfaceName} ${serverAddress} ${serverPort}`, timeMicros, timeMicros)
      },
      flow(fact) {
        if (fact.ipProtocol !== IPPROTO_TCP) return
        const { name, inputName } = context.interfaceOf(fact.interfaceId)
        const server = `${name} ${fact.serverAddress}`
        const place = `${server} ${fact.serverPort}`
        const attempt = `${place} ${fact.clientPort}`
        const icmp = told.get(attempt)
        told.delete(attempt)
        if (fact.history.includes('h')) {
          noteWorking(place, fact.startMicros, fact.endMicros)
          return
        }
        // A client that acknowledges has got its answer, even if the capture shows only one direction.
        if (!fact.history.startsWith('S') || /[dDfFA]/.test(fact.history)) return
        const isRefused = fact.history.includes('r')
        if (!isRefused && icmp === undefined && !isSilent(fact)) return
        const cause = isRefused ? 'refused' : icmp === undefined ? 'silent' : 'icmp'
        if (waiting.length === MAX_WAITING) decide(waiting.shift()!)
        waiting.push({
          place,
          cause,
          serverPort: fact.serverPort,
          startMicros: fact.startMicros,
          raised: {
            key: `${server} ${cause}`,
            timeMicros: fact.endMicros,
            confidence: 'proven',
            interface: name,
            cause,
            data: {
              server: fact.serverAddress,
              why: isRefused ? 'it refused them at once with a reset' : (icmp ?? 'it never answered a SYN'),
            },
            evidence: { source: inputName, frame: fact.frameNumber },
          },
        })
      },
      tick(timeMicros) {
        while (waiting.length > 0 && waiting[0]!.raised.timeMicros + MOMENT_MICROS <= timeMicros)
          decide(waiting.shift()!)
      },
      end() {
        for (const one of waiting.splice(0)) decide(one)
      },
    }
  },
}

/** SYNs without an answer of any kind, sent again in vain. */
function isSilent(fact: FlowFact): boolean {
  return (
    fact.packetsToClient === 0 &&
    fact.packetsToServer >= MIN_SYNS &&
    fact.endMicros - fact.startMicros >= MIN_SILENT_MICROS
  )
}

/** Ports named in one finding. */
const MAX_PORTS = 8
