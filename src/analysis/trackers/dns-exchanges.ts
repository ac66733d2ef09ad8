// HOT PATH. Questions and their answers, matched as RFC 5452 9.1 asks: 5-tuple, id, name and type. An exchange is held
// in columns until it is decided (answered, or given up) and its network context is known, then told once, in order.
// Questions shouted to the LAN (mDNS, LLMNR, NBNS) are held beside them; theirs are not matched with answers.
import { DNS_TIMEOUT_MICROS, DUPLICATE_MICROS, FIRST_HELD, MAX_HELD_EXCHANGES } from '../../constants/limits.ts'
import { DNS_FLAG_QR, DNS_FLAG_TC, DNS_HEADER_LEN, IPPROTO_TCP } from '../../constants/wire.ts'
import { type DecodedBatch, ROW_GROUP_ADDRESSED, ROW_REASSEMBLED, ROW_SENT } from '../../model/decoded-batch.ts'
import { LAYER_DNS } from '../../model/layer.ts'
import { DIRECTION_OUT, type PacketBatch } from '../../model/packet-batch.ts'
import { isMulticastAddress } from '../address-classes.ts'
import type { Writable } from '../writable.ts'
import { type AddressTable, OTHER_ADDRESS } from './addresses.ts'
import { type AnswerTable, createAnswerTable, NO_ANSWERS } from './dns-answers.ts'
import {
  createExchangeColumns,
  EXCHANGE_ANSWERED,
  EXCHANGE_CONTRADICTED,
  EXCHANGE_FRAGMENTED,
  EXCHANGE_OVER_TCP,
  EXCHANGE_PENDING,
  EXCHANGE_SENT,
  EXCHANGE_SHOUTED,
  EXCHANGE_STRAYED,
  EXCHANGE_TIMED_OUT,
  EXCHANGE_UNDECIDED,
  type ExchangeColumns,
} from './exchange-columns.ts'
import type { NameTable } from './names.ts'

export interface DnsExchangeTracker {
  /** A DNS message of either kind. */
  message(batch: PacketBatch, out: DecodedBatch, row: number): void
  /** Packet time: exchanges whose deadline has passed are decided; decided ones before `contextMicros` are told. */
  settle(nowMicros: number, contextMicros: number): void
  /** Tells all that is left. */
  end(nowMicros: number): void
  readonly columns: ExchangeColumns
  /** Held exchanges from the oldest on; valid during the call. For the cold path. */
  eachHeld(visit: (slot: number) => void): void
  /** The slot after `slot` in order of the questions, or −1: for looking ahead while an exchange is told. */
  after(slot: number): number
  /** Exchanges told before their context was known because the table was full. */
  readonly forced: number
  /** Answers to questions that were not seen. */
  readonly unmatchedResponses: number
  /** Copies of a question, seen twice on one interface (rules.md X12). */
  readonly duplicates: number
}

/**
 * `tell(slot)` is called once for every exchange, in order of the questions. `isContinuation`: an interface goes on as
 * another one, in the next file of a ring.
 */
export function createDnsExchangeTracker(
  names: NameTable,
  addresses: AddressTable,
  tell: (slot: number) => void,
  answerTable: AnswerTable = createAnswerTable(addresses),
  isContinuation: (before: number, after: number) => boolean = () => false,
): DnsExchangeTracker {
  let capacity = FIRST_HELD
  let columns = createExchangeColumns(capacity)
  let buckets = new Int32Array(capacity * 2).fill(-1)
  let head = 0
  let count = 0
  /** Of the held ones, how many from the head on are decided already. */
  let decided = 0

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
    tracker.forced++
    if (columns.state[head] === EXCHANGE_PENDING) columns.state[head] = EXCHANGE_UNDECIDED
    drop()
  }

  /** COLD PATH: once for every doubling. */
  function grow(): void {
    const wider = createExchangeColumns(capacity * 2)
    for (const name of Object.keys(wider) as (keyof ExchangeColumns)[]) {
      const from = columns[name]
      const to = wider[name]
      to.set(from.subarray(head))
      to.set(from.subarray(0, head), capacity - head)
    }
    columns = wider
    tracker.columns = wider
    capacity *= 2
    head = 0
    buckets = new Int32Array(capacity * 2).fill(-1)
    for (let slot = 0; slot < count; slot++) {
      const bucket = bucketOfSlot(slot)
      columns.next[slot] = buckets[bucket]!
      buckets[bucket] = slot
    }
  }

  /** The newest held exchange of that key in `state`, or −1. `interfaceId` < 0: on whatever interface. */
  function find(
    client: number,
    server: number,
    clientPort: number,
    serverPort: number,
    dnsId: number,
    nameId: number,
    type: number,
    interfaceId: number,
    state: number,
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
        (interfaceId < 0 || columns.interfaceId[slot] === interfaceId) &&
        columns.state[slot] === state
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
    const isPlain = out.layer[row] === LAYER_DNS
    const again = find(client, server, clientPort, serverPort, dnsId, nameId, type, interfaceId, EXCHANGE_PENDING)
    if (again >= 0 && batch.timeMicros[row]! - columns.queryMicros[again]! < DNS_TIMEOUT_MICROS) {
      if (isCopy(batch, out, row, again)) tracker.duplicates++
      else if (columns.questions[again]! < 65_535) columns.questions[again] = columns.questions[again]! + 1
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
    const sent = batch.direction[row] === DIRECTION_OUT || (out.flags[row]! & ROW_SENT) !== 0
    const shouted = isGroup(out, row)
    columns.flags[slot] =
      (out.ipProtocol[row] === IPPROTO_TCP ? EXCHANGE_OVER_TCP : 0) |
      ((out.flags[row]! & ROW_REASSEMBLED) !== 0 ? EXCHANGE_FRAGMENTED : 0) |
      (sent ? EXCHANGE_SENT : 0) |
      (shouted ? EXCHANGE_SHOUTED : 0)
    columns.layer[slot] = out.layer[row]!
    columns.ipId[slot] = out.ipId[row]!
    columns.answers[slot] = NO_ANSWERS
    columns.otherAnswers[slot] = NO_ANSWERS
    columns.otherRcode[slot] = 0
    columns.otherInterfaceId[slot] = 0
    columns.otherFrame[slot] = 0
    columns.state[slot] = isPlain || !shouted ? EXCHANGE_PENDING : EXCHANGE_UNDECIDED
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

  /** The very packet seen a second time: same IP identification, a moment later (rules.md X12). */
  function isCopy(batch: PacketBatch, out: DecodedBatch, row: number, slot: number): boolean {
    return (
      columns.ipId[slot] === out.ipId[row] && batch.timeMicros[row]! - columns.queryMicros[slot]! < DUPLICATE_MICROS
    )
  }

  function answer(batch: PacketBatch, out: DecodedBatch, row: number): void {
    const set = answerTable.read(batch, out, row)
    const client = addresses.idOf(out.addresses, (row << 3) + 4)
    const server = addresses.idOf(out.addresses, row << 3)
    if (client <= OTHER_ADDRESS || server <= OTHER_ADDRESS) {
      tracker.unmatchedResponses++
      return
    }
    const nameId = names.intern(
      batch.bytes,
      out.dnsAt[row]! + DNS_HEADER_LEN,
      out.dnsEndAt[row]!,
      out.dnsNameHash[row]!,
    )
    const interfaceId = batch.interfaceId[row]!
    const clientPort = out.dstPort[row]!
    const serverPort = out.srcPort[row]!
    const dnsId = out.dnsId[row]!
    const type = out.dnsType[row]!
    let slot = find(client, server, clientPort, serverPort, dnsId, nameId, type, interfaceId, EXCHANGE_PENDING)
    let frameNumber = batch.frameNumber[row]!
    if (slot < 0) {
      const known = find(client, server, clientPort, serverPort, dnsId, nameId, type, interfaceId, EXCHANGE_ANSWERED)
      if (known >= 0) {
        answeredAgain(batch, out, row, known, set)
        return
      }
      const elsewhere = find(client, server, clientPort, serverPort, dnsId, nameId, type, -1, EXCHANGE_PENDING)
      if (elsewhere < 0 || !isContinuation(columns.interfaceId[elsewhere]!, interfaceId)) {
        if (elsewhere >= 0) strayed(batch, row, elsewhere, set)
        tracker.unmatchedResponses++
        return
      }
      slot = elsewhere
      // Evidence is looked for in the file of the question.
      frameNumber = columns.queryFrame[slot]!
    }
    columns.state[slot] = EXCHANGE_ANSWERED
    columns.rcode[slot] = out.dnsFlags[row]! & 0x0f
    columns.answers[slot] = set
    columns.responseMicros[slot] = batch.timeMicros[row]!
    columns.responseFrame[slot] = frameNumber
    columns.flags[slot] = columns.flags[slot]! & ~EXCHANGE_STRAYED
    if ((out.flags[row]! & ROW_REASSEMBLED) !== 0) columns.flags[slot] = columns.flags[slot]! | EXCHANGE_FRAGMENTED
  }

  /** One question asked once has one answer; a question repeated may get as many. A cut answer is no other one. */
  function answeredAgain(batch: PacketBatch, out: DecodedBatch, row: number, slot: number, set: number): void {
    const rcode = out.dnsFlags[row]! & 0x0f
    if (columns.questions[slot] !== 1 || (out.dnsFlags[row]! & DNS_FLAG_TC) !== 0) return
    if (columns.answers[slot] === set && columns.rcode[slot] === rcode) return
    columns.flags[slot] = columns.flags[slot]! | EXCHANGE_CONTRADICTED
    columns.otherAnswers[slot] = set
    columns.otherRcode[slot] = rcode
    columns.otherFrame[slot] = batch.frameNumber[row]!
  }

  function strayed(batch: PacketBatch, row: number, slot: number, set: number): void {
    columns.flags[slot] = columns.flags[slot]! | EXCHANGE_STRAYED
    columns.otherAnswers[slot] = set
    columns.otherInterfaceId[slot] = batch.interfaceId[row]!
    columns.otherFrame[slot] = batch.frameNumber[row]!
  }

  const tracker: Writable<DnsExchangeTracker> = {
    columns,
    forced: 0,
    unmatchedResponses: 0,
    duplicates: 0,
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
    eachHeld(visit) {
      for (let i = 0; i < count; i++) visit(head + i < capacity ? head + i : head + i - capacity)
    },
    after(slot) {
      const position = slot >= head ? slot - head : slot - head + capacity
      if (position + 1 >= count) return -1
      return slot + 1 === capacity ? 0 : slot + 1
    },
  }
  return tracker
}

/** Multicast, or broadcast by the link layer: a subnet's own broadcast address cannot be told from the address alone. */
function isGroup(out: DecodedBatch, row: number): boolean {
  if ((out.flags[row]! & ROW_GROUP_ADDRESSED) !== 0) return true
  const at = (row << 3) + 4
  const { addresses } = out
  return isMulticastAddress(addresses[at]!, addresses[at + 1]!, addresses[at + 2]!, addresses[at + 3]!)
}
