// HOT PATH. Which sizes of TCP segments are delivered and which die (rules.md 2.2): acknowledgements, selective ones
// (RFC 2018), retransmissions of the first missing segment and gaps, for connections that have data under way.
import {
  DELIVERY_SCAN_MICROS,
  FIRST_FLOWS,
  GIVEN_UP_MICROS,
  MAX_DELIVERIES,
  MAX_FLOWS,
  MIN_RTO_MICROS,
  RTO_DOUBLINGS,
  STALL_MICROS,
} from '../../constants/limits.ts'
import { TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN } from '../../constants/wire.ts'
import { type DecodedBatch, NO_WINDOW_SCALE, ROW_TCP_SACK_PERMITTED } from '../../model/decoded-batch.ts'
import type { FactHandlers } from '../../model/facts.ts'
import type { PacketBatch } from '../../model/packet-batch.ts'
import { acknowledged } from './delivery-acks.ts'
import { isCopy } from './delivery-copies.ts'
import { data } from './delivery-data.ts'
import {
  ACKED,
  AWAITS_ANSWER,
  BLOCK_FLAGS,
  blockAt,
  CLIENT_SEGMENTS_AT,
  DELIVERY_WORDS,
  FIRST,
  GAP_CONFIRMED,
  GAP_FROM,
  GAP_OPEN,
  GAP_SINCE,
  GAP_TO,
  HANDSHAKE_ID_AT,
  HANDSHAKE_TTL_AT,
  LAST_AT,
  LOSS_PROVEN,
  NEXT,
  NEXT_KNOWN,
  PATH_AT,
  PROGRESS,
  REQUEST_AT,
  RESET_TOLD,
  SACK_CLIENT,
  SACK_SERVER,
  SCALE_CLIENT_KNOWN,
  SCALE_CLIENT_SHIFT,
  SCALE_SERVER_KNOWN,
  SCALE_SERVER_SHIFT,
  SLOT_AT,
  STALL_TOLD,
  STATE_AT,
  UNSCALED,
  WINDOW,
  WINDOW_UNKNOWN,
} from './delivery-record.ts'
import { createDeliveryState, disarm, growPool, roundTripOf, sinceThen } from './delivery-state.ts'
import { serverAddressAt } from './flow-fact.ts'
import {
  FLOW_HANDSHAKE_DONE,
  FLOW_SHIFT,
  STATE_AT as FLOW_STATE_AT,
  KIND_AT,
  KIND_INTERFACE_SHIFT,
  MSS_AT,
} from './flow-record.ts'
import type { FlowTable } from './flows.ts'
import type { PathTable } from './path-table.ts'

/** The most that timestamps take from a segment (RFC 7323 3.2). */
const TIMESTAMPS_LEN = 12
const NO_RECORD = 0

export interface DeliveryTracker {
  /** A TCP row of the flow in `slot`, before the flow records it. */
  segment(slot: number, fromClient: boolean, batch: PacketBatch, out: DecodedBatch, row: number): void
  /** The flow in `slot` is over. */
  ended(slot: number): void
  /** Packet time has reached `timeMicros`. */
  tick(timeMicros: number): void
}

export function createDeliveryTracker(
  flows: FlowTable,
  paths: PathTable,
  handlers: FactHandlers,
  maxFlows: number = MAX_FLOWS,
): DeliveryTracker {
  const state = createDeliveryState(flows, paths, handlers)
  const { nowMicros, nowLow, facts } = state
  /** The pool's arrays as they lie now. */
  let { words, armed } = state
  /** Record of a flow's slot; 0 = none. As long as the slots that were met. */
  let recordOf = new Uint16Array(Math.min(FIRST_FLOWS, maxFlows))
  /** Records below were in use at some time; free ones are chained through PATH_AT. */
  let usedRecords = 1
  let freeRecord = NO_RECORD
  let evictionHand = 0
  let nextScanMicros = -1

  function open(slot: number): number {
    let record = freeRecord
    if (record !== NO_RECORD) freeRecord = words[record * DELIVERY_WORDS + PATH_AT]!
    else if (usedRecords <= MAX_DELIVERIES) {
      if (usedRecords === armed.length) growRecords()
      record = usedRecords++
    } else {
      release(oldest())
      record = freeRecord
      freeRecord = words[record * DELIVERY_WORDS + PATH_AT]!
    }
    const base = record * DELIVERY_WORDS
    words.fill(0, base, base + DELIVERY_WORDS)
    const flow = slot << FLOW_SHIFT
    words[base + SLOT_AT] = slot + 1
    const path = paths.idOf(
      state.flowWords[flow + KIND_AT]! >>> KIND_INTERFACE_SHIFT,
      state.flowWords,
      flow + serverAddressAt(state.flowWords, flow),
    )
    words[base + PATH_AT] = path
    words[blockAt(base, 0) + WINDOW] = WINDOW_UNKNOWN
    words[blockAt(base, 1) + WINDOW] = WINDOW_UNKNOWN
    paths.connections[path] = paths.connections[path]! + 1
    recordOf[slot] = record
    return record
  }

  function growRecords(): void {
    growPool(state)
    words = state.words
    armed = state.armed
  }

  /** COLD PATH: the flow table has doubled. */
  function growSlots(slot: number): void {
    const wider = new Uint16Array(Math.min(Math.max(slot + 1, recordOf.length * 2), maxFlows))
    wider.set(recordOf)
    recordOf = wider
  }

  /** The longest idle of the next sixteen. */
  function oldest(): number {
    let found = 1
    let foundAge = -1
    for (let i = 0; i < 16; i++) {
      evictionHand = evictionHand === MAX_DELIVERIES ? 1 : evictionHand + 1
      const age = sinceThen(state, words[evictionHand * DELIVERY_WORDS + LAST_AT]!)
      if (age > foundAge) {
        foundAge = age
        found = evictionHand
      }
    }
    return found
  }

  function release(record: number): void {
    const base = record * DELIVERY_WORDS
    recordOf[words[base + SLOT_AT]! - 1] = NO_RECORD
    words[base + SLOT_AT] = 0
    words[base + PATH_AT] = freeRecord
    freeRecord = record
    disarm(state, record)
  }

  function noteSyn(base: number, side: number, path: number, out: DecodedBatch, row: number): void {
    const block = blockAt(base, side)
    words[block + FIRST] = (out.tcpSeq[row]! + 1) >>> 0
    words[block + NEXT] = words[block + FIRST]!
    words[block + BLOCK_FLAGS] = words[block + BLOCK_FLAGS]! | NEXT_KNOWN
    const sack = (out.flags[row]! & ROW_TCP_SACK_PERMITTED) !== 0 ? (side === 0 ? SACK_CLIENT : SACK_SERVER) : 0
    const scale = out.tcpWindowScale[row]!
    const known = side === 0 ? SCALE_CLIENT_KNOWN : SCALE_SERVER_KNOWN
    const shift = side === 0 ? SCALE_CLIENT_SHIFT : SCALE_SERVER_SHIFT
    const bits = scale === NO_WINDOW_SCALE ? 0 : Math.min(scale, 14) << shift
    const unscaled = scale === NO_WINDOW_SCALE ? UNSCALED : 0
    words[base + STATE_AT] = (words[base + STATE_AT]! & ~(15 << shift)) | known | bits | sack | unscaled
    const mss = out.tcpMss[row]!
    if (mss !== 0) paths.mss[path * 2 + side] = mss
    if (side === 1) {
      words[base + HANDSHAKE_TTL_AT] = out.ttl[row]!
      words[base + HANDSHAKE_ID_AT] = out.ipId[row]!
    }
  }

  /** Deadlines of one connection as of now. */
  function due(record: number): void {
    const base = record * DELIVERY_WORDS
    const flow = (words[base + SLOT_AT]! - 1) << FLOW_SHIFT
    let waits = gapIsDue(record, base, flow, 0)
    if (gapIsDue(record, base, flow, 1)) waits = true
    if ((words[base + STATE_AT]! & AWAITS_ANSWER) !== 0) {
      waits = true
      if ((words[base + STATE_AT]! & STALL_TOLD) !== 0) waits = false
      else if (quietMicros(base) >= STALL_MICROS) tellStall(record, base, flow, false)
    }
    if (!waits) disarm(state, record)
  }

  /** True while a gap waits for its deadline. */
  function gapIsDue(record: number, base: number, flow: number, side: number): boolean {
    const block = blockAt(base, side)
    const flags = words[block + BLOCK_FLAGS]!
    if ((flags & GAP_CONFIRMED) === 0 || (flags & LOSS_PROVEN) !== 0) return false
    const timeout = Math.max(MIN_RTO_MICROS, 3 * roundTripOf(state, flow))
    if (sinceThen(state, words[block + GAP_SINCE]!) < RTO_DOUBLINGS * timeout) return true
    const mss = state.flowWords[flow + MSS_AT]!
    const least = Math.min(mss & 0xffff || 0xffff, mss >>> 16 || 0xffff)
    const missing = (words[block + GAP_TO]! - words[block + GAP_FROM]!) >>> 0
    if (least !== 0xffff && missing >= least - TIMESTAMPS_LEN) facts.gap(record, side, least, nowMicros[0]!)
    return false
  }

  /** Since the client asked or the server answered, whichever was later. */
  function quietMicros(base: number): number {
    const asked = sinceThen(state, words[base + REQUEST_AT]!)
    const server = blockAt(base, 1)
    if (words[server + ACKED] === words[server + FIRST]) return asked
    const answered = sinceThen(state, words[server + PROGRESS]!)
    return Math.min(asked, answered)
  }

  function tellStall(record: number, base: number, flow: number, closedByClient: boolean): void {
    words[base + STATE_AT] = words[base + STATE_AT]! | STALL_TOLD
    if ((state.flowWords[flow + FLOW_STATE_AT]! & FLOW_HANDSHAKE_DONE) === 0) return
    facts.stall(record, quietMicros(base), nowMicros[0]!, closedByClient)
  }

  function scan(): void {
    nextScanMicros = nowMicros[0]! + DELIVERY_SCAN_MICROS
    for (let record = 1; record < usedRecords && state.armedCount > 0; record++) if (armed[record] !== 0) due(record)
  }

  function scanWhenDue(): void {
    if (nowMicros[0]! >= nextScanMicros || nextScanMicros - nowMicros[0]! > DELIVERY_SCAN_MICROS) scan()
  }

  /** FIN or RST: whoever waited for an answer waits no longer. */
  function closing(
    record: number,
    base: number,
    flow: number,
    side: number,
    isReset: boolean,
    out: DecodedBatch,
    row: number,
  ): void {
    const bits = words[base + STATE_AT]!
    if (isReset && (bits & RESET_TOLD) === 0) {
      words[base + STATE_AT] = bits | RESET_TOLD
      const asked = words[base + CLIENT_SEGMENTS_AT] === 0 ? -1 : sinceThen(state, words[base + REQUEST_AT]!)
      facts.reset(record, side, out.ttl[row]!, out.ipId[row]!, asked, nowMicros[0]!)
    }
    if (side === 0) {
      gaveUp(record, base, flow, true)
      // To a client that has closed a reset says only that its end was in the middle of something.
      words[base + STATE_AT] = words[base + STATE_AT]! | RESET_TOLD
    }
    const server = blockAt(base, 1)
    if (side === 1 && (isReset || (words[server + BLOCK_FLAGS]! & GAP_OPEN) === 0)) {
      words[base + STATE_AT] = words[base + STATE_AT]! & ~AWAITS_ANSWER
    }
    if (isReset || side === 0) {
      words[server + BLOCK_FLAGS] = words[server + BLOCK_FLAGS]! & ~GAP_CONFIRMED
    }
  }

  function gaveUp(record: number, base: number, flow: number, closedByClient: boolean): void {
    if ((words[base + STATE_AT]! & AWAITS_ANSWER) === 0) return
    const isNews = closedByClient || (words[base + STATE_AT]! & STALL_TOLD) === 0
    if (isNews && quietMicros(base) >= GIVEN_UP_MICROS) tellStall(record, base, flow, closedByClient)
    words[base + STATE_AT] = words[base + STATE_AT]! & ~AWAITS_ANSWER
  }

  return {
    segment(slot, fromClient, batch, out, row) {
      state.flowWords = flows.words
      // Here and not in a function: such a number, handed on, is a new object.
      if (batch.timeMicros[row]! > nowMicros[0]!) {
        nowMicros[0] = batch.timeMicros[row]!
        nowLow[0] = batch.timeMicros[row]! % 0x1_0000_0000
      }
      if (state.armedCount > 0) scanWhenDue()
      const flags = out.tcpFlags[row]!
      const dataLen = out.payloadWireLen[row]!
      if (slot >= recordOf.length) growSlots(slot)
      let record = recordOf[slot]!
      if (record === NO_RECORD) {
        if (dataLen === 0 && (flags & TCP_SYN) === 0) return
        record = open(slot)
      }
      const base = record * DELIVERY_WORDS
      const flow = slot << FLOW_SHIFT
      const side = fromClient ? 0 : 1
      words[base + LAST_AT] = nowLow[0]!
      if ((flags & TCP_SYN) !== 0) noteSyn(base, side, words[base + PATH_AT]!, out, row)
      if ((flags & TCP_ACK) !== 0 && (flags & TCP_RST) === 0)
        acknowledged(state, record, base, 1 - side, batch, out, row)
      if (dataLen > 0 && (flags & (TCP_SYN | TCP_RST)) === 0 && !isCopy(state, record, flow, side, dataLen, out, row)) {
        data(state, record, base, flow, side, dataLen, out, row)
      }
      if ((flags & (TCP_FIN | TCP_RST)) !== 0) closing(record, base, flow, side, (flags & TCP_RST) !== 0, out, row)
    },
    ended(slot) {
      const record = slot < recordOf.length ? recordOf[slot]! : NO_RECORD
      if (record === NO_RECORD) return
      state.flowWords = flows.words
      const base = record * DELIVERY_WORDS
      if (armed[record] !== 0) {
        due(record)
        gaveUp(record, base, slot << FLOW_SHIFT, false)
      }
      const path = words[base + PATH_AT]!
      const roundTrip = roundTripOf(state, slot << FLOW_SHIFT)
      const least = paths.minRoundTrip[path]!
      if (roundTrip > 0 && (least === 0 || roundTrip < least)) paths.minRoundTrip[path] = roundTrip
      release(record)
    },
    tick(timeMicros) {
      state.flowWords = flows.words
      if (timeMicros > nowMicros[0]!) {
        nowMicros[0] = timeMicros
        nowLow[0] = timeMicros % 0x1_0000_0000
      }
      if (state.armedCount > 0) scanWhenDue()
    },
  }
}
