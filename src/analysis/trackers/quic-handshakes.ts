// What QUIC connections show of themselves: the client's Initial packets are opened, their CRYPTO frames put in order,
// and the ClientHello inside is read (RFC 9000 12.4, 17.2; RFC 9001 4). Also retries and version negotiations.

import { u32 } from '../../decoders/cursor.ts'
import {
  createQuicHeader,
  QUIC_HANDSHAKE,
  QUIC_INITIAL,
  QUIC_NEGOTIATION,
  QUIC_OTHER,
  QUIC_RETRY,
  QUIC_VERSION_NEGOTIATION,
  quicLikeness,
  readQuicHeader,
  varint,
  varintLen,
} from '../../decoders/quic.ts'
import { createTlsHello, readClientHello, TLS_CLIENT_HELLO, TLS_HANDSHAKE_HEADER_LEN } from '../../decoders/tls.ts'
import { type DecodedBatch, ROW_CUT } from '../../model/decoded-batch.ts'
import type { PacketBatch } from '../../model/packet-batch.ts'
import type { QuicFact } from '../../model/protocol-facts.ts'
import type { Ciphers } from '../ciphers.ts'
import { CryptoStream } from './crypto-stream.ts'
import { connectionOf } from './flow-fact.ts'
import type { FlowTable } from './flows.ts'
import { clientInitialKeys, type InitialKeys, openInitial, protectedAs } from './quic-keys.ts'
import { connectionOf as seenFrom } from './stream-consumer.ts'
import { type Hasher, helloVersion, ja4 } from './tls-fingerprints.ts'

/** Flows whose handshake is being read; a browser has a few hundred. */
const MAX_CONNECTIONS = 4096
/** Packets of one flow that may be tried in vain: those of a server, and of attempts that somebody garbled. */
const MAX_FAILURES = 24
/** Coalesced packets of one datagram (RFC 9000 12.2); four kinds exist. */
const MAX_COALESCED = 8
/** Frames of one packet; a hostile one holds a thousand pings. */
const MAX_FRAMES = 2048
const MAX_VERSIONS = 32

const FRAME_PADDING = 0
const FRAME_PING = 1
const FRAME_ACK = 2
const FRAME_ACK_ECN = 3
const FRAME_CRYPTO = 6
/** The number that Google's own versions give it. */
const FRAME_CRYPTO_T05X = 8

/** One ClientHello being collected; a flow may have several, one after the other. */
interface Connection {
  keys: InitialKeys | undefined
  version: number
  crypto: CryptoStream
  failures: number
  /** Of the last destination id whose keys did not fit, its hash. */
  keylessId: number
  /** The ClientHello was told. */
  told: boolean
  retryTold: boolean
  negotiationTold: boolean
}

export interface QuicTracker {
  /** Takes a datagram of LAYER_QUIC, which flows.lookup() has just put into `slot`. */
  datagram(slot: number, batch: PacketBatch, out: DecodedBatch, row: number): void
  /** The flow in `slot` ended. */
  ended(slot: number): void
  count(): number
}

/** Without a hasher there are no fingerprints. */
export function createQuicTracker(
  flows: FlowTable,
  crypto: Ciphers,
  tell: (fact: QuicFact) => void,
  hasher?: Hasher,
): QuicTracker {
  const connections = new Map<number, Connection>()
  const header = createQuicHeader()

  function connectionIn(slot: number): Connection {
    let connection = connections.get(slot)
    if (connection === undefined) {
      if (connections.size === MAX_CONNECTIONS) {
        for (const oldest of connections.keys()) {
          connections.delete(oldest)
          break
        }
      }
      connection = {
        keys: undefined,
        version: 0,
        crypto: new CryptoStream(),
        failures: 0,
        keylessId: 0,
        told: false,
        retryTold: false,
        negotiationTold: false,
      }
      connections.set(slot, connection)
    }
    return connection
  }

  /** The frame that completed the fact; whoever sent a client's Initial is the client. */
  function fact(slot: number, batch: PacketBatch, row: number, kind: QuicFact['kind'], swapped: boolean): QuicFact {
    const made = { ...seenFrom(connectionOf(flows, slot), swapped), kind, version: 0 }
    made.timeMicros = batch.timeMicros[row]!
    made.frameNumber = batch.frameNumber[row]!
    return made
  }

  /** The keys at hand, or the ones that the packet's own connection id gives: first packets and those after a Retry. */
  function open(connection: Connection, bytes: Uint8Array, at: number): Uint8Array | undefined {
    if (connection.keys !== undefined && connection.version === header.version && !connection.told) {
      const payload = openInitial(crypto, connection.keys, bytes, at, header)
      if (payload !== undefined) return payload
    }
    // Once the server has chosen an id all further Initials go to that one, which gives no keys.
    const id = hashOf(bytes, header.destinationIdAt, header.destinationIdLen)
    if (connection.keys !== undefined && id === connection.keylessId) return undefined
    for (const version of protectedAs(header.version)) {
      const keys = clientInitialKeys(crypto, version, bytes, header.destinationIdAt, header.destinationIdLen)
      const payload = openInitial(crypto, keys, bytes, at, header)
      if (payload === undefined) continue
      if (connection.told || connection.version !== header.version) connection.crypto = new CryptoStream()
      connection.keys = keys
      connection.version = header.version
      connection.told = false
      return payload
    }
    connection.keylessId = id
    return undefined
  }

  function initial(slot: number, connection: Connection, batch: PacketBatch, row: number, at: number): void {
    if (connection.failures >= MAX_FAILURES) return
    // After the hello every Initial is an acknowledgment of the same connection, unless a new id begins another one.
    const payload = open(connection, batch.bytes, at)
    if (payload === undefined) {
      connection.failures++
      return
    }
    if (readFrames(payload, connection.crypto, cryptoFrame(connection.version)))
      clientHello(slot, connection, batch, row)
  }

  function clientHello(slot: number, connection: Connection, batch: PacketBatch, row: number): void {
    const { bytes, contiguousLen } = connection.crypto
    const hello = createTlsHello(hasher !== undefined)
    connection.told = true
    if (bytes[0] !== TLS_CLIENT_HELLO) return
    if (!readClientHello(bytes, TLS_HANDSHAKE_HEADER_LEN, contiguousLen, hello)) return
    const made = fact(slot, batch, row, 'client-hello', !flows.fromClient)
    made.version = connection.version
    made.messageLen = contiguousLen
    made.tlsVersion = helloVersion(hello)
    if (hello.sni !== undefined) made.sni = hello.sni
    if (hello.alpns.length > 0) made.clientAlpns = hello.alpns
    made.echPresent = hello.echPresent
    if (hello.whole && hasher !== undefined) made.ja4 = ja4(hello, hasher, 'q')
    connection.crypto = new CryptoStream()
    tell(made)
  }

  function negotiation(slot: number, connection: Connection, batch: PacketBatch, row: number, endAt: number): void {
    if (connection.negotiationTold) return
    connection.negotiationTold = true
    const made = fact(slot, batch, row, 'version-negotiation', flows.fromClient)
    made.versions = []
    let at = header.sourceIdAt + header.sourceIdLen
    for (; at + 4 <= endAt && made.versions.length < MAX_VERSIONS; at += 4) made.versions.push(u32(batch.bytes, at))
    tell(made)
  }

  return {
    datagram(slot, batch, out, row) {
      const { bytes } = batch
      let at = out.payloadAt[row]!
      const endAt = at + out.payloadLen[row]!
      const connection = connectionIn(slot)
      const version = u32(bytes, at + 1)
      if (quicLikeness(version) === QUIC_OTHER) {
        if (connection.told) return
        connection.told = true
        const made = fact(slot, batch, row, 'client-hello', !flows.fromClient)
        made.version = version
        tell(made)
        return
      }
      for (let count = 0; count < MAX_COALESCED && readQuicHeader(bytes, at, endAt, header); count++) {
        if (header.type === QUIC_INITIAL) {
          initial(slot, connection, batch, row, at)
        } else if (header.type === QUIC_RETRY) {
          // The client begins anew with the id that the Retry gives; its hello comes again with new keys.
          if (!connection.retryTold) {
            connection.retryTold = true
            const made = fact(slot, batch, row, 'retry', flows.fromClient)
            made.version = header.version
            tell(made)
          }
        } else if (header.type === QUIC_VERSION_NEGOTIATION && header.version === QUIC_NEGOTIATION) {
          if ((out.flags[row]! & ROW_CUT) === 0) negotiation(slot, connection, batch, row, endAt)
        } else if (header.type === QUIC_HANDSHAKE && connection.told) {
          return
        }
        at = header.endAt
      }
    },
    ended(slot) {
      connections.delete(slot)
    },
    count: () => connections.size,
  }
}

function cryptoFrame(version: number): number {
  return version >>> 8 === 0x54_3035 ? FRAME_CRYPTO_T05X : FRAME_CRYPTO
}

/** Puts the CRYPTO frames of an Initial in order (RFC 9000 12.4). True when a whole message has come together by them. */
function readFrames(bytes: Uint8Array, stream: CryptoStream, cryptoType: number): boolean {
  const endAt = bytes.length
  const wasWhole = stream.hasMessage
  let at = 0
  for (let count = 0; at < endAt && count < MAX_FRAMES; count++) {
    const type = bytes[at]!
    if (type === FRAME_PADDING) {
      while (at < endAt && bytes[at] === FRAME_PADDING) at++
    } else if (type === FRAME_PING) {
      at++
    } else if (type === FRAME_ACK || type === FRAME_ACK_ECN) {
      at = afterAck(bytes, at, endAt)
      if (at < 0) break
    } else if (type === cryptoType) {
      const offsetAt = at + 1
      const lenAt = offsetAt < endAt ? offsetAt + varintLen(bytes[offsetAt]!) : endAt
      if (lenAt >= endAt) break
      const dataAt = lenAt + varintLen(bytes[lenAt]!)
      if (dataAt > endAt) break
      const dataLen = varint(bytes, lenAt)
      if (dataLen > endAt - dataAt) break
      stream.add(varint(bytes, offsetAt), bytes, dataAt, dataAt + dataLen)
      at = dataAt + dataLen
    } else {
      // CONNECTION_CLOSE, or what may not stand in an Initial (RFC 9000 17.2.2).
      break
    }
  }
  return !wasWhole && stream.hasMessage
}

/** One past the ACK frame at `at` (RFC 9000 19.3), −1 when it does not fit. */
function afterAck(bytes: Uint8Array, at: number, endAt: number): number {
  const withEcn = bytes[at] === FRAME_ACK_ECN
  let left = 4
  let rangesAt = -1
  at++
  for (let index = 0; index < left; index++) {
    if (at >= endAt) return -1
    const next = at + varintLen(bytes[at]!)
    if (next > endAt) return -1
    // Largest, delay, count of ranges, first range; then a gap and a length for each range; then three ECN counts.
    if (index === 2) {
      rangesAt = varint(bytes, at)
      if (rangesAt > endAt) return -1
      left += rangesAt * 2 + (withEcn ? 3 : 0)
    }
    at = next
  }
  return at
}

/** FNV-1a. */
function hashOf(bytes: Uint8Array, at: number, len: number): number {
  let hash = 0x811c9dc5
  for (let i = at; i < at + len; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
  return hash
}
