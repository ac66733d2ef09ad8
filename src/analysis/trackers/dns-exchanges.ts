// HOT PATH. Questions and their answers, matched as RFC 5452 9.1 asks: 5-tuple, id, name and type. An exchange is held
// in a record until it is decided (answered, or given up) and its network context is known, then told once, in order.
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
  ANSWERS_AT,
  BITS_AT,
  CLIENT_AT,
  createExchangeRecords,
  DIRECTION_SHIFT,
  EXCHANGE_ANSWERED,
  EXCHANGE_CONTRADICTED,
  EXCHANGE_FRAGMENTED,
  EXCHANGE_OVER_TCP,
  EXCHANGE_PENDING,
  EXCHANGE_SENT,
  EXCHANGE_SHIFT,
  EXCHANGE_SHOUTED,
  EXCHANGE_STRAYED,
  EXCHANGE_TIMED_OUT,
  EXCHANGE_UNDECIDED,
  EXCHANGE_WORDS,
  type ExchangeRecords,
  exchangeState,
  INTERFACE_AT,
  IP_ID_AT,
  IP_VERSION_SHIFT,
  interfaceIdOf,
  LAYER_SHIFT,
  NAME_ID_AT,
  NEXT_AT,
  type OtherAnswerRecord,
  PORTS_AT,
  QUERY_AT_F64,
  QUERY_FRAME_AT,
  QUESTION_AT,
  queryMicrosOf,
  RESPONSE_AT_F64,
  RESPONSE_FRAME_AT,
  rcodeOf,
  SERVER_AT,
  setExchangeState,
  setRcode,
} from './exchange-record.ts'
import type { NameTable } from './names.ts'

export interface DnsExchangeTracker {
  /** A DNS message of either kind. */
  message(batch: PacketBatch, out: DecodedBatch, row: number): void
  /** Packet time: exchanges whose deadline has passed are decided; decided ones before `contextMicros` are told. */
  settle(nowMicros: number, contextMicros: number): void
  /** Tells all that is left. */
  end(nowMicros: number): void
  readonly records: ExchangeRecords
  /** Of an exchange with EXCHANGE_CONTRADICTED or EXCHANGE_STRAYED. */
  otherAnswer(slot: number): OtherAnswerRecord | undefined
  /** Held exchanges from the oldest on; valid during the call. For the cold path. */
  eachHeld(visit: (slot: number) => void): void
  /** The slot after `slot` in order of the questions, or −1: for looking ahead while an exchange is told. */
  after(slot: number): number
  /** A question on that interface was answered with an address of the internet. */
  hasResolvedPublic(interfaceId: number): boolean
  /** Exchanges told before their context was known because the table was full. */
  readonly forced: number
  /** Answers to questions that were not seen. */
  readonly unmatchedResponses: number
  /** Copies of a question, seen twice on one interface (rules.md X12). */
  readonly duplicates: number
}

/** `tell(slot)` is called once for every exchange, in order of the questions. */
export function createDnsExchangeTracker(
  names: NameTable,
  addresses: AddressTable,
  tell: (slot: number) => void,
  answerTable: AnswerTable = createAnswerTable(addresses),
): DnsExchangeTracker {
  let capacity = FIRST_HELD
  let { words, times } = createExchangeRecords(capacity)
  /** The number of the newest exchange of a hash. Exchanges are numbered as they come, and go in that order. */
  let buckets = new Int32Array(capacity * 2)
  const others = new Map<number, OtherAnswerRecord>()
  /** By interface. */
  const hasResolvedPublic: (true | undefined)[] = []
  /** The oldest one's number; it wraps (32 bits, signed). 0 stands in buckets that were never used. */
  let first = 1
  let count = 0
  /** Of the held ones, how many from the first on are decided already. */
  let decided = 0

  function slotOf(number: number): number {
    return number & (capacity - 1)
  }

  /** Chains lead from newer to older ones, whose end may be gone. */
  function isHeld(number: number): boolean {
    return (number - first) >>> 0 < count
  }

  /** `ports` and `dnsId` as they stand in the record. */
  function bucketOf(client: number, server: number, ports: number, dnsId: number, nameId: number): number {
    let hash = Math.imul(client ^ (dnsId << 16) ^ (ports >>> 16), 0x9e3779b1)
    hash = Math.imul((hash >>> 15) ^ hash ^ server, 0x85ebca77) ^ Math.imul(nameId, 0xc2b2ae3d)
    return (hash ^ (hash >>> 13)) & (buckets.length - 1)
  }

  function bucketOfSlot(slot: number): number {
    const base = slot << EXCHANGE_SHIFT
    return bucketOf(
      words[base + CLIENT_AT]!,
      words[base + SERVER_AT]!,
      words[base + PORTS_AT]! | 0,
      words[base + QUESTION_AT]! & 0xffff,
      words[base + NAME_ID_AT]!,
    )
  }

  function drop(): void {
    const slot = slotOf(first)
    tell(slot)
    if (others.size > 0) others.delete(slot)
    first = (first + 1) | 0
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
    const slot = slotOf(first)
    if (exchangeState(words, slot) === EXCHANGE_PENDING) setExchangeState(words, slot, EXCHANGE_UNDECIDED)
    drop()
  }

  /** COLD PATH: once for every doubling. */
  function grow(): void {
    const wider = createExchangeRecords(capacity * 2)
    const mask = capacity * 2 - 1
    const moved = new Map<number, OtherAnswerRecord>()
    for (let index = 0; index < count; index++) {
      const number = first + index
      const from = slotOf(number) << EXCHANGE_SHIFT
      wider.words.set(words.subarray(from, from + EXCHANGE_WORDS), (number & mask) << EXCHANGE_SHIFT)
      const other = others.get(slotOf(number))
      if (other !== undefined) moved.set(number & mask, other)
    }
    others.clear()
    for (const [slot, other] of moved) others.set(slot, other)
    words = wider.words
    times = wider.times
    tracker.records = wider
    capacity *= 2
    buckets = new Int32Array(capacity * 2)
    for (let index = 0; index < count; index++) chain((first + index) | 0)
  }

  /** Puts the exchange before the others of its hash. */
  function chain(number: number): void {
    const slot = slotOf(number)
    const bucket = bucketOfSlot(slot)
    words[(slot << EXCHANGE_SHIFT) + NEXT_AT] = buckets[bucket]!
    buckets[bucket] = number
  }

  /**
   * The slot of the newest exchange of that key in `state`, or −1; the messages of one are no farther apart than the
   * timeout. `ports` and `question` as they stand in the record, signed; `interfaceId` < 0: on whatever interface.
   */
  function find(
    batch: PacketBatch,
    row: number,
    client: number,
    server: number,
    ports: number,
    question: number,
    nameId: number,
    interfaceId: number,
    state: number,
  ): number {
    let number = buckets[bucketOf(client, server, ports, question & 0xffff, nameId)]!
    while (isHeld(number)) {
      const slot = slotOf(number)
      const base = slot << EXCHANGE_SHIFT
      if (
        words[base + NAME_ID_AT] === nameId &&
        words[base + CLIENT_AT] === client &&
        words[base + SERVER_AT] === server &&
        (words[base + PORTS_AT]! | 0) === ports &&
        (words[base + QUESTION_AT]! | 0) === question &&
        (interfaceId < 0 || interfaceIdOf(words, slot) === interfaceId)
      ) {
        if (batch.timeMicros[row]! - queryMicrosOf(times, slot) >= DNS_TIMEOUT_MICROS) return -1
        if (exchangeState(words, slot) === state) return slot
      }
      number = words[base + NEXT_AT]! | 0
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
    const ports = (out.srcPort[row]! << 16) | out.dstPort[row]!
    const question = (out.dnsType[row]! << 16) | out.dnsId[row]!
    const again = find(batch, row, client, server, ports, question, nameId, interfaceId, EXCHANGE_PENDING)
    if (again >= 0) {
      const at = (again << EXCHANGE_SHIFT) + INTERFACE_AT
      if (isCopy(batch, out, row, again)) tracker.duplicates++
      else if ((words[at]! & 0xffff) < 65_535) words[at] = words[at]! + 1
      return
    }
    makeRoom()
    const number = (first + count) | 0
    count++
    const base = slotOf(number) << EXCHANGE_SHIFT
    const layer = out.layer[row]!
    const sent = batch.direction[row] === DIRECTION_OUT || (out.flags[row]! & ROW_SENT) !== 0
    const shouted = isGroup(out, row)
    words[base + NAME_ID_AT] = nameId
    words[base + CLIENT_AT] = client
    words[base + SERVER_AT] = server
    times[(base >> 1) + QUERY_AT_F64] = batch.timeMicros[row]!
    times[(base >> 1) + RESPONSE_AT_F64] = -1
    words[base + QUERY_FRAME_AT] = batch.frameNumber[row]!
    words[base + RESPONSE_FRAME_AT] = 0
    words[base + ANSWERS_AT] = NO_ANSWERS
    words[base + IP_ID_AT] = out.ipId[row]!
    words[base + PORTS_AT] = ports
    words[base + QUESTION_AT] = question
    words[base + INTERFACE_AT] = (interfaceId << 16) | 1
    words[base + BITS_AT] =
      (layer === LAYER_DNS || !shouted ? EXCHANGE_PENDING : EXCHANGE_UNDECIDED) |
      (out.ipProtocol[row] === IPPROTO_TCP ? EXCHANGE_OVER_TCP : 0) |
      ((out.flags[row]! & ROW_REASSEMBLED) !== 0 ? EXCHANGE_FRAGMENTED : 0) |
      (sent ? EXCHANGE_SENT : 0) |
      (shouted ? EXCHANGE_SHOUTED : 0) |
      (layer << LAYER_SHIFT) |
      (out.ipVersion[row]! << IP_VERSION_SHIFT) |
      (batch.direction[row]! << DIRECTION_SHIFT)
    chain(number)
  }

  /** The very packet seen a second time: same IP identification, a moment later (rules.md X12). */
  function isCopy(batch: PacketBatch, out: DecodedBatch, row: number, slot: number): boolean {
    return (
      words[(slot << EXCHANGE_SHIFT) + IP_ID_AT] === out.ipId[row] &&
      batch.timeMicros[row]! - queryMicrosOf(times, slot) < DUPLICATE_MICROS
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
    const ports = (out.dstPort[row]! << 16) | out.srcPort[row]!
    const question = (out.dnsType[row]! << 16) | out.dnsId[row]!
    const slot = find(batch, row, client, server, ports, question, nameId, interfaceId, EXCHANGE_PENDING)
    if (slot < 0) {
      const known = find(batch, row, client, server, ports, question, nameId, interfaceId, EXCHANGE_ANSWERED)
      if (known >= 0) {
        answeredAgain(batch, out, row, known, set)
        return
      }
      const elsewhere = find(batch, row, client, server, ports, question, nameId, -1, EXCHANGE_PENDING)
      if (elsewhere >= 0) other(batch, row, elsewhere, EXCHANGE_STRAYED, set, 0)
      tracker.unmatchedResponses++
      return
    }
    if (answerTable.hasPublic(set)) hasResolvedPublic[interfaceId] = true
    const base = slot << EXCHANGE_SHIFT
    const fragmented = (out.flags[row]! & ROW_REASSEMBLED) !== 0 ? EXCHANGE_FRAGMENTED : 0
    words[base + BITS_AT] = (words[base + BITS_AT]! & ~EXCHANGE_STRAYED) | fragmented
    setExchangeState(words, slot, EXCHANGE_ANSWERED)
    setRcode(words, slot, out.dnsFlags[row]! & 0x0f)
    words[base + ANSWERS_AT] = set
    times[(base >> 1) + RESPONSE_AT_F64] = batch.timeMicros[row]!
    words[base + RESPONSE_FRAME_AT] = batch.frameNumber[row]!
  }

  /** One question asked once has one answer; a question repeated may get as many. A cut answer is no other one. */
  function answeredAgain(batch: PacketBatch, out: DecodedBatch, row: number, slot: number, set: number): void {
    const base = slot << EXCHANGE_SHIFT
    const rcode = out.dnsFlags[row]! & 0x0f
    if ((words[base + INTERFACE_AT]! & 0xffff) !== 1 || (out.dnsFlags[row]! & DNS_FLAG_TC) !== 0) return
    if (words[base + ANSWERS_AT] === set && rcodeOf(words, slot) === rcode) return
    other(batch, row, slot, EXCHANGE_CONTRADICTED, set, rcode)
  }

  /** COLD PATH: an answer too many, or one that went astray. */
  function other(batch: PacketBatch, row: number, slot: number, flag: number, answers: number, rcode: number): void {
    const at = (slot << EXCHANGE_SHIFT) + BITS_AT
    words[at] = words[at]! | flag
    others.set(slot, { answers, rcode, interfaceId: batch.interfaceId[row]!, frame: batch.frameNumber[row]! })
  }

  const tracker: Writable<DnsExchangeTracker> = {
    records: { words, times },
    hasResolvedPublic: (interfaceId) => hasResolvedPublic[interfaceId] === true,
    otherAnswer: (slot) => others.get(slot),
    forced: 0,
    unmatchedResponses: 0,
    duplicates: 0,
    message(batch, out, row) {
      if ((out.dnsFlags[row]! & DNS_FLAG_QR) === 0) question(batch, out, row)
      else answer(batch, out, row)
    },
    settle(nowMicros, contextMicros) {
      while (decided < count) {
        const slot = slotOf(first + decided)
        if (exchangeState(words, slot) === EXCHANGE_PENDING) {
          if (nowMicros - queryMicrosOf(times, slot) < DNS_TIMEOUT_MICROS) break
          setExchangeState(words, slot, EXCHANGE_TIMED_OUT)
        }
        decided++
      }
      while (decided > 0 && queryMicrosOf(times, slotOf(first)) < contextMicros) drop()
    },
    end(nowMicros) {
      while (count > 0) {
        const slot = slotOf(first)
        if (exchangeState(words, slot) === EXCHANGE_PENDING) {
          const waited = nowMicros - queryMicrosOf(times, slot)
          setExchangeState(words, slot, waited >= DNS_TIMEOUT_MICROS ? EXCHANGE_TIMED_OUT : EXCHANGE_UNDECIDED)
        }
        drop()
      }
    },
    eachHeld(visit) {
      for (let index = 0; index < count; index++) visit(slotOf(first + index))
    },
    after(slot) {
      const position = slotOf(slot - first)
      return position + 1 < count ? slotOf(slot + 1) : -1
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
