// HOT PATH. Questions and their answers, matched as RFC 5452 9.1 asks: 5-tuple, id, name and type. An exchange is held
// in columns until it is decided (answered, or given up) and its network context is known, then told once, in order.
import { DNS_TIMEOUT_MICROS, MAX_HELD_EXCHANGES } from '../../constants/limits.ts'
import { DNS_FLAG_QR, DNS_HEADER_LEN, IPPROTO_TCP } from '../../constants/wire.ts'
import { type DecodedBatch, ROW_REASSEMBLED } from '../../model/decoded-batch.ts'
import type { PacketBatch } from '../../model/packet-batch.ts'
import { type AddressTable, OTHER_ADDRESS } from './addresses.ts'
import type { NameTable } from './names.ts'

/** How an exchange ended. */
export const EXCHANGE_PENDING = 0
export const EXCHANGE_ANSWERED = 1
/** No answer within the timeout. */
export const EXCHANGE_TIMED_OUT = 2
/** The capture ended, or the table was full, before it was decided. */
export const EXCHANGE_UNDECIDED = 3

/** Bits of `flags`. */
export const EXCHANGE_OVER_TCP = 1
export const EXCHANGE_FRAGMENTED = 2

/** The held exchanges as columns; `slot` runs from 0 to capacity − 1. Valid while the exchange is held. */
export interface ExchangeColumns {
  readonly nameId: Uint32Array
  readonly type: Uint16Array
  readonly dnsId: Uint16Array
  readonly client: Uint32Array
  readonly server: Uint32Array
  readonly clientPort: Uint16Array
  readonly serverPort: Uint16Array
  readonly interfaceId: Uint16Array
  readonly flags: Uint8Array
  readonly ipVersion: Uint8Array
  readonly direction: Uint8Array
  readonly state: Uint8Array
  readonly rcode: Uint8Array
  /** Question messages of this exchange: 1 + repetitions with the same id and port. */
  readonly questions: Uint16Array
  readonly queryMicros: Float64Array
  /** −1 until answered. */
  readonly responseMicros: Float64Array
  readonly queryFrame: Uint32Array
  readonly responseFrame: Uint32Array
  readonly next: Int32Array
}

export interface DnsExchangeTracker {
  /** A DNS message of either kind. */
  message(batch: PacketBatch, out: DecodedBatch, row: number): void
  /** Packet time: exchanges whose deadline has passed are decided; decided ones before `contextMicros` are told. */
  settle(nowMicros: number, contextMicros: number): void
  /** Tells all that is left. */
  end(nowMicros: number): void
  readonly columns: ExchangeColumns
  /** Exchanges told before their context was known because the table was full. */
  readonly forced: number
  /** Answers to questions that were not seen. */
  readonly unmatchedResponses: number
}

/** `tell(slot)` is called once for every exchange, in order of the questions. */
export function createDnsExchangeTracker(
  names: NameTable,
  addresses: AddressTable,
  tell: (slot: number) => void,
): DnsExchangeTracker {
  let capacity = 1 << 10
  let columns = createColumns(capacity)
  let buckets = new Int32Array(capacity * 2).fill(-1)
  let head = 0
  let count = 0
  /** Of the held ones, how many from the head on are decided already. */
  let decided = 0
  let forced = 0
  let unmatchedResponses = 0

  function bucketOf(client: number, server: number, clientPort: number, dnsId: number, nameId: number): number {
    let hash = Math.imul(client ^ (dnsId << 16) ^ clientPort, 0x9e3779b1)
    hash = Math.imul((hash >>> 15) ^ hash ^ server, 0x85ebca77) ^ Math.imul(nameId, 0xc2b2ae3d)
    return (hash ^ (hash >>> 13)) & (buckets.length - 1)
  }

  function bucketOfSlot(slot: number): number {
    return bucketOf(
      columns.client[slot]!,
      columns.server[slot]!,
      columns.clientPort[slot]!,
      columns.dnsId[slot]!,
      columns.nameId[slot]!,
    )
  }

  function drop(): void {
    const slot = head
    tell(slot)
    const bucket = bucketOfSlot(slot)
    if (buckets[bucket] === slot) {
      buckets[bucket] = columns.next[slot]!
    } else {
      let before = buckets[bucket]!
      while (columns.next[before] !== slot) before = columns.next[before]!
      columns.next[before] = columns.next[slot]!
    }
    head = head + 1 === capacity ? 0 : head + 1
    count--
    if (decided > 0) decided--
  }

  function makeRoom(): void {
    if (count < capacity) return
    if (capacity < MAX_HELD_EXCHANGES) {
      grow()
      return
    }
    forced++
    if (columns.state[head] === EXCHANGE_PENDING) columns.state[head] = EXCHANGE_UNDECIDED
    drop()
  }

  /** COLD PATH: once for every doubling. */
  function grow(): void {
    const wider = createColumns(capacity * 2)
    for (const name of Object.keys(wider) as (keyof ExchangeColumns)[]) {
      const from = columns[name]
      const to = wider[name]
      to.set(from.subarray(head))
      to.set(from.subarray(0, head), capacity - head)
    }
    columns = wider
    capacity *= 2
    head = 0
    buckets = new Int32Array(capacity * 2).fill(-1)
    for (let slot = 0; slot < count; slot++) {
      const bucket = bucketOfSlot(slot)
      columns.next[slot] = buckets[bucket]!
      buckets[bucket] = slot
    }
  }

  /** The newest held exchange of that key that is still waiting, or −1. */
  function find(
    client: number,
    server: number,
    clientPort: number,
    serverPort: number,
    dnsId: number,
    nameId: number,
    type: number,
    interfaceId: number,
  ): number {
    let slot = buckets[bucketOf(client, server, clientPort, dnsId, nameId)]!
    while (slot >= 0) {
      if (
        columns.dnsId[slot] === dnsId &&
        columns.nameId[slot] === nameId &&
        columns.client[slot] === client &&
        columns.server[slot] === server &&
        columns.clientPort[slot] === clientPort &&
        columns.serverPort[slot] === serverPort &&
        columns.type[slot] === type &&
        columns.interfaceId[slot] === interfaceId &&
        columns.state[slot] === EXCHANGE_PENDING
      ) {
        return slot
      }
      slot = columns.next[slot]!
    }
    return -1
  }

  function question(batch: PacketBatch, out: DecodedBatch, row: number): void {
    const client = addresses.intern(out.addresses, row << 3)
    const server = addresses.intern(out.addresses, (row << 3) + 4)
    const nameId = names.intern(
      batch.bytes,
      out.dnsAt[row]! + DNS_HEADER_LEN,
      out.dnsEndAt[row]!,
      out.dnsNameHash[row]!,
    )
    const interfaceId = batch.interfaceId[row]!
    const clientPort = out.srcPort[row]!
    const serverPort = out.dstPort[row]!
    const dnsId = out.dnsId[row]!
    const type = out.dnsType[row]!
    const again = find(client, server, clientPort, serverPort, dnsId, nameId, type, interfaceId)
    if (again >= 0 && batch.timeMicros[row]! - columns.queryMicros[again]! < DNS_TIMEOUT_MICROS) {
      if (columns.questions[again]! < 65_535) columns.questions[again] = columns.questions[again]! + 1
      return
    }
    makeRoom()
    let slot = head + count
    if (slot >= capacity) slot -= capacity
    count++
    columns.nameId[slot] = nameId
    columns.type[slot] = type
    columns.dnsId[slot] = dnsId
    columns.client[slot] = client
    columns.server[slot] = server
    columns.clientPort[slot] = clientPort
    columns.serverPort[slot] = serverPort
    columns.interfaceId[slot] = interfaceId
    columns.ipVersion[slot] = out.ipVersion[row]!
    columns.direction[slot] = batch.direction[row]!
    columns.flags[slot] =
      (out.ipProtocol[row] === IPPROTO_TCP ? EXCHANGE_OVER_TCP : 0) |
      ((out.flags[row]! & ROW_REASSEMBLED) !== 0 ? EXCHANGE_FRAGMENTED : 0)
    columns.state[slot] = EXCHANGE_PENDING
    columns.rcode[slot] = 0
    columns.questions[slot] = 1
    columns.queryMicros[slot] = batch.timeMicros[row]!
    columns.responseMicros[slot] = -1
    columns.queryFrame[slot] = batch.frameNumber[row]!
    columns.responseFrame[slot] = 0
    const bucket = bucketOf(client, server, clientPort, dnsId, nameId)
    columns.next[slot] = buckets[bucket]!
    buckets[bucket] = slot
  }

  function answer(batch: PacketBatch, out: DecodedBatch, row: number): void {
    const client = addresses.idOf(out.addresses, (row << 3) + 4)
    const server = addresses.idOf(out.addresses, row << 3)
    if (client <= OTHER_ADDRESS || server <= OTHER_ADDRESS) {
      unmatchedResponses++
      return
    }
    const nameId = names.intern(
      batch.bytes,
      out.dnsAt[row]! + DNS_HEADER_LEN,
      out.dnsEndAt[row]!,
      out.dnsNameHash[row]!,
    )
    const slot = find(
      client,
      server,
      out.dstPort[row]!,
      out.srcPort[row]!,
      out.dnsId[row]!,
      nameId,
      out.dnsType[row]!,
      batch.interfaceId[row]!,
    )
    if (slot < 0) {
      unmatchedResponses++
      return
    }
    columns.state[slot] = EXCHANGE_ANSWERED
    columns.rcode[slot] = out.dnsFlags[row]! & 0x0f
    columns.responseMicros[slot] = batch.timeMicros[row]!
    columns.responseFrame[slot] = batch.frameNumber[row]!
    if ((out.flags[row]! & ROW_REASSEMBLED) !== 0) columns.flags[slot] = columns.flags[slot]! | EXCHANGE_FRAGMENTED
  }

  return {
    message(batch, out, row) {
      if ((out.dnsFlags[row]! & DNS_FLAG_QR) === 0) question(batch, out, row)
      else answer(batch, out, row)
    },
    settle(nowMicros, contextMicros) {
      while (decided < count) {
        let slot = head + decided
        if (slot >= capacity) slot -= capacity
        if (columns.state[slot] === EXCHANGE_PENDING) {
          if (nowMicros - columns.queryMicros[slot]! < DNS_TIMEOUT_MICROS) break
          columns.state[slot] = EXCHANGE_TIMED_OUT
        }
        decided++
      }
      while (decided > 0 && columns.queryMicros[head]! < contextMicros) drop()
    },
    end(nowMicros) {
      while (count > 0) {
        if (columns.state[head] === EXCHANGE_PENDING) {
          const waited = nowMicros - columns.queryMicros[head]!
          columns.state[head] = waited >= DNS_TIMEOUT_MICROS ? EXCHANGE_TIMED_OUT : EXCHANGE_UNDECIDED
        }
        drop()
      }
    },
    get columns() {
      return columns
    },
    get forced() {
      return forced
    },
    get unmatchedResponses() {
      return unmatchedResponses
    },
  }
}

function createColumns(capacity: number): ExchangeColumns {
  return {
    nameId: new Uint32Array(capacity),
    type: new Uint16Array(capacity),
    dnsId: new Uint16Array(capacity),
    client: new Uint32Array(capacity),
    server: new Uint32Array(capacity),
    clientPort: new Uint16Array(capacity),
    serverPort: new Uint16Array(capacity),
    interfaceId: new Uint16Array(capacity),
    flags: new Uint8Array(capacity),
    ipVersion: new Uint8Array(capacity),
    direction: new Uint8Array(capacity),
    state: new Uint8Array(capacity),
    rcode: new Uint8Array(capacity),
    questions: new Uint16Array(capacity),
    queryMicros: new Float64Array(capacity),
    responseMicros: new Float64Array(capacity),
    queryFrame: new Uint32Array(capacity),
    responseFrame: new Uint32Array(capacity),
    next: new Int32Array(capacity),
  }
}
