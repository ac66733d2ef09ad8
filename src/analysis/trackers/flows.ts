// HOT PATH. The flow table: TCP connections, UDP and ICMP echo 5-tuples per interface, in one block of memory that grows.
// Open addressing with linear probing over cells that hold a slot and eleven bits of its hash.
import {
  DATAGRAM_IDLE_MICROS,
  DNS_IDLE_MICROS,
  FIRST_FLOWS,
  FLOW_DOUBLING_LIMIT,
  FLOW_EVICTION_SAMPLE,
  FLOW_SWEEP_MICROS,
  MAX_FLOW_PROBES,
  MAX_FLOWS,
  TCP_CLOSED_MICROS,
  TCP_IDLE_MICROS,
} from '../../constants/limits.ts'
import { IPPROTO_TCP, TCP_ACK, TCP_SYN } from '../../constants/wire.ts'
import { u16 } from '../../decoders/cursor.ts'
import { type DecodedBatch, ROW_INNER } from '../../model/decoded-batch.ts'
import { LAYER_DNS, LAYER_QUIC, LAYER_TCP, LAYER_UDP } from '../../model/layer.ts'
import type { PacketBatch } from '../../model/packet-batch.ts'
import type { Writable } from '../writable.ts'
import { hashOf, hashOfRecord, isHigher, isKey } from './flow-key.ts'
import {
  addLetter,
  appendLetter,
  BYTES_AT,
  BYTES_HIGH_AT,
  FLOW_CLIENT_IS_HIGHER,
  FLOW_DNS,
  FLOW_ID_AT,
  FLOW_SEQ_KNOWN,
  FLOW_SHIFT,
  FLOW_WORDS,
  FRAME_AT,
  HIGHER_ADDRESS_AT,
  isFinished,
  isReset,
  KIND_AT,
  KIND_INNER,
  KIND_INTERFACE_SHIFT,
  LAST_AT_F64,
  LETTER_DATA,
  LETTER_FLIPPED,
  LOWER_ADDRESS_AT,
  NEXT_SEQ_AT,
  PACKETS_AT,
  PORTS_AT,
  START_AT_F64,
  STATE_AT,
} from './flow-record.ts'
import {
  ECHO_IDENTIFIER_AT,
  hasEchoHeader,
  isEcho,
  SENDER_IS_CLIENT,
  SENDER_SEEMS_SERVER,
  senderRole,
} from './flow-start.ts'
import { countTcp } from './flow-tcp.ts'

/** The lower bits of a cell hold slot + 1, the upper ones the same bits of the hash. */
const SLOT_BITS = 21
const SLOT_MASK = (1 << SLOT_BITS) - 1

export interface FlowTable {
  /** Records; the slot's first word is `slot << FLOW_SHIFT`. Another array after lookup(): the table grows. */
  readonly words: Uint32Array
  /** The same memory: `slot << (FLOW_SHIFT - 1)` is the record's first index. */
  readonly doubles: Float64Array
  /** Whether the row of the last lookup() was sent by its flow's client. */
  readonly fromClient: boolean
  /** Flows in the table. */
  readonly count: number
  /**
   * The slot of the row's flow, a new one when there is none or its time has run out; −1 when the row is neither TCP,
   * UDP nor ICMP echo. A slot is dense and stays until its flow ends; FLOW_ID_AT tells one tenant from the next.
   * Does not record the row: that is record()'s, so that others see the state before it.
   */
  lookup(batch: PacketBatch, out: DecodedBatch, row: number): number
  /**
   * The slot of a known flow, or −1: source and destination stand in eight words from `at`; `interfaceId` saw it, in
   * another packet when `isInner`. Sets `fromClient` for that source. Makes nothing and ends nothing.
   */
  peek(
    interfaceId: number,
    isInner: boolean,
    protocol: number,
    addresses: Uint32Array,
    at: number,
    srcPort: number,
    dstPort: number,
  ): number
  /** Counts the row that lookup() has just found, and notes what it says of the connection. */
  record(slot: number, batch: PacketBatch, out: DecodedBatch, row: number): void
  /** Ends the flows that have been idle for too long. Cheap when called often. */
  tick(timeMicros: number): void
  /** Ends every flow. */
  end(): void
}

export interface FlowTableOptions {
  /** A power of two, at most 2^20. */
  maxFlows?: number
  /** The flow in `slot` is over; the record is readable until the call returns. */
  ended(slot: number): void
}

export function createFlowTable(options: FlowTableOptions): FlowTable {
  const maxFlows = options.maxFlows ?? MAX_FLOWS
  const { ended } = options
  let capacity = Math.min(FIRST_FLOWS, maxFlows)
  let words = new Uint32Array(capacity * FLOW_WORDS)
  let doubles = new Float64Array(words.buffer)
  let cells = new Uint32Array(capacity * 2)
  let cellMask = cells.length - 1
  const sample = Math.min(FLOW_EVICTION_SAMPLE, maxFlows)
  /** Slots below were in use at some time. */
  let usedSlots = 0
  /** First slot + 1 of the free ones, chained through their first words. */
  let freeSlot = 0
  let evictionHand = 0
  let lastFlowId = 0
  let nextSweepMicros = -1
  /** The flow of the last row: packets come in runs. −1 when it has ended. */
  let lastSlot = -1

  function lookup(batch: PacketBatch, out: DecodedBatch, row: number): number {
    const layer = out.layer[row]!
    let srcPort: number
    let dstPort: number
    if (layer === LAYER_TCP || layer === LAYER_UDP || (layer >= LAYER_DNS && layer <= LAYER_QUIC)) {
      srcPort = out.srcPort[row]!
      dstPort = out.dstPort[row]!
    } else if (isEcho(layer, out.icmpType[row]!) && hasEchoHeader(batch, out, row)) {
      srcPort = u16(batch.bytes, out.transportAt[row]! + ECHO_IDENTIFIER_AT)
      dstPort = srcPort
    } else return -1

    const { addresses } = out
    const srcAt = row << 3
    const dstAt = srcAt + 4
    const srcIsHigher = isHigher(addresses, srcAt, dstAt, srcPort, dstPort)
    const lowerAt = srcIsHigher ? dstAt : srcAt
    const higherAt = srcIsHigher ? srcAt : dstAt
    // Signed: an unsigned number above 2^31 would be an object wherever a call is not inlined.
    const ports = srcIsHigher ? (dstPort << 16) | srcPort : (srcPort << 16) | dstPort
    const inner = (out.flags[row]! & ROW_INNER) !== 0 ? KIND_INNER : 0
    const kind = (batch.interfaceId[row]! << KIND_INTERFACE_SHIFT) | inner | out.ipProtocol[row]!
    let slot = lastSlot
    if (slot < 0 || !isKey(words, slot << FLOW_SHIFT, addresses, lowerAt, higherAt, ports, kind)) {
      const hash = hashOf(addresses, lowerAt, higherAt, ports, kind)
      slot = find(hash, addresses, lowerAt, higherAt, ports, kind)
    }
    if (slot >= 0) {
      const state = words[(slot << FLOW_SHIFT) + STATE_AT]!
      table.fromClient = srcIsHigher === ((state & FLOW_CLIENT_IS_HIGHER) !== 0)
      lastSlot = slot
      // Of most packets this much says that their flow goes on: no calls, which would make an object of the time.
      const idle = batch.timeMicros[row]! - doubles[(slot << (FLOW_SHIFT - 1)) + LAST_AT_F64]!
      const goesOn = idle <= DNS_IDLE_MICROS && (out.tcpFlags[row]! & TCP_SYN) === 0
      if (goesOn || (!isIdle(slot, batch.timeMicros[row]!) && !isNewConnection(slot, out, row))) return slot
      remove(slot)
    }
    const hash = hashOf(addresses, lowerAt, higherAt, ports, kind)
    lastSlot = insert(batch, out, row, lowerAt, higherAt, srcIsHigher, srcPort, dstPort, ports, kind, hash)
    return lastSlot
  }

  function peek(
    interfaceId: number,
    isInner: boolean,
    protocol: number,
    addresses: Uint32Array,
    at: number,
    srcPort: number,
    dstPort: number,
  ): number {
    const srcIsHigher = isHigher(addresses, at, at + 4, srcPort, dstPort)
    const lowerAt = srcIsHigher ? at + 4 : at
    const higherAt = srcIsHigher ? at : at + 4
    // Signed: an unsigned number above 2^31 would be an object wherever a call is not inlined.
    const ports = srcIsHigher ? (dstPort << 16) | srcPort : (srcPort << 16) | dstPort
    const kind = (interfaceId << KIND_INTERFACE_SHIFT) | (isInner ? KIND_INNER : 0) | protocol
    const slot = find(hashOf(addresses, lowerAt, higherAt, ports, kind), addresses, lowerAt, higherAt, ports, kind)
    if (slot >= 0) {
      const state = words[(slot << FLOW_SHIFT) + STATE_AT]!
      table.fromClient = srcIsHigher === ((state & FLOW_CLIENT_IS_HIGHER) !== 0)
    }
    return slot
  }

  /** The slot with that key, or −1. */
  function find(
    hash: number,
    addresses: Uint32Array,
    lowerAt: number,
    higherAt: number,
    ports: number,
    kind: number,
  ): number {
    let cell = hash & cellMask
    for (let probe = 0; probe < MAX_FLOW_PROBES; probe++) {
      const entry = cells[cell]!
      if (entry === 0) return -1
      if ((entry ^ hash) >>> SLOT_BITS === 0) {
        const slot = (entry & SLOT_MASK) - 1
        if (isKey(words, slot << FLOW_SHIFT, addresses, lowerAt, higherAt, ports, kind)) return slot
      }
      cell = (cell + 1) & cellMask
    }
    return -1
  }

  function insert(
    batch: PacketBatch,
    out: DecodedBatch,
    row: number,
    lowerAt: number,
    higherAt: number,
    srcIsHigher: boolean,
    srcPort: number,
    dstPort: number,
    ports: number,
    kind: number,
    hash: number,
  ): number {
    if (table.count === maxFlows) evict()
    else if (table.count === capacity) grow()
    if (table.count * 2 >= cells.length) rehash(cells.length * 2)
    let cell = hash & cellMask
    let probe = 0
    while (cells[cell] !== 0 && probe < MAX_FLOW_PROBES) {
      cell = (cell + 1) & cellMask
      probe++
    }
    if (cells[cell] !== 0) {
      // Nobody gets here by chance: the ports were chosen to collide. Their own flows make room for each other.
      remove((cells[cell]! & SLOT_MASK) - 1)
      return insert(batch, out, row, lowerAt, higherAt, srcIsHigher, srcPort, dstPort, ports, kind, hash)
    }
    let slot = usedSlots
    if (freeSlot === 0) usedSlots++
    else {
      slot = freeSlot - 1
      freeSlot = words[slot << FLOW_SHIFT]!
    }
    cells[cell] = ((hash >>> SLOT_BITS) << SLOT_BITS) | (slot + 1)
    table.count++

    const base = slot << FLOW_SHIFT
    const { addresses } = out
    for (let word = 0; word < 4; word++) {
      words[base + LOWER_ADDRESS_AT + word] = addresses[lowerAt + word]!
      words[base + HIGHER_ADDRESS_AT + word] = addresses[higherAt + word]!
    }
    words[base + PORTS_AT] = ports
    words[base + KIND_AT] = kind
    for (let at = base + KIND_AT + 1; at < base + FLOW_WORDS; at++) words[at] = 0
    lastFlowId = (lastFlowId + 1) >>> 0
    if (lastFlowId === 0) lastFlowId = 1
    words[base + FLOW_ID_AT] = lastFlowId
    const time = batch.timeMicros[row]!
    const double = base >> 1
    doubles[double + START_AT_F64] = time
    doubles[double + LAST_AT_F64] = time

    const sender = senderRole(out, row, srcPort, dstPort)
    table.fromClient = sender === SENDER_IS_CLIENT
    words[base + STATE_AT] = srcIsHigher === table.fromClient ? FLOW_CLIENT_IS_HIGHER : 0
    if (sender === SENDER_SEEMS_SERVER) appendLetter(words, base, LETTER_FLIPPED)
    return slot
  }

  /**
   * COLD PATH: once for every doubling. A large table is made whole: the system hands out a page when it is first
   * written, and slots are used from the bottom, so that old and new need not be in memory together.
   */
  function grow(): void {
    capacity = capacity < FLOW_DOUBLING_LIMIT ? Math.min(capacity * 2, maxFlows) : maxFlows
    const wider = new Uint32Array(capacity * FLOW_WORDS)
    wider.set(words)
    words = wider
    doubles = new Float64Array(words.buffer)
    table.words = words
    table.doubles = doubles
  }

  /** COLD PATH: once for every doubling. Cells are found by chance all over: more of them than needed are memory and cache lost. */
  function rehash(size: number): void {
    cells = new Uint32Array(size)
    cellMask = size - 1
    for (let slot = 0; slot < usedSlots; slot++) {
      if (words[(slot << FLOW_SHIFT) + FLOW_ID_AT] === 0) continue
      const hash = hashOfRecord(words, slot << FLOW_SHIFT)
      let cell = hash & cellMask
      while (cells[cell] !== 0) cell = (cell + 1) & cellMask
      cells[cell] = ((hash >>> SLOT_BITS) << SLOT_BITS) | (slot + 1)
    }
  }

  /** Frees the slot and closes the gap in its run of cells (Knuth 6.4, algorithm R). */
  function remove(slot: number): void {
    ended(slot)
    if (slot === lastSlot) lastSlot = -1
    let cell = hashOfRecord(words, slot << FLOW_SHIFT) & cellMask
    while ((cells[cell]! & SLOT_MASK) !== slot + 1) cell = (cell + 1) & cellMask
    let next = (cell + 1) & cellMask
    while (cells[next] !== 0) {
      const home = hashOfRecord(words, ((cells[next]! & SLOT_MASK) - 1) << FLOW_SHIFT) & cellMask
      if (((next - home) & cellMask) >= ((next - cell) & cellMask)) {
        cells[cell] = cells[next]!
        cell = next
      }
      next = (next + 1) & cellMask
    }
    cells[cell] = 0
    const base = slot << FLOW_SHIFT
    words[base + FLOW_ID_AT] = 0
    words[base] = freeSlot
    freeSlot = slot + 1
    table.count--
  }

  function evict(): void {
    let oldest = -1
    let oldestMicros = Number.POSITIVE_INFINITY
    for (let i = 0; i < sample; i++) {
      const slot = evictionHand
      evictionHand = evictionHand + 1 === maxFlows ? 0 : evictionHand + 1
      const last = doubles[(slot << (FLOW_SHIFT - 1)) + LAST_AT_F64]!
      if (last < oldestMicros) {
        oldestMicros = last
        oldest = slot
      }
    }
    remove(oldest)
  }

  function isIdle(slot: number, timeMicros: number): boolean {
    const base = slot << FLOW_SHIFT
    const idle = timeMicros - doubles[(base >> 1) + LAST_AT_F64]!
    if (idle <= DNS_IDLE_MICROS) return false
    const state = words[base + STATE_AT]!
    if ((words[base + KIND_AT]! & 0xff) !== IPPROTO_TCP) return (state & FLOW_DNS) !== 0 || idle > DATAGRAM_IDLE_MICROS
    return idle > TCP_IDLE_MICROS || (idle > TCP_CLOSED_MICROS && (isFinished(state) || isReset(state)))
  }

  /** The row is a SYN that cannot belong to the connection we know (RFC 9293 3.5, RFC 6191). */
  function isNewConnection(slot: number, out: DecodedBatch, row: number): boolean {
    if (out.layer[row] !== LAYER_TCP || (out.tcpFlags[row]! & TCP_SYN) === 0) return false
    const base = slot << FLOW_SHIFT
    const state = words[base + STATE_AT]!
    const side = table.fromClient ? 0 : 1
    const closed = isFinished(state) || isReset(state)
    if ((state & (FLOW_SEQ_KNOWN << side)) === 0) return closed && (out.tcpFlags[row]! & TCP_ACK) === 0
    // A repeated SYN is as old as what its side has sent since.
    const age = (words[base + NEXT_SEQ_AT + side]! - out.tcpSeq[row]! - 1) | 0
    if (age === 0) return false
    if (!closed && (out.tcpFlags[row]! & TCP_ACK) !== 0) return false
    return age < 0 || age > words[base + BYTES_AT + side]!
  }

  const table: Writable<FlowTable> = {
    words,
    doubles,
    fromClient: true,
    count: 0,
    lookup,
    peek,
    record(slot, batch, out, row) {
      const base = slot << FLOW_SHIFT
      const side = table.fromClient ? 0 : 1
      const time = batch.timeMicros[row]!
      if (out.layer[row] === LAYER_TCP) countTcp(words, doubles, base, side, batch, out, row)
      else {
        addLetter(words, base, LETTER_DATA, side)
        if (out.layer[row] === LAYER_DNS) words[base + STATE_AT] = words[base + STATE_AT]! | FLOW_DNS
      }
      if (time > doubles[(base >> 1) + LAST_AT_F64]!) doubles[(base >> 1) + LAST_AT_F64] = time
      words[base + FRAME_AT] = batch.frameNumber[row]!
      words[base + PACKETS_AT + side] = words[base + PACKETS_AT + side]! + 1
      const bytes = words[base + BYTES_AT + side]! + out.ipLen[row]!
      words[base + BYTES_AT + side] = bytes
      if (bytes > 0xffff_ffff) words[base + BYTES_HIGH_AT] = words[base + BYTES_HIGH_AT]! + (side === 0 ? 1 : 1 << 16)
    },
    tick(timeMicros) {
      // A clock that was set back by more than a sweep starts the waiting anew.
      if (timeMicros < nextSweepMicros && nextSweepMicros - timeMicros <= FLOW_SWEEP_MICROS) return
      nextSweepMicros = timeMicros + FLOW_SWEEP_MICROS
      for (let slot = 0; slot < usedSlots; slot++) {
        if (words[(slot << FLOW_SHIFT) + FLOW_ID_AT] !== 0 && isIdle(slot, timeMicros)) remove(slot)
      }
    },
    end() {
      for (let slot = 0; slot < usedSlots; slot++) {
        if (words[(slot << FLOW_SHIFT) + FLOW_ID_AT] !== 0) remove(slot)
      }
    },
  }
  return table
}
