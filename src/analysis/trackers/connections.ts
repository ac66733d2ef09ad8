// HOT PATH. TCP connections as they are opened. Each is held in columns until it is answered or given up and its network
// context is known, then told once, in order; and how many of them are explained by a DNS answer seen (rules.md 6).
import { CONNECT_TIMEOUT_MICROS, FIRST_HELD, MAX_HELD_CONNECTIONS } from '../../constants/limits.ts'
import { IPPROTO_TCP, PORT_DNS, PORT_DNS_OVER_TLS, TCP_ACK, TCP_RST, TCP_SYN } from '../../constants/wire.ts'
import { type DecodedBatch, ROW_INNER } from '../../model/decoded-batch.ts'
import type { PacketBatch } from '../../model/packet-batch.ts'
import { isPublicAddress } from '../address-classes.ts'
import type { Writable } from '../writable.ts'
import type { AddressTable } from './addresses.ts'
import type { AnswerTable } from './dns-answers.ts'

export const CONNECTION_PENDING = 0
export const CONNECTION_ANSWERED = 1
export const CONNECTION_REFUSED = 2

/** The held connections as columns; `slot` runs from 0 to capacity − 1. Others when the table has grown. */
export interface ConnectionColumns {
  readonly timeMicros: Float64Array
  readonly frame: Uint32Array
  readonly interfaceId: Uint16Array
  readonly client: Uint32Array
  readonly server: Uint32Array
  readonly clientPort: Uint16Array
  readonly serverPort: Uint16Array
  readonly seq: Uint32Array
  readonly ipVersion: Uint8Array
  /** CONNECTION_*. */
  readonly state: Uint8Array
  /** −1 while not known, and when the SYN was repeated. */
  readonly handshakeMicros: Int32Array
  readonly next: Int32Array
}

export interface ConnectionTracker {
  packet(batch: PacketBatch, out: DecodedBatch, row: number): void
  /** Tells what was opened before `contextMicros` and is decided by `nowMicros`. */
  settle(nowMicros: number, contextMicros: number): void
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

/** `tell(slot)` is called once for every connection, in order of their SYNs. */
export function createConnectionTracker(
  addresses: AddressTable,
  answers: AnswerTable,
  tell: (slot: number) => void,
): ConnectionTracker {
  let capacity = FIRST_HELD
  let columns = createColumns(capacity)
  /** Slot + 1 of the newest connection of a hash. */
  let buckets = new Int32Array(capacity * 2)
  let head = 0
  let count = 0

  function bucketOf(interfaceId: number, clientPort: number, serverPort: number, seq: number): number {
    const hash = Math.imul(seq ^ (clientPort << 16) ^ serverPort ^ (interfaceId << 8), 0x9e3779b1)
    return (hash ^ (hash >>> 15)) & (buckets.length - 1)
  }

  function bucketOfSlot(slot: number): number {
    return bucketOf(
      columns.interfaceId[slot]!,
      columns.clientPort[slot]!,
      columns.serverPort[slot]!,
      columns.seq[slot]!,
    )
  }

  function drop(): void {
    const slot = head
    tell(slot)
    const bucket = bucketOfSlot(slot)
    if (buckets[bucket] === slot + 1) buckets[bucket] = columns.next[slot]!
    else {
      let before = buckets[bucket]! - 1
      while (columns.next[before] !== slot + 1) before = columns.next[before]! - 1
      columns.next[before] = columns.next[slot]!
    }
    head = (head + 1) & (capacity - 1)
    count--
  }

  /** COLD PATH: once for every doubling. The oldest comes to lie in slot 0. */
  function grow(): void {
    const wider = createColumns(capacity * 2)
    for (const name of Object.keys(wider) as (keyof ConnectionColumns)[]) {
      wider[name].set(columns[name].subarray(head))
      wider[name].set(columns[name].subarray(0, head), capacity - head)
    }
    columns = wider
    tracker.columns = wider
    capacity *= 2
    head = 0
    buckets = new Int32Array(capacity * 2)
    for (let slot = 0; slot < count; slot++) {
      const bucket = bucketOfSlot(slot)
      columns.next[slot] = buckets[bucket]!
      buckets[bucket] = slot + 1
    }
  }

  /** The held connection of that SYN, or −1. */
  function find(interfaceId: number, clientPort: number, serverPort: number, seq: number, server: number): number {
    let slot = buckets[bucketOf(interfaceId, clientPort, serverPort, seq)]! - 1
    while (slot >= 0) {
      if (
        columns.seq[slot] === seq &&
        columns.clientPort[slot] === clientPort &&
        columns.serverPort[slot] === serverPort &&
        columns.server[slot] === server &&
        columns.interfaceId[slot] === interfaceId
      ) {
        return slot
      }
      slot = columns.next[slot]! - 1
    }
    return -1
  }

  function opening(batch: PacketBatch, out: DecodedBatch, row: number): void {
    const word = (row << 3) + 4
    const server = addresses.intern(out.addresses, word)
    const interfaceId = batch.interfaceId[row]!
    const clientPort = out.srcPort[row]!
    const serverPort = out.dstPort[row]!
    const seq = out.tcpSeq[row]!
    const again = find(interfaceId, clientPort, serverPort, seq, server)
    if (again >= 0) {
      // A SYN that is sent again opens no second connection, and its answer tells no round trip (RFC 6298 3).
      if (columns.state[again] === CONNECTION_PENDING) columns.handshakeMicros[again] = -2
      return
    }
    if (count === MAX_HELD_CONNECTIONS) drop()
    else if (count === capacity) grow()
    const slot = (head + count) & (capacity - 1)
    count++
    columns.timeMicros[slot] = batch.timeMicros[row]!
    columns.frame[slot] = batch.frameNumber[row]!
    columns.interfaceId[slot] = interfaceId
    columns.client[slot] = addresses.intern(out.addresses, row << 3)
    columns.server[slot] = server
    columns.clientPort[slot] = clientPort
    columns.serverPort[slot] = serverPort
    columns.seq[slot] = seq
    columns.ipVersion[slot] = out.ipVersion[row]!
    columns.state[slot] = CONNECTION_PENDING
    columns.handshakeMicros[slot] = -1
    const bucket = bucketOf(interfaceId, clientPort, serverPort, seq)
    columns.next[slot] = buckets[bucket]!
    buckets[bucket] = slot + 1
    // Resolvers are configured, not looked up.
    if (serverPort === PORT_DNS || serverPort === PORT_DNS_OVER_TLS) return
    const { addresses: words } = out
    if (!isPublicAddress(words[word]!, words[word + 1]!, words[word + 2]!, words[word + 3]!)) return
    tracker.connections++
    if (answers.isAnswered(server)) tracker.explained++
  }

  function answering(batch: PacketBatch, out: DecodedBatch, row: number, state: number): void {
    const server = addresses.idOf(out.addresses, row << 3)
    if (server <= 0) return
    const seq = (out.tcpAck[row]! - 1) >>> 0
    const slot = find(batch.interfaceId[row]!, out.dstPort[row]!, out.srcPort[row]!, seq, server)
    if (slot < 0 || columns.state[slot] !== CONNECTION_PENDING) return
    columns.state[slot] = state
    const taken = batch.timeMicros[row]! - columns.timeMicros[slot]!
    columns.handshakeMicros[slot] = columns.handshakeMicros[slot] === -2 || taken > 0x3fff_ffff ? -1 : taken
  }

  const tracker: Writable<ConnectionTracker> = {
    columns,
    connections: 0,
    explained: 0,
    packet(batch, out, row) {
      if (out.ipProtocol[row] !== IPPROTO_TCP || (out.flags[row]! & ROW_INNER) !== 0) return
      const flags = out.tcpFlags[row]!
      if ((flags & (TCP_SYN | TCP_RST)) === 0) return
      if ((flags & (TCP_SYN | TCP_ACK)) === TCP_SYN) opening(batch, out, row)
      else if ((flags & TCP_ACK) !== 0 && count > 0) {
        answering(batch, out, row, (flags & TCP_RST) !== 0 ? CONNECTION_REFUSED : CONNECTION_ANSWERED)
      }
    },
    settle(nowMicros, contextMicros) {
      while (count > 0 && columns.timeMicros[head]! < contextMicros) {
        const waited = nowMicros - columns.timeMicros[head]!
        if (columns.state[head] === CONNECTION_PENDING && waited < CONNECT_TIMEOUT_MICROS) return
        drop()
      }
    },
    end() {
      while (count > 0) drop()
    },
    eachHeld(visit) {
      for (let i = 0; i < count; i++) visit((head + i) & (capacity - 1))
    },
  }
  return tracker
}

function createColumns(capacity: number): ConnectionColumns {
  return {
    timeMicros: new Float64Array(capacity),
    frame: new Uint32Array(capacity),
    interfaceId: new Uint16Array(capacity),
    client: new Uint32Array(capacity),
    server: new Uint32Array(capacity),
    clientPort: new Uint16Array(capacity),
    serverPort: new Uint16Array(capacity),
    seq: new Uint32Array(capacity),
    ipVersion: new Uint8Array(capacity),
    state: new Uint8Array(capacity),
    handshakeMicros: new Int32Array(capacity),
    next: new Int32Array(capacity),
  }
}
