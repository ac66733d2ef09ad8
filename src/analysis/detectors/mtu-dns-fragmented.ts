// mtu-dns-fragmented: DNS answers so large that they come in IP fragments; where one is lost the answer never comes (RFC 9715).
import { DNS_FLAG_QR, IPPROTO_UDP, PORT_DNS } from '../../constants/wire.ts'
import { type DecodedBatch, ROW_MF, ROW_REASSEMBLED } from '../../model/decoded-batch.ts'
import { LAYER_DNS } from '../../model/layer.ts'
import type { PacketBatch } from '../../model/packet-batch.ts'
import { addressText } from '../../text/address.ts'
import type { Detector, DetectorMeta, RaisedFinding } from '../detector.ts'
import { hostFilter } from '../display-filter.ts'
import { createLaterFragments, FILTERED_WORDS } from '../later-fragments.ts'

const meta: DetectorMeta = {
  id: 'mtu-dns-fragmented',
  title: 'DNS answers in fragments',
  severity: 'info',
  basis: 'RFC 9715 3, RFC 6891 6.2.5',
  message: '{answers} {answers|answer|answers} of {server} came in fragments on {interface}, up to {largestLen} bytes.',
  advice:
    'Let the resolver ask and answer with at most 1232 bytes over UDP (EDNS buffer size): fragments are the first to be lost.',
}

const MESSAGE_LOST =
  '{lost} {lost|answer|answers} of {server} on {interface} never arrived whole: fragments were lost{retryWords}{filterWords}.'

interface Server {
  answers: number
  lost: number
  largestLen: number
  lostMicros: number
  retries: number
}

const MAX_SERVERS = 1024
const MAX_PENDING = 1024
/** A client that missed an answer asks again over TCP within this (RFC 1035 4.2.1, RFC 7766 5). */
const RETRY_MICROS = 15_000_000

export const mtuDnsFragmented: Detector = {
  meta,
  create(context) {
    const servers = new Map<string, Server>()
    /** First fragments from port 53, until their datagram is whole or given up. */
    const pending = new Map<string, number>()
    const later = createLaterFragments()

    function serverOf(key: string): Server {
      const server = servers.get(key) ?? { answers: 0, lost: 0, largestLen: 0, lostMicros: 0, retries: 0 }
      if (servers.size < MAX_SERVERS) servers.set(key, server)
      return server
    }

    function raise(interfaceId: number, address: string, server: Server, timeMicros: number, frame: number): void {
      const { name, inputName } = context.interfaceOf(interfaceId)
      const raised: RaisedFinding = {
        key: `${name} ${address}`,
        timeMicros,
        confidence: 'proven',
        interface: name,
        data: {
          server: address,
          answers: server.answers,
          lost: server.lost,
          largestLen: server.largestLen,
          retryWords: server.retries > 0 ? `, and the client asked again over TCP` : '',
        },
        filter: `${hostFilter(name, address)} && (dns || ip.flags.mf == 1 || ip.frag_offset > 0 || ipv6.nxt == 44)`,
      }
      if (frame > 0) raised.evidence = { source: inputName, frame }
      if (server.lost > 0) {
        // That the client asks again shows that it missed the answer too.
        const isDoubtful = server.retries === 0 && !later.wereSeen(interfaceId)
        if (isDoubtful) raised.confidence = 'probable'
        raised.data.filterWords = isDoubtful ? FILTERED_WORDS : ''
        raised.severity = 'warning'
        raised.cause = 'never-completed'
        raised.message = MESSAGE_LOST
      }
      context.raise(meta, raised)
    }

    function dnsMessage(batch: PacketBatch, out: DecodedBatch, row: number): void {
      if ((out.flags[row]! & ROW_REASSEMBLED) === 0 || out.layer[row] !== LAYER_DNS) return
      if ((out.dnsFlags[row]! & DNS_FLAG_QR) === 0 || out.ipProtocol[row] !== IPPROTO_UDP) return
      const interfaceId = batch.interfaceId[row]!
      const address = addressText(out.addresses, row << 3)
      const server = serverOf(`${interfaceId} ${address}`)
      server.answers++
      server.largestLen = Math.max(server.largestLen, out.ipLen[row]!)
      raise(interfaceId, address, server, batch.timeMicros[row]!, batch.frameNumber[row]!)
    }

    function fragment(batch: PacketBatch, out: DecodedBatch, row: number): void {
      later.note(batch, out, row)
      if (out.srcPort[row] !== PORT_DNS || out.fragmentOffset[row] !== 0 || (out.flags[row]! & ROW_MF) === 0) return
      if (pending.size === MAX_PENDING) pending.clear()
      const interfaceId = batch.interfaceId[row]!
      const ends = `${addressText(out.addresses, row << 3)} ${addressText(out.addresses, (row << 3) + 4)}`
      pending.set(`${interfaceId} ${ends} ${out.ipId[row]!}`, batch.timeMicros[row]!)
    }

    return {
      dnsMessage,
      fragment,
      fragmentSet(fact) {
        const key = `${fact.interfaceId} ${fact.srcAddress} ${fact.dstAddress} ${fact.ipId}`
        const sinceMicros = pending.get(key)
        if (fact.kind !== 'lost' || sinceMicros === undefined) return
        pending.delete(key)
        const server = serverOf(`${fact.interfaceId} ${fact.srcAddress}`)
        server.lost++
        server.lostMicros = sinceMicros
        raise(fact.interfaceId, fact.srcAddress, server, fact.timeMicros, fact.frameNumber)
      },
      dnsExchange(exchange) {
        if (exchange.transport !== 'tcp') return
        const server = servers.get(`${exchange.interfaceId} ${exchange.serverAddress}`)
        if (server === undefined || server.lost === 0) return
        const waited = exchange.queryMicros - server.lostMicros
        if (waited < 0 || waited > RETRY_MICROS) return
        server.retries++
        raise(exchange.interfaceId, exchange.serverAddress, server, exchange.queryMicros, 0)
      },
    }
  },
}
