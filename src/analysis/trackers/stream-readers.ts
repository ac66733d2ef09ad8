// Who reads which content of a TCP connection, and DNS messages from streams as rows of their own.
import { decodeDns } from '../../decoders/dns.ts'
import { latin1 } from '../../decoders/latin1.ts'
import { clearDecodedBatch, type DecodedBatch, ROW_INNER } from '../../model/decoded-batch.ts'
import type { FactHandlers } from '../../model/facts.ts'
import { LAYER_DNS } from '../../model/layer.ts'
import { DIRECTION_IN, DIRECTION_OUT, type PacketBatch } from '../../model/packet-batch.ts'
import type { TlsFact } from '../../model/protocol-facts.ts'
import type { Ciphers } from '../ciphers.ts'
import type { KeyLog } from '../key-log.ts'
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
import { type OpenTls, TlsHandshakes } from './tls-handshakes.ts'
import { TlsInside } from './tls-inside.ts'
import type { TlsKeyring } from './tls-inside-direction.ts'

export interface StreamReaders {
  readonly open: OpenConsumer
  /** The segment in `row` is read next: messages that it completes are told with its time, frame and interface. */
  segment(batch: PacketBatch, out: DecodedBatch, row: number): void
  /** The flow in `slot` ends: messages told from now on are its last ones, with its last packet's time and frame. */
  ending(slot: number): void
}

/** TLS within TLS that is opened: HTTPS through an HTTPS proxy is two. */
const MAX_TLS_DEPTH = 3

export interface StreamReaderOptions {
  /** For JA3 and JA4; without it there are no fingerprints. */
  hasher?: Hasher
  /** Both, or TLS stays closed. */
  keyLog?: KeyLog
  ciphers?: Ciphers
}

export function createStreamReaders(
  handlers: FactHandlers,
  flows: FlowTable,
  { hasher, keyLog, ciphers }: StreamReaderOptions,
): StreamReaders {
  const keyring: TlsKeyring | undefined =
    keyLog === undefined || ciphers === undefined ? undefined : { keyLog, ciphers, heldLen: 0 }
  const message = createScratchRow()
  const last = createScratchRow()
  let batch = last.batch
  let out = last.out
  let row = 0
  let rowFromClient = true

  function tellTls(fact: TlsFact): void {
    handlers.tls?.(fact)
  }

  function tellDns(fromClient: boolean, bytes: Uint8Array, at: number, endAt: number): boolean {
    if (!readDns(fromClient, bytes, at, endAt)) return false
    handlers.dnsMessage?.(message.batch, message.out, 0)
    return true
  }

  function tellDnsInside(fromClient: boolean, bytes: Uint8Array, at: number, endAt: number): boolean {
    if (!readDns(fromClient, bytes, at, endAt)) return false
    handlers.dnsInsideTls?.(message.batch, message.out, 0)
    return true
  }

  /** The message as a row with the 5-tuple as it was sent, which is not always that of the segment that freed it. */
  function readDns(fromClient: boolean, bytes: Uint8Array, at: number, endAt: number): boolean {
    fillScratchRow(message, batch, out, row, bytes, at, endAt, endAt - at)
    const made = message.out
    made.srcPort[0] = out.srcPort[row]!
    made.dstPort[0] = out.dstPort[row]!
    if (fromClient !== rowFromClient) turn(message.batch, made)
    made.payloadAt[0] = at
    made.payloadLen[0] = endAt - at
    made.payloadWireLen[0] = endAt - at
    decodeDns(message.cursor, made, 0, LAYER_DNS)
    return made.layer[0] === LAYER_DNS
  }

  /** `depth`: in so many layers of TLS. */
  function opener(depth: number): OpenConsumer {
    const openTls = keyring !== undefined && depth < MAX_TLS_DEPTH ? tlsOpener(keyring, opener(depth + 1)) : undefined
    return (kind, whole) => {
      if (kind === 'other') return handlers.tls === undefined && handlers.http === undefined ? undefined : new Prelude()
      if (kind === 'tls') {
        const isWanted = handlers.tls !== undefined || openTls !== undefined
        return isWanted ? new TlsHandshakes(tellTls, hasher, openTls) : undefined
      }
      if (kind === 'dns') {
        const listener = depth > 0 ? handlers.dnsInsideTls : handlers.dnsMessage
        return listener === undefined ? undefined : new DnsOverTcp(depth > 0 ? tellDnsInside : tellDns, whole)
      }
      if (kind === 'h2c') return new Http2Exchanges(handlers, depth > 0)
      // Also where nobody listens to HTTP: TLS or DNS may follow a CONNECT.
      return new HttpExchanges(handlers)
    }
  }

  function tlsOpener(keyring: TlsKeyring, openContent: OpenConsumer): OpenTls {
    return (clientRandom, hello, swapped) => {
      const secrets = keyring.keyLog.secretsOf(latin1(clientRandom, 0, clientRandom.length))
      if (secrets === undefined) return undefined
      return new TlsInside(keyring, secrets, clientRandom, hello, swapped, tellTls, openContent)
    }
  }

  return {
    open: opener(0),
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
