// HOT PATH. TCP connections as they are opened. Each is held in columns until its network context is known, then told
// once, in order; and how many of them are explained by a DNS answer that was seen (rules.md 6).
import { MAX_HELD_CONNECTIONS } from '../../constants/limits.ts'
import { IPPROTO_TCP, PORT_DNS, PORT_DNS_OVER_TLS, TCP_ACK, TCP_SYN } from '../../constants/wire.ts'
import { type DecodedBatch, ROW_INNER } from '../../model/decoded-batch.ts'
import type { PacketBatch } from '../../model/packet-batch.ts'
import { isLoopbackAddress, isMulticastAddress, isPrivateAddress } from '../address-classes.ts'
import type { AddressTable } from './addresses.ts'
import type { AnswerTable } from './dns-answers.ts'

/** The held connections as columns; `slot` runs from 0 to capacity − 1. */
export interface ConnectionColumns {
  readonly timeMicros: Float64Array
  readonly frame: Uint32Array
  readonly interfaceId: Uint16Array
  readonly client: Uint32Array
  readonly server: Uint32Array
  readonly clientPort: Uint16Array
  readonly serverPort: Uint16Array
  readonly ipVersion: Uint8Array
}

export interface ConnectionTracker {
  packet(batch: PacketBatch, out: DecodedBatch, row: number): void
  /** Tells what was opened before `contextMicros`. */
  settle(contextMicros: number): void
  /** Tells all that is left. */
  end(): void
  readonly columns: ConnectionColumns
  /** Held connections from the oldest on. For the cold path. */
  eachHeld(visit: (slot: number) => void): void
  /** TCP connections to public addresses. */
  readonly connections: number
  /** Those whose server address stood in a DNS answer seen before. */
  readonly explained: number
}

/** `tell(slot)` is called once for every opened connection, in order. */
export function createConnectionTracker(
  addresses: AddressTable,
  answers: AnswerTable,
  tell: (slot: number) => void,
): ConnectionTracker {
  const columns: ConnectionColumns = {
    timeMicros: new Float64Array(MAX_HELD_CONNECTIONS),
    frame: new Uint32Array(MAX_HELD_CONNECTIONS),
    interfaceId: new Uint16Array(MAX_HELD_CONNECTIONS),
    client: new Uint32Array(MAX_HELD_CONNECTIONS),
    server: new Uint32Array(MAX_HELD_CONNECTIONS),
    clientPort: new Uint16Array(MAX_HELD_CONNECTIONS),
    serverPort: new Uint16Array(MAX_HELD_CONNECTIONS),
    ipVersion: new Uint8Array(MAX_HELD_CONNECTIONS),
  }
  let head = 0
  let count = 0
  let connections = 0
  let explained = 0
  let lastSeq = -1
  let lastPort = -1

  function drop(): void {
    tell(head)
    head = (head + 1) & (MAX_HELD_CONNECTIONS - 1)
    count--
  }

  return {
    packet(batch, out, row) {
      if (out.ipProtocol[row] !== IPPROTO_TCP || (out.tcpFlags[row]! & (TCP_SYN | TCP_ACK)) !== TCP_SYN) return
      const port = out.dstPort[row]!
      // A SYN that is sent again opens no second connection.
      if (out.tcpSeq[row] === lastSeq && out.srcPort[row] === lastPort) return
      lastSeq = out.tcpSeq[row]!
      lastPort = out.srcPort[row]!
      const word = (row << 3) + 4
      const server = addresses.intern(out.addresses, word)
      if ((out.flags[row]! & ROW_INNER) === 0) {
        if (count === MAX_HELD_CONNECTIONS) drop()
        const slot = (head + count) & (MAX_HELD_CONNECTIONS - 1)
        count++
        columns.timeMicros[slot] = batch.timeMicros[row]!
        columns.frame[slot] = batch.frameNumber[row]!
        columns.interfaceId[slot] = batch.interfaceId[row]!
        columns.client[slot] = addresses.intern(out.addresses, row << 3)
        columns.server[slot] = server
        columns.clientPort[slot] = out.srcPort[row]!
        columns.serverPort[slot] = port
        columns.ipVersion[slot] = out.ipVersion[row]!
      }
      // Resolvers are configured, not looked up.
      if (port === PORT_DNS || port === PORT_DNS_OVER_TLS) return
      const w0 = out.addresses[word]!
      const w1 = out.addresses[word + 1]!
      const w2 = out.addresses[word + 2]!
      const w3 = out.addresses[word + 3]!
      if (isPrivateAddress(w0, w1, w2, w3) || isLoopbackAddress(w0, w1, w2, w3) || isMulticastAddress(w0, w1, w2, w3))
        return
      connections++
      if (answers.isAnswered(server)) explained++
    },
    settle(contextMicros) {
      while (count > 0 && columns.timeMicros[head]! < contextMicros) drop()
    },
    end() {
      while (count > 0) drop()
    },
    eachHeld(visit) {
      for (let i = 0; i < count; i++) visit((head + i) & (MAX_HELD_CONNECTIONS - 1))
    },
    columns,
    get connections() {
      return connections
    },
    get explained() {
      return explained
    },
  }
}
