// Who reads which content of a TCP connection, and DNS messages from streams as rows of their own.
import { decodeDns } from '../../decoders/dns.ts'
import { clearDecodedBatch, type DecodedBatch, ROW_INNER } from '../../model/decoded-batch.ts'
import type { FactHandlers, TlsFact } from '../../model/facts.ts'
import { LAYER_DNS } from '../../model/layer.ts'
import { DIRECTION_IN, DIRECTION_OUT, type PacketBatch } from '../../model/packet-batch.ts'
import { DnsOverTcp } from './dns-over-tcp.ts'
import { clientAddressAt, connectionOf, serverAddressAt } from './flow-fact.ts'
import { FLOW_SHIFT, KIND_AT, KIND_INNER } from './flow-record.ts'
import type { FlowTable } from './flows.ts'
import { HttpExchanges } from './http-exchanges.ts'
import { Http2Exchanges } from './http2-exchanges.ts'
import { Prelude } from './prelude.ts'
import { createScratchRow, fillScratchRow, type ScratchRow } from './scratch-row.ts'
import type { OpenConsumer } from './stream-content.ts'
import type { Hasher } from './tls-fingerprints.ts'
import { TlsHandshakes } from './tls-handshakes.ts'

export interface StreamReaders {
  readonly open: OpenConsumer
  /** The segment in `row` is read next: messages that it completes are told with its time, frame and interface. */
  segment(batch: PacketBatch, out: DecodedBatch, row: number): void
  /** The flow in `slot` ends: messages told from now on are its last ones, with its last packet's time and frame. */
  ending(slot: number): void
}

export function createStreamReaders(handlers: FactHandlers, flows: FlowTable, hasher?: Hasher): StreamReaders {
  const message = createScratchRow()
  const last = createScratchRow()
  let batch = last.batch
  let out = last.out
  let row = 0
  let rowFromClient = true

  function tellTls(fact: TlsFact): void {
    handlers.tls?.(fact)
  }

  /** The message as a row with the 5-tuple as it was sent, which is not always that of the segment that freed it. */
  function tellDns(fromClient: boolean, bytes: Uint8Array, at: number, endAt: number): boolean {
    fillScratchRow(message, batch, out, row, bytes, at, endAt, endAt - at)
    const made = message.out
    made.srcPort[0] = out.srcPort[row]!
    made.dstPort[0] = out.dstPort[row]!
    if (fromClient !== rowFromClient) turn(message.batch, made)
    made.payloadAt[0] = at
    made.payloadLen[0] = endAt - at
    made.payloadWireLen[0] = endAt - at
    decodeDns(message.cursor, made, 0, LAYER_DNS)
    if (made.layer[0] !== LAYER_DNS) return false
    handlers.dnsMessage?.(message.batch, made, 0)
    return true
  }

  return {
    open(kind, whole) {
      if (kind === 'other') return handlers.tls === undefined && handlers.http === undefined ? undefined : new Prelude()
      if (kind === 'tls') return handlers.tls === undefined ? undefined : new TlsHandshakes(tellTls, hasher)
      if (kind === 'dns') return handlers.dnsMessage === undefined ? undefined : new DnsOverTcp(tellDns, whole)
      if (kind === 'h2c') return new Http2Exchanges(handlers)
      // Also where nobody listens to HTTP: TLS or DNS may follow a CONNECT.
      return new HttpExchanges(handlers)
    },
    segment(nextBatch, nextOut, nextRow) {
      batch = nextBatch
      out = nextOut
      row = nextRow
      rowFromClient = flows.fromClient
    },
    ending(slot) {
      fillFromFlow(last, flows, slot)
      batch = last.batch
      out = last.out
      row = 0
      rowFromClient = true
    },
  }
}

/** A row as if the client had sent the flow's last packet. */
function fillFromFlow(scratch: ScratchRow, flows: FlowTable, slot: number): void {
  const { batch, out } = scratch
  const { words } = flows
  const base = slot << FLOW_SHIFT
  const connection = connectionOf(flows, slot)
  clearDecodedBatch(out, 1)
  batch.timeMicros[0] = connection.timeMicros
  batch.frameNumber[0] = connection.frameNumber
  batch.interfaceId[0] = connection.interfaceId
  for (let word = 0; word < 4; word++) {
    out.addresses[word] = words[base + clientAddressAt(words, base) + word]!
    out.addresses[word + 4] = words[base + serverAddressAt(words, base) + word]!
  }
  out.srcPort[0] = connection.clientPort
  out.dstPort[0] = connection.serverPort
  out.ipVersion[0] = connection.ipVersion
  out.ipProtocol[0] = words[base + KIND_AT]! & 0xff
  out.flags[0] = (words[base + KIND_AT]! & KIND_INNER) !== 0 ? ROW_INNER : 0
}

/** Exchanges sender and receiver of row 0. */
function turn(batch: PacketBatch, out: DecodedBatch): void {
  const { addresses } = out
  for (let word = 0; word < 4; word++) {
    const source = addresses[word]!
    addresses[word] = addresses[word + 4]!
    addresses[word + 4] = source
  }
  const srcPort = out.srcPort[0]!
  out.srcPort[0] = out.dstPort[0]!
  out.dstPort[0] = srcPort
  const direction = batch.direction[0]
  if (direction === DIRECTION_IN) batch.direction[0] = DIRECTION_OUT
  else if (direction === DIRECTION_OUT) batch.direction[0] = DIRECTION_IN
}
