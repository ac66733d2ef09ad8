// tcp-unreachable: connections that nobody opened: silence, a refusal, or an ICMP message that says why (RFC 9293 3.5, RFC 1122 3.2.2.1).
import { ICMP_FRAGMENTATION_NEEDED, ICMP_UNREACHABLE, ICMPV6_UNREACHABLE, IPPROTO_TCP } from '../../constants/wire.ts'
import { createQuotedPacket, readQuoted } from '../../decoders/quoted.ts'
import { LAYER_ICMPV4, LAYER_ICMPV6 } from '../../model/layer.ts'
import { addressText } from '../../text/address.ts'
import type { Detector, DetectorMeta } from '../detector.ts'
import { connectionFilter } from '../display-filter.ts'

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
/** One refusal is how a port says that nobody listens. */
const MIN_REFUSALS = 3
const MAX_SERVERS = 4096

interface Server {
  attempts: number
  ports: Set<number>
}

export const tcpUnreachable: Detector = {
  meta,
  create(context) {
    const servers = new Map<string, Server>()
    /** Servers and ports that took a connection: those only had a bad moment. */
    const working = new Set<string>()
    /** What ICMP said of a server, until its connection ends. */
    const told = new Map<string, string>()
    const quoted = createQuotedPacket()

    return {
      icmpError(batch, out, row) {
        const isV4 = out.layer[row] === LAYER_ICMPV4 && out.icmpType[row] === ICMP_UNREACHABLE
        const isV6 = out.layer[row] === LAYER_ICMPV6 && out.icmpType[row] === ICMPV6_UNREACHABLE
        const code = out.icmpCode[row]!
        if ((!isV4 && !isV6) || (isV4 && code === ICMP_FRAGMENTATION_NEEDED)) return
        const at = out.quotedAt[row]!
        if (at === 0 || !readQuoted(batch.bytes, at, batch.startAt[row]! + batch.capturedLen[row]!, quoted)) return
        if (quoted.ipProtocol !== IPPROTO_TCP || told.size === MAX_SERVERS) return
        const words = (isV4 ? UNREACHABLE_V4 : UNREACHABLE_V6)[code]
        const router = addressText(out.addresses, row << 3)
        const { name } = context.interfaceOf(batch.interfaceId[row]!)
        const server = addressText(quoted.addresses, 4)
        told.set(`${name} ${server}`, `${router} says ${words === undefined || words === '' ? `code ${code}` : words}`)
      },
      flow(fact) {
        if (fact.ipProtocol !== IPPROTO_TCP) return
        const { name, inputName } = context.interfaceOf(fact.interfaceId)
        const place = `${name} ${fact.serverAddress}`
        if (fact.history.includes('h')) {
          if (working.size < MAX_SERVERS) working.add(`${place} ${fact.serverPort}`)
          return
        }
        if (!fact.history.startsWith('S') || /[dDfF]/.test(fact.history)) return
        if (working.has(`${place} ${fact.serverPort}`)) return
        const isRefused = fact.history.includes('r')
        const icmp = told.get(place)
        if (!isRefused && icmp === undefined && (fact.packetsToClient > 0 || fact.packetsToServer < MIN_SYNS)) return
        const cause = isRefused ? 'refused' : icmp === undefined ? 'silent' : 'icmp'
        const key = `${place} ${cause}`
        const server = servers.get(key) ?? { attempts: 0, ports: new Set<number>() }
        if (servers.size < MAX_SERVERS) servers.set(key, server)
        server.attempts++
        if (server.ports.size < MAX_PORTS) server.ports.add(fact.serverPort)
        context.raise(meta, {
          key,
          timeMicros: fact.endMicros,
          confidence: 'proven',
          severity: isRefused && server.attempts < MIN_REFUSALS ? 'info' : 'warning',
          interface: name,
          cause,
          data: {
            server: fact.serverAddress,
            attempts: server.attempts,
            ports: [...server.ports],
            why: isRefused ? 'it refused them at once with a reset' : (icmp ?? 'it never answered a SYN'),
          },
          evidence: { source: inputName, frame: fact.frameNumber },
          filter: connectionFilter(name, fact),
        })
      },
    }
  },
}

/** Ports named in one finding. */
const MAX_PORTS = 8
