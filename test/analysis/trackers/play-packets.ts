// Plays hand-made packets through decoders and transport, and keeps what was told.
import { createKeyLog } from '../../../src/analysis/key-log.ts'
import { createTransport, type Transport } from '../../../src/analysis/trackers/transport.ts'
import { platformCrypto } from '../../../src/daemon/platform-crypto.ts'
import { decodeBatch } from '../../../src/decoders/decode-batch.ts'
import type { FlowFact } from '../../../src/model/connection-facts.ts'
import { createDecodedBatch } from '../../../src/model/decoded-batch.ts'
import type { FragmentSetFact } from '../../../src/model/facts.ts'
import type { HttpFact, TlsFact } from '../../../src/model/protocol-facts.ts'
import { addressText } from '../../../src/text/address.ts'
import { ascii, type BatchPacket, type Bytes, batchOf, concat, ipv4, tcp } from '../../decoders/build-packet.ts'

export const SYN = 2
export const ACK = 0x10
export const FIN = 1
export const RST = 4

/** LINKTYPE_RAW. */
const RAW = 101

export interface DnsRow {
  frame: number
  id: number
  src: string
  dst: string
  srcPort: number
  dstPort: number
  protocol: number
  layer: number
  flags: number
  flowId: number
}

export interface Played {
  transport: Transport
  dns: DnsRow[]
  flows: FlowFact[]
  tls: TlsFact[]
  http: HttpFact[]
  fragments: number
  sets: FragmentSetFact[]
}

/** One batch a packet, so that nothing can lean on the bytes of an earlier one: they are wiped after use. */
export function play(
  packets: readonly BatchPacket[],
  options: { end?: boolean; maxFlows?: number; keyLog?: string } = {},
): Played {
  const keyLog = createKeyLog()
  keyLog.add(Buffer.from(options.keyLog ?? ''))
  const played: Omit<Played, 'transport'> = { dns: [], flows: [], tls: [], http: [], fragments: 0, sets: [] }
  const transport = createTransport(
    {
      dnsMessage(batch, out, row) {
        played.dns.push({
          frame: batch.frameNumber[row]!,
          id: out.dnsId[row]!,
          src: addressText(out.addresses, row << 3),
          dst: addressText(out.addresses, (row << 3) + 4),
          srcPort: out.srcPort[row]!,
          dstPort: out.dstPort[row]!,
          protocol: out.ipProtocol[row]!,
          layer: out.layer[row]!,
          flags: out.flags[row]!,
          flowId: transport.flowId,
        })
      },
      fragment() {
        played.fragments++
      },
      fragmentSet: (fact) => void played.sets.push(fact),
      flow: (fact) => void played.flows.push(flowCopy(fact)),
      tls: (fact) => void played.tls.push(fact),
      http: (fact) => void played.http.push({ ...fact }),
    },
    {
      maxFlows: options.maxFlows ?? 1024,
      ...(options.keyLog === undefined ? {} : { keyLog, crypto: platformCrypto }),
    },
  )
  const out = createDecodedBatch(1)
  for (const [index, packet] of packets.entries()) {
    const batch = batchOf([{ linkType: RAW, frameNumber: index + 1, timeMicros: index * 1000, ...packet }])
    decodeBatch(batch, out)
    transport.packet(batch, out, 0)
    transport.tick(batch.timeMicros[0]!)
    batch.bytes.fill(0xa5)
  }
  if (options.end !== false) transport.end()
  return { ...played, transport }
}

export interface Segment {
  from?: 'client' | 'server'
  seq: number
  ack?: number
  flags?: number
  data?: Bytes | string
  options?: readonly number[]
  window?: number
  /** Bytes of the data that were captured. */
  kept?: number
  timeMicros?: number
  clientPort?: number
  serverPort?: number
  interfaceId?: number
}

/** A TCP segment between 192.0.2.1:40000 and 198.51.100.2:53. */
export function segment(s: Segment): BatchPacket {
  const client = (s.from ?? 'client') === 'client'
  const clientPort = s.clientPort ?? 40_000
  const serverPort = s.serverPort ?? 53
  const data = typeof s.data === 'string' ? ascii(s.data) : (s.data ?? new Uint8Array(0))
  const header = tcp(client ? clientPort : serverPort, client ? serverPort : clientPort, data, {
    seq: s.seq >>> 0,
    ack: (s.ack ?? 0) >>> 0,
    flags: s.flags ?? ACK,
    window: s.window ?? 65_535,
    options: s.options ?? [],
  })
  const bytes = ipv4(6, header, client ? {} : { src: '198.51.100.2', dst: '192.0.2.1' })
  const cutLen = s.kept === undefined ? 0 : data.length - s.kept
  return {
    bytes: bytes.subarray(0, bytes.length - cutLen),
    wireLen: bytes.length,
    ...(s.timeMicros === undefined ? {} : { timeMicros: s.timeMicros }),
    ...(s.interfaceId === undefined ? {} : { interfaceId: s.interfaceId }),
  }
}

/** SYN, SYN-ACK, ACK with these initial sequence numbers. */
export function handshake(
  clientSeq: number,
  serverSeq: number,
  ports: Pick<Segment, 'clientPort' | 'serverPort'> = {},
): BatchPacket[] {
  const answer = { seq: serverSeq, ack: clientSeq + 1, flags: SYN | ACK, options: [2, 4, 5, 0x50] }
  return [
    segment({ ...ports, seq: clientSeq, flags: SYN, options: [2, 4, 5, 0xb4] }),
    segment({ ...ports, ...answer, from: 'server' }),
    segment({ ...ports, seq: clientSeq + 1, ack: serverSeq + 1 }),
  ]
}

/** Bytes of data in each segment of a conversation. */
export const SEGMENT_LEN = 1400

/** A connection to port 443 from its SYN to its FINs on which these bytes are said, one turn after the other. */
export function conversation(turns: readonly { fromClient: boolean; bytes: Uint8Array }[]): BatchPacket[] {
  const ports = { clientPort: 50_000, serverPort: 443 }
  const packets = handshake(999, 4999, ports)
  const next = { client: 1000, server: 5000 }
  for (const { fromClient, bytes } of turns) {
    const [from, to] = fromClient ? (['client', 'server'] as const) : (['server', 'client'] as const)
    for (let at = 0; at < bytes.length; at += SEGMENT_LEN) {
      const data = Uint8Array.from(bytes.subarray(at, at + SEGMENT_LEN))
      packets.push(segment({ ...ports, from, seq: next[from], ack: next[to], data }))
      next[from] += data.length
    }
  }
  packets.push(segment({ ...ports, seq: next.client, ack: next.server, flags: ACK | FIN }))
  packets.push(segment({ ...ports, from: 'server', seq: next.server, ack: next.client + 1, flags: ACK | FIN }))
  return packets
}

/** A DNS message with its two-byte length. */
export function framed(message: Bytes): Bytes {
  return concat([message.length >> 8, message.length & 0xff], message)
}

/** What the fact says now: the object itself is used again for the next flow. */
function flowCopy(fact: FlowFact): FlowFact {
  const getters = Object.entries(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(fact)))
  return Object.fromEntries(
    getters.flatMap(([name, { get }]) => (get === undefined || name === 'slot' ? [] : [[name, get.call(fact)]])),
  ) as unknown as FlowFact
}
