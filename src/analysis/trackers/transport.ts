// HOT PATH. Where packets become facts: fragments, flows, streams and messages meet here, in this order for each row.
import { IPPROTO_IPCOMP } from '../../constants/wire.ts'
import { isIcmpv4Error } from '../../decoders/icmpv4.ts'
import { isIcmpv6Error } from '../../decoders/icmpv6.ts'
import { type DecodedBatch, ROW_FRAGMENT } from '../../model/decoded-batch.ts'
import type { FactHandlers } from '../../model/facts.ts'
import { LAYER_DNS, LAYER_ICMPV4, LAYER_ICMPV6, LAYER_NBNS, LAYER_QUIC, LAYER_TCP } from '../../model/layer.ts'
import type { PacketBatch } from '../../model/packet-batch.ts'
import type { Ciphers } from '../ciphers.ts'
import type { KeyLog } from '../key-log.ts'
import type { Writable } from '../writable.ts'
import { createCompressedPayloads, type Inflate } from './compressed-payloads.ts'
import { createDeliveryTracker } from './delivery.ts'
import { FlowView } from './flow-fact.ts'
import { FLOW_ID_AT, FLOW_SHIFT, FLOW_STREAM_OPEN, FLOW_STREAM_OVER, STATE_AT } from './flow-record.ts'
import { createFlowTable, type FlowTable } from './flows.ts'
import { createFragmentTracker } from './fragments.ts'
import type { PathTable } from './path-table.ts'
import { createQuicTracker } from './quic-handshakes.ts'
import { createStreamReaders } from './stream-readers.ts'
import { createStreamTracker } from './streams.ts'
import type { Hasher } from './tls-fingerprints.ts'
import { createTooBigTracker } from './too-big.ts'

/** What the length fields of IP can say. */
const MAX_DATAGRAM_LEN = 65_535

/** Turns decoded rows into facts about fragments, ICMP errors, DNS messages, TLS, HTTP and flows. */
export interface Transport {
  /** Call once for each row of a batch, in order. Facts that the row completes are told before it returns. */
  packet(batch: PacketBatch, out: DecodedBatch, row: number): void
  /** Packet time has reached `timeMicros`: flows and fragments that waited too long are given up. */
  tick(timeMicros: number): void
  /** All input has been read: tells every flow that is left. */
  end(): void
  /** While a fact is told: the flow of the packet that completed it, as in ConnectionFact; 0 when it has none. */
  readonly flowId: number
  readonly flows: FlowTable
}

export interface TransportOptions {
  /** For JA3 and JA4; without it there are no fingerprints. */
  hasher?: Hasher
  /** For QUIC's Initial packets; without it QUIC stays closed, and TLS too. */
  crypto?: Ciphers
  /** Secrets of TLS connections; without them TLS stays closed. */
  keyLog?: KeyLog
  /** For IPComp; without it compressed packets stay closed. */
  inflate?: Inflate
  maxFlows?: number
  /** Where figures about sizes are kept; without it segments are not followed. */
  paths?: PathTable
}

/** Streams are read only when somebody listens to what they carry. */
export function createTransport(handlers: FactHandlers, options: TransportOptions = {}): Transport {
  const flows = createFlowTable({ ...(options.maxFlows === undefined ? {} : { maxFlows: options.maxFlows }), ended })
  const { hasher, keyLog, crypto: ciphers } = options
  const readers = createStreamReaders(handlers, flows, {
    ...(hasher === undefined ? {} : { hasher }),
    ...(keyLog === undefined ? {} : { keyLog }),
    ...(ciphers === undefined ? {} : { ciphers }),
  })
  const streams = createStreamTracker(flows, readers.open)
  const fragments = createFragmentTracker({
    completed: (batch, out) => datagram(batch, out, 0),
    fragmentSet: handlers.fragmentSet,
  })
  const compressed =
    options.inflate === undefined
      ? undefined
      : createCompressedPayloads(options.inflate, MAX_DATAGRAM_LEN, (batch, out) => datagram(batch, out, 0))
  const quic =
    options.crypto === undefined || handlers.quic === undefined
      ? undefined
      : createQuicTracker(flows, options.crypto, handlers.quic, options.hasher)
  const delivery =
    options.paths === undefined ? undefined : createDeliveryTracker(flows, options.paths, handlers, options.maxFlows)
  const tooBig = options.paths === undefined ? undefined : createTooBigTracker(flows, options.paths, handlers)
  const readsStreams = handlers.dnsMessage !== undefined || handlers.tls !== undefined || handlers.http !== undefined
  const view = new FlowView(flows)

  function ended(slot: number): void {
    const { words } = flows
    const base = slot << FLOW_SHIFT
    transport.flowId = words[base + FLOW_ID_AT]!
    if ((words[base + STATE_AT]! & FLOW_STREAM_OPEN) !== 0) {
      readers.ending(slot)
      streams.ended(slot)
    }
    quic?.ended(slot)
    delivery?.ended(slot)
    if (handlers.flow === undefined) return
    view.moveTo(slot)
    handlers.flow(view)
  }

  /** A whole IP packet, as captured or put together. */
  function datagram(batch: PacketBatch, out: DecodedBatch, row: number): void {
    if ((out.flags[row]! & ROW_FRAGMENT) !== 0) {
      transport.flowId = 0
      if (handlers.fragment !== undefined) handlers.fragment(batch, out, row)
      fragments.fragment(batch, out, row)
      return
    }
    if (out.ipProtocol[row] === IPPROTO_IPCOMP && compressed !== undefined && compressed.unpack(batch, out, row)) return
    const slot = flows.lookup(batch, out, row)
    const layer = out.layer[row]!
    transport.flowId = 0
    if (slot >= 0) {
      const { words } = flows
      const base = slot << FLOW_SHIFT
      transport.flowId = words[base + FLOW_ID_AT]!
      if (layer === LAYER_TCP && readsStreams && (words[base + STATE_AT]! & FLOW_STREAM_OVER) === 0) {
        readers.segment(batch, out, row)
        streams.segment(slot, batch, out, row)
      }
      if (layer === LAYER_TCP && delivery !== undefined) delivery.segment(slot, flows.fromClient, batch, out, row)
      if (tooBig?.isWatching === true) tooBig.packet(slot, flows.fromClient, batch, out, row)
      if (layer === LAYER_QUIC && quic !== undefined) quic.datagram(slot, batch, out, row)
      flows.record(slot, batch, out, row)
    }
    if (layer >= LAYER_DNS && layer <= LAYER_NBNS) {
      if (handlers.dnsMessage !== undefined) handlers.dnsMessage(batch, out, row)
    } else if (isIcmpError(out, row)) {
      tooBig?.message(batch, out, row)
      if (handlers.icmpError !== undefined) handlers.icmpError(batch, out, row)
    }
  }

  const transport: Writable<Transport> = {
    flowId: 0,
    flows,
    packet: datagram,
    tick(timeMicros) {
      delivery?.tick(timeMicros)
      flows.tick(timeMicros)
      fragments.tick(timeMicros)
    },
    end() {
      fragments.end()
      flows.end()
    },
  }
  return transport
}

/** An error of which at least the ICMP header is there. */
function isIcmpError(out: DecodedBatch, row: number): boolean {
  const layer = out.layer[row]!
  if (out.payloadAt[row] === 0 || (layer !== LAYER_ICMPV4 && layer !== LAYER_ICMPV6)) return false
  const type = out.icmpType[row]!
  return layer === LAYER_ICMPV4 ? isIcmpv4Error(type) : isIcmpv6Error(type)
}
