// mtu-quic-blocked: QUIC's first packets, never smaller than 1,200 bytes, get no answer while TCP to the same server works.
import {
  ICMP_FRAGMENTATION_NEEDED,
  ICMP_UNREACHABLE,
  ICMPV6_UNREACHABLE,
  IPPROTO_TCP,
  IPPROTO_UDP,
  PORT_DNS,
  PORT_HTTPS,
} from '../../constants/wire.ts'
import { createQuotedPacket, readQuoted } from '../../decoders/quoted.ts'
import type { DecodedBatch } from '../../model/decoded-batch.ts'
import { LAYER_ICMPV4, LAYER_ICMPV6 } from '../../model/layer.ts'
import type { PacketBatch } from '../../model/packet-batch.ts'
import { addressText } from '../../text/address.ts'
import type { Detector, DetectorMeta } from '../detector.ts'
import { hostFilter } from '../display-filter.ts'

const meta: DetectorMeta = {
  id: 'mtu-quic-blocked',
  title: 'QUIC gets no answer',
  severity: 'warning',
  basis: 'RFC 9000 14.1',
  message:
    '{server} answered none of {initials} QUIC packets of {packetLen} bytes on {interface}, but TCP works there{smallWords}.',
  advice:
    'Either UDP port 443 is filtered on this path, or packets of {packetLen} bytes do not pass: browsers fall back to TCP after a delay; switch QUIC off or lower the MTU of {interface} to see which.',
}

/** RFC 9000 14.1: a client pads its Initial datagrams to this. */
const MIN_INITIAL_LEN = 1200
/** The long header with the fixed bit (RFC 9000 17.2), of version 1 type Initial and of version 2 (RFC 9369 3.2). */
const FORM_AND_FIXED = 0xc0
const MIN_INITIALS = 3
/** A client sends several at once; it has repeated them twice by then (RFC 9002 6.2.2: 1 s, doubling). */
const PATIENCE_MICROS = 3_000_000
/** Of a capture that ends sooner: the client repeated them at all. */
const REPEATED_MICROS = 500_000
const MAX_SERVERS = 4096
/** A power of two. */
const CELLS = 4096

interface Server {
  interfaceId: number
  address: string
  /** Since the last answer. */
  initials: number
  firstMicros: number
  packetLen: number
  tcpWorks: boolean
  told: number
  lastMicros: number
  lastFrame: number
}

export const mtuQuicBlocked: Detector = {
  meta,
  create(context) {
    const servers = new Map<string, Server>()
    /** Interfaces on which small UDP was answered. */
    const smallPasses = new Set<number>()
    const quoted = createQuotedPacket()
    /** Servers that owe an answer, and how many of them are in each cell. */
    let owing = 0
    const owingByCell = new Uint16Array(CELLS)

    function packet(batch: PacketBatch, out: DecodedBatch, row: number): void {
      if (out.ipProtocol[row] !== IPPROTO_UDP) return
      const srcPort = out.srcPort[row]!
      if (out.dstPort[row] === PORT_HTTPS) {
        if (out.payloadLen[row]! >= MIN_INITIAL_LEN) initial(batch, out, row)
      } else if (srcPort === PORT_HTTPS) answered(batch.interfaceId[row]!, out.addresses, row << 3)
      else if (srcPort === PORT_DNS) smallPasses.add(batch.interfaceId[row]!)
    }

    function initial(batch: PacketBatch, out: DecodedBatch, row: number): void {
      if ((batch.bytes[out.payloadAt[row]!]! & FORM_AND_FIXED) !== FORM_AND_FIXED) return
      const interfaceId = batch.interfaceId[row]!
      const address = addressText(out.addresses, (row << 3) + 4)
      const key = `${interfaceId} ${address}`
      let server = servers.get(key)
      if (server === undefined) {
        if (servers.size === MAX_SERVERS) return
        server = {
          interfaceId,
          address,
          initials: 0,
          firstMicros: 0,
          packetLen: 0,
          tcpWorks: false,
          told: 0,
          lastMicros: 0,
          lastFrame: 0,
        }
        servers.set(key, server)
      }
      if (server.initials === 0) {
        server.firstMicros = batch.timeMicros[row]!
        owing++
        const cell = cellOf(interfaceId, out.addresses, (row << 3) + 4)
        owingByCell[cell] = owingByCell[cell]! + 1
      }
      server.initials++
      server.packetLen = out.ipLen[row]!
      server.lastMicros = batch.timeMicros[row]!
      server.lastFrame = batch.frameNumber[row]!
    }

    /** The server whose address begins at `at` has answered. */
    function answered(interfaceId: number, addresses: Uint32Array, at: number): void {
      if (owing === 0) return
      // Most packets of QUIC are data of servers that have answered long ago: no text is made for them.
      const cell = cellOf(interfaceId, addresses, at)
      if (owingByCell[cell] === 0) return
      const server = servers.get(`${interfaceId} ${addressText(addresses, at)}`)
      if (server === undefined || server.initials === 0) return
      server.initials = 0
      server.told = 0
      owing--
      owingByCell[cell] = owingByCell[cell]! - 1
    }

    function judge(server: Server): void {
      if (!server.tcpWorks || server.initials < MIN_INITIALS || server.told === server.initials) return
      const { name, inputName } = context.interfaceOf(server.interfaceId)
      context.raise(meta, {
        key: `${name} ${server.address}`,
        timeMicros: server.lastMicros,
        confidence: 'probable',
        interface: name,
        count: server.initials - server.told,
        data: {
          server: server.address,
          initials: server.initials,
          packetLen: server.packetLen,
          smallUdpPasses: smallPasses.has(server.interfaceId),
          smallWords: smallPasses.has(server.interfaceId) ? ' and small UDP packets pass' : '',
        },
        evidence: { source: inputName, frame: server.lastFrame },
        filter: `${hostFilter(name, server.address)} && udp.port == 443`,
      })
      server.told = server.initials
    }

    return {
      packet,
      // Refused is answered: nobody listens there, or a filter says so, and size is not the reason.
      icmpError(batch, out, row) {
        if (owing === 0) return
        const isV4 = out.layer[row] === LAYER_ICMPV4 && out.icmpType[row] === ICMP_UNREACHABLE
        const isV6 = out.layer[row] === LAYER_ICMPV6 && out.icmpType[row] === ICMPV6_UNREACHABLE
        if ((!isV4 && !isV6) || (isV4 && out.icmpCode[row] === ICMP_FRAGMENTATION_NEEDED)) return
        const at = out.quotedAt[row]!
        if (at === 0 || !readQuoted(batch.bytes, at, batch.startAt[row]! + batch.capturedLen[row]!, quoted)) return
        if (quoted.ipProtocol !== IPPROTO_UDP || quoted.dstPort !== PORT_HTTPS) return
        answered(batch.interfaceId[row]!, quoted.addresses, 4)
      },
      flow(fact) {
        if (fact.ipProtocol !== IPPROTO_TCP || fact.serverPort !== PORT_HTTPS || !fact.history.includes('d')) return
        const server = servers.get(`${fact.interfaceId} ${fact.serverAddress}`)
        if (server === undefined) return
        server.tcpWorks = true
      },
      tick(timeMicros) {
        if (owing === 0) return
        for (const server of servers.values()) if (timeMicros - server.firstMicros >= PATIENCE_MICROS) judge(server)
      },
      end() {
        for (const server of servers.values()) {
          if (server.lastMicros - server.firstMicros >= REPEATED_MICROS) judge(server)
        }
      },
    }
  },
}

/** Of an interface and the address whose words begin at `at`. */
function cellOf(interfaceId: number, addresses: Uint32Array, at: number): number {
  const hash = Math.imul(addresses[at]! ^ addresses[at + 1]! ^ addresses[at + 2]! ^ addresses[at + 3]!, 0x9e3779b1)
  return ((hash >>> 16) ^ interfaceId) & (CELLS - 1)
}
