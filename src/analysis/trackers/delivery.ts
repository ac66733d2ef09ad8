// HOT PATH. Which sizes of TCP segments are delivered and which die (rules.md 2.2): acknowledgements, selective ones
// (RFC 2018), retransmissions of the first missing segment and gaps, for connections that have data under way.
import {
  DELIVERY_SCAN_MICROS,
  GIVEN_UP_MICROS,
  MAX_DELIVERIES,
  MAX_FLOWS,
  MIN_RTO_MICROS,
  MIN_TIMER_INTERVAL_MICROS,
  REORDERING_MICROS,
  RTO_DOUBLINGS,
  STALL_MICROS,
} from '../../constants/limits.ts'
import { TCP_HEADERS_V4, TCP_HEADERS_V6 } from '../../constants/tunnel-overhead.ts'
import { TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN } from '../../constants/wire.ts'
import { u32 } from '../../decoders/cursor.ts'
import { type DecodedBatch, NO_WINDOW_SCALE, ROW_TCP_SACK_PERMITTED } from '../../model/decoded-batch.ts'
import type { FactHandlers } from '../../model/facts.ts'
import type { PacketBatch } from '../../model/packet-batch.ts'
import { createDeliveryFacts, type DeliveryFacts } from './delivery-facts.ts'
import {
  ACKED,
  ACKED_KNOWN,
  AWAITS_ANSWER,
  BLOCK_FLAGS,
  blockAt,
  CLIENT_SEGMENTS_AT,
  DELIVERY_WORDS,
  entryAt,
  FIRST,
  GAP_CONFIRMED,
  GAP_FROM,
  GAP_LATER,
  GAP_OPEN,
  GAP_OPENED,
  GAP_SINCE,
  GAP_TO,
  HANDSHAKE_ID_AT,
  HANDSHAKE_TTL_AT,
  HEAD_ACTIVE,
  HEAD_DOUBLINGS,
  HEAD_END,
  HEAD_INTERVAL,
  HEAD_LAST,
  HEAD_LEN,
  HEAD_SENT,
  HEAD_SEQ,
  HEAD_SINCE,
  HEAD_SMALLER,
  LAST_AT,
  LOSS_PROVEN,
  LOSS_TOLD,
  NEXT,
  NEXT_KNOWN,
  PATH_AT,
  PROGRESS,
  popEntry,
  pushEntry,
  REQUEST_AT,
  RESET_TOLD,
  RING,
  SACK_CLIENT,
  SACK_SERVER,
  SACKED_LEN,
  SCALE_CLIENT_KNOWN,
  SCALE_CLIENT_SHIFT,
  SCALE_SERVER_KNOWN,
  SCALE_SERVER_SHIFT,
  SLOT_AT,
  STALL_TOLD,
  STATE_AT,
  WINDOW,
  WINDOW_UNKNOWN,
} from './delivery-record.ts'
import { serverAddressAt } from './flow-fact.ts'
import {
  FLOW_HANDSHAKE_DONE,
  FLOW_SHIFT,
  STATE_AT as FLOW_STATE_AT,
  HANDSHAKE_AT,
  KIND_AT,
  KIND_INTERFACE_SHIFT,
  MSS_AT,
} from './flow-record.ts'
import type { FlowTable } from './flows.ts'
import { type PathTable, SIZE_CLASSES, SMALL_PACKET_LEN, sizeClassOf } from './path-table.ts'

/** Without a handshake nobody knows how offload packed segments; no path of today carries more in one. */
const MAX_UNKNOWN_LEN = 1500
/** The most that timestamps take from a segment (RFC 7323 3.2). */
const TIMESTAMPS_LEN = 12
const SACK_BLOCK_LEN = 8
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
  const words = new Uint32Array((MAX_DELIVERIES + 1) * DELIVERY_WORDS)
  /** Record of a flow's slot; 0 = none. */
  const recordOf = new Uint16Array(maxFlows)
  /** Records that a deadline may be due for. */
  const armed = new Uint8Array(MAX_DELIVERIES + 1)
  let armedCount = 0
  /** Records below were in use at some time; free ones are chained through PATH_AT. */
  let usedRecords = 1
  let freeRecord = NO_RECORD
  let evictionHand = 0
  /** Packet time and its low 32 bits; in arrays, for a large number in a variable is a new object at every change. */
  const nowMicros = new Float64Array(1)
  const nowLow = new Uint32Array(1)
  let nextScanMicros = -1
  /** The flow table's words, which move when it grows. */
  let flowWords = flows.words
  const { delivered, lost, sentByClass, lostByClass, smallStalled } = paths
  const facts: DeliveryFacts = createDeliveryFacts(flows, words, paths, handlers)

  function open(slot: number): number {
    let record = freeRecord
    if (record !== NO_RECORD) freeRecord = words[record * DELIVERY_WORDS + PATH_AT]!
    else if (usedRecords <= MAX_DELIVERIES) record = usedRecords++
    else {
      release(oldest())
      record = freeRecord
      freeRecord = words[record * DELIVERY_WORDS + PATH_AT]!
    }
    const base = record * DELIVERY_WORDS
    words.fill(0, base, base + DELIVERY_WORDS)
    const flow = slot << FLOW_SHIFT
    words[base + SLOT_AT] = slot + 1
    const path = paths.idOf(
      flowWords[flow + KIND_AT]! >>> KIND_INTERFACE_SHIFT,
      flowWords,
      flow + serverAddressAt(flowWords, flow),
    )
    words[base + PATH_AT] = path
    words[blockAt(base, 0) + WINDOW] = WINDOW_UNKNOWN
    words[blockAt(base, 1) + WINDOW] = WINDOW_UNKNOWN
    paths.connections[path] = paths.connections[path]! + 1
    recordOf[slot] = record
    return record
  }

  /** The longest idle of the next sixteen. */
  function oldest(): number {
    let found = 1
    let foundAge = -1
    for (let i = 0; i < 16; i++) {
      evictionHand = evictionHand === MAX_DELIVERIES ? 1 : evictionHand + 1
      const age = sinceThen(words[evictionHand * DELIVERY_WORDS + LAST_AT]!)
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
    disarm(record)
  }

  function arm(record: number): void {
    if (armed[record] !== 0) return
    armed[record] = 1
    armedCount++
  }

  function disarm(record: number): void {
    if (armed[record] === 0) return
    armed[record] = 0
    armedCount--
  }

  /** Microseconds since then; clocks that jump back give 0. */
  function sinceThen(low: number): number {
    const elapsed = (nowLow[0]! - low) >>> 0
    return elapsed > 0x7fff_ffff ? 0 : elapsed
  }

  /** IP length of a full segment by both announcements (RFC 6691 2); 0 when no SYN was seen. */
  function fullLen(flow: number, ipVersion: number): number {
    const mss = flowWords[flow + MSS_AT]!
    const client = mss & 0xffff
    const server = mss >>> 16
    const least = client === 0 ? server : server === 0 || client < server ? client : server
    if (least === 0) return 0
    return least + (ipVersion === 4 ? TCP_HEADERS_V4 : TCP_HEADERS_V6)
  }

  function roundTripOf(flow: number): number {
    return (flowWords[flow + FLOW_STATE_AT]! & FLOW_HANDSHAKE_DONE) !== 0 ? flowWords[flow + HANDSHAKE_AT]! : 0
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
    words[base + STATE_AT] = (words[base + STATE_AT]! & ~(15 << shift)) | known | bits | sack
    const mss = out.tcpMss[row]!
    if (mss !== 0) paths.mss[path * 2 + side] = mss
    if (side === 1) {
      words[base + HANDSHAKE_TTL_AT] = out.ttl[row]!
      words[base + HANDSHAKE_ID_AT] = out.ipId[row]!
    }
  }

  /** The window that the sender of `row` offers, scaled when both SYNs were seen and both scaled (RFC 7323 2.2). */
  function windowOf(base: number, side: number, out: DecodedBatch, row: number): number {
    const state = words[base + STATE_AT]!
    if ((state & SCALE_CLIENT_KNOWN) === 0 || (state & SCALE_SERVER_KNOWN) === 0) return WINDOW_UNKNOWN
    return out.tcpWindow[row]! << ((state >>> (side === 0 ? SCALE_CLIENT_SHIFT : SCALE_SERVER_SHIFT)) & 15)
  }

  function passed(path: number, direction: number, ipLen: number): void {
    if (ipLen > 0xffff) return
    if (ipLen > delivered[direction]!) delivered[direction] = ipLen
    if (ipLen <= SMALL_PACKET_LEN) smallStalled[path] = 0
    const held = lost[direction]!
    if (held === 0 || ipLen < held) return
    lost[direction] = 0
    facts.sizePassed(path, direction & 1, ipLen, nowMicros[0]!)
  }

  /** The row acknowledges data of the other side, whose block is `block`. */
  function acknowledged(
    record: number,
    base: number,
    side: number,
    batch: PacketBatch,
    out: DecodedBatch,
    row: number,
  ): void {
    const block = blockAt(base, side)
    const ack = out.tcpAck[row]!
    words[block + WINDOW] = windowOf(base, 1 - side, out, row)
    const flags = words[block + BLOCK_FLAGS]!
    if ((flags & ACKED_KNOWN) === 0) {
      words[block + BLOCK_FLAGS] = flags | ACKED_KNOWN
      words[block + ACKED] = ack
      words[block + PROGRESS] = nowLow[0]!
      return
    }
    const advance = (ack - words[block + ACKED]!) | 0
    // Signed: a number above 2^31, handed on, is a new object.
    if (advance > 0) progress(record, base, side, block, ack | 0)
    else if (advance === 0) {
      if ((flags & GAP_OPEN) !== 0 && (flags & GAP_CONFIRMED) === 0 && ack === words[block + GAP_FROM]) {
        words[block + BLOCK_FLAGS] = flags | GAP_CONFIRMED
        words[block + GAP_SINCE] = nowLow[0]!
        arm(record)
      }
      if (out.sackCount[row] !== 0) selective(base, side, block, ack, batch, out, row)
    }
  }

  function progress(record: number, base: number, side: number, block: number, ack: number): void {
    const path = words[base + PATH_AT]!
    const direction = path * 2 + side
    while ((words[block + RING]! & 0xff) !== 0) {
      const at = entryAt(words, block, 0)
      if (((ack - words[at]!) | 0) < 0) break
      if (words[at + 1] !== 0) passed(path, direction, words[at + 1]!)
      popEntry(words, block)
    }
    const flags = words[block + BLOCK_FLAGS]!
    let after = flags & ~(HEAD_ACTIVE | GAP_CONFIRMED)
    if ((flags & HEAD_ACTIVE) !== 0) resolveHead(record, path, direction, block, ack)
    if ((flags & GAP_OPEN) !== 0) {
      if (((ack - words[block + GAP_TO]!) | 0) >= 0) after &= ~GAP_OPEN
      else if (((ack - words[block + GAP_FROM]!) | 0) > 0) words[block + GAP_FROM] = ack
    }
    words[block + BLOCK_FLAGS] = after
    words[block + ACKED] = ack
    words[block + PROGRESS] = nowLow[0]!
    words[block + SACKED_LEN] = 0
  }

  /** The segment that had been sent again is through: at its own size, or only after it came in smaller ones. */
  function resolveHead(record: number, path: number, direction: number, block: number, ack: number): void {
    if (((ack - words[block + HEAD_SEQ]!) | 0) <= 0) return
    const smaller = words[block + HEAD_SMALLER]!
    if (smaller === 0) {
      passed(path, direction, words[block + HEAD_LEN]!)
      return
    }
    passed(path, direction, smaller)
    const isPartial = ((ack - words[block + HEAD_END]!) | 0) < 0
    const sent = words[block + HEAD_SENT]!
    if (sent >= 3 || (sent === 2 && isPartial)) facts.reSegmented(record, direction & 1, nowMicros[0]!)
  }

  /** RFC 2018 4: later data is there. Blocks at or before the acknowledgement repeat what is known (RFC 2883). */
  function selective(
    base: number,
    side: number,
    block: number,
    ack: number,
    batch: PacketBatch,
    out: DecodedBatch,
    row: number,
  ): void {
    const path = words[base + PATH_AT]!
    const count = out.sackCount[row]!
    const { bytes } = batch
    for (let i = 0; i < count; i++) {
      const at = out.sackAt[row]! + i * SACK_BLOCK_LEN
      const left = u32(bytes, at)
      const right = u32(bytes, at + 4)
      if (((left - ack) | 0) <= 0) continue
      const entries = words[block + RING]! & 0xff
      let start = words[block + ACKED]!
      for (let index = 0; index < entries; index++) {
        const entry = entryAt(words, block, index)
        const end = words[entry]!
        const ipLen = words[entry + 1]!
        if (((start - left) | 0) >= 0 && ((right - end) | 0) >= 0 && ipLen !== 0) {
          passed(path, path * 2 + side, ipLen)
          if (ipLen > words[block + SACKED_LEN]!) words[block + SACKED_LEN] = ipLen
        }
        start = end
      }
    }
  }

  /** The row carries data of `side`. */
  function data(
    record: number,
    base: number,
    flow: number,
    side: number,
    dataLen: number,
    out: DecodedBatch,
    row: number,
  ): void {
    const block = blockAt(base, side)
    const path = words[base + PATH_AT]!
    const direction = path * 2 + side
    const seq = out.tcpSeq[row]!
    const end = (seq + dataLen) >>> 0
    const full = fullLen(flow, out.ipVersion[row]!)
    const wholeLen = out.ipLen[row]!
    const ipLen = full === 0 ? (wholeLen > MAX_UNKNOWN_LEN ? 0 : wholeLen) : Math.min(wholeLen, full)
    const perSegment = full - (wholeLen - dataLen)
    const segments = full !== 0 && wholeLen > full && perSegment > 0 ? Math.ceil(dataLen / perSegment) : 1
    const counter = direction * SIZE_CLASSES + sizeClassOf(ipLen)
    if (ipLen !== 0) sentByClass[counter] = sentByClass[counter]! + segments
    const flags = words[block + BLOCK_FLAGS]!
    if ((flags & NEXT_KNOWN) === 0) {
      words[block + FIRST] = seq
      words[block + NEXT] = end
      words[block + BLOCK_FLAGS] = flags | NEXT_KNOWN
      pushEntry(words, block, end | 0, ipLen)
      return
    }
    const ahead = (seq - words[block + NEXT]!) | 0
    if (ahead >= 0) {
      if (ahead > 0) openGap(block, seq, ipLen)
      else if ((flags & GAP_OPEN) !== 0 && ipLen > words[block + GAP_LATER]!) words[block + GAP_LATER] = ipLen
      // A ring without the segments before this one would take their bytes for its own.
      if (ahead === 0 || (words[block + RING]! & 0xff) === 0) pushEntry(words, block, end | 0, ipLen)
      words[block + NEXT] = end
      if (side === 0) request(record, base)
      return
    }
    if (
      (flags & GAP_OPEN) !== 0 &&
      ((seq - words[block + GAP_FROM]!) | 0) >= 0 &&
      ((words[block + GAP_TO]! - seq) | 0) > 0
    ) {
      if (ipLen !== 0 && isLate(flow, block)) lostByClass[counter] = lostByClass[counter]! + segments
      fillGap(block, seq, end)
    } else if (dataLen > 1) {
      if (ipLen !== 0) lostByClass[counter] = lostByClass[counter]! + segments
      shrinkEntries(block, seq, end, ipLen)
      if ((words[block + BLOCK_FLAGS]! & ACKED_KNOWN) !== 0 && seq === words[block + ACKED]) {
        const segmentEnd = segments > 1 ? (seq + perSegment) >>> 0 : end
        again(record, block, path, direction, seq, segmentEnd, ipLen, full)
      }
    }
    if (((end - words[block + NEXT]!) | 0) > 0) words[block + NEXT] = end
  }

  /** New data of the client: the first request waits for its answer, a second one shows that the first was answered. */
  function request(record: number, base: number): void {
    const server = blockAt(base, 1)
    const state = words[base + STATE_AT]!
    words[base + CLIENT_SEGMENTS_AT] = words[base + CLIENT_SEGMENTS_AT]! + 1
    words[base + REQUEST_AT] = nowLow[0]!
    if ((words[server + BLOCK_FLAGS]! & ACKED_KNOWN) !== 0 && words[server + ACKED] !== words[server + FIRST]) {
      words[base + STATE_AT] = state & ~AWAITS_ANSWER
    } else if ((state & STALL_TOLD) === 0) {
      words[base + STATE_AT] = state | AWAITS_ANSWER
      arm(record)
    }
  }

  function openGap(block: number, seq: number, ipLen: number): void {
    const flags = words[block + BLOCK_FLAGS]!
    if ((flags & GAP_OPEN) !== 0) {
      if (ipLen > words[block + GAP_LATER]!) words[block + GAP_LATER] = ipLen
      return
    }
    words[block + BLOCK_FLAGS] = (flags | GAP_OPEN) & ~GAP_CONFIRMED
    words[block + GAP_FROM] = words[block + NEXT]!
    words[block + GAP_TO] = seq
    words[block + GAP_OPENED] = nowLow[0]!
    words[block + GAP_LATER] = ipLen
  }

  function fillGap(block: number, seq: number, end: number): void {
    if (((seq - words[block + GAP_FROM]!) | 0) <= 0) words[block + GAP_FROM] = end
    else if (((end - words[block + GAP_TO]!) | 0) >= 0) words[block + GAP_TO] = seq
    if (((words[block + GAP_FROM]! - words[block + GAP_TO]!) | 0) >= 0) {
      words[block + BLOCK_FLAGS] = words[block + BLOCK_FLAGS]! & ~(GAP_OPEN | GAP_CONFIRMED)
    }
  }

  /** What fills a gap sooner than anybody could have asked for it was only late. */
  function isLate(flow: number, block: number): boolean {
    const roundTrip = roundTripOf(flow)
    return sinceThen(words[block + GAP_OPENED]!) >= (roundTrip > 0 ? roundTrip : REORDERING_MICROS)
  }

  /** Of bytes that came at two sizes nobody knows which one was acknowledged: the smaller one is sure. */
  function shrinkEntries(block: number, seq: number, end: number, ipLen: number): void {
    const entries = words[block + RING]! & 0xff
    let start = words[block + ACKED]!
    for (let index = 0; index < entries; index++) {
      const at = entryAt(words, block, index)
      const entryEnd = words[at]!
      if (((entryEnd - seq) | 0) > 0 && ((end - start) | 0) > 0 && words[at + 1]! > ipLen) words[at + 1] = ipLen
      start = entryEnd
    }
  }

  /** The first unacknowledged segment was sent again. */
  function again(
    record: number,
    block: number,
    path: number,
    direction: number,
    seq: number,
    end: number,
    ipLen: number,
    full: number,
  ): void {
    if (ipLen === 0) return
    const flags = words[block + BLOCK_FLAGS]!
    if ((flags & HEAD_ACTIVE) === 0 || words[block + HEAD_SEQ] !== seq) {
      words[block + BLOCK_FLAGS] = (flags | HEAD_ACTIVE) & ~(LOSS_TOLD | LOSS_PROVEN)
      words[block + HEAD_SEQ] = seq
      words[block + HEAD_END] = end
      words[block + HEAD_LEN] = ipLen
      words[block + HEAD_SENT] = 2
      words[block + HEAD_SINCE] = words[block + PROGRESS]!
      words[block + HEAD_LAST] = nowLow[0]!
      words[block + HEAD_INTERVAL] = 0
      words[block + HEAD_DOUBLINGS] = 0
      words[block + HEAD_SMALLER] = 0
      return
    }
    if (ipLen < words[block + HEAD_LEN]!) {
      words[block + HEAD_SMALLER] = ipLen
      return
    }
    words[block + HEAD_SENT] = words[block + HEAD_SENT]! + 1
    const interval = sinceThen(words[block + HEAD_LAST]!)
    const before = words[block + HEAD_INTERVAL]!
    if (before >= MIN_TIMER_INTERVAL_MICROS && interval * 2 >= before * 3) {
      words[block + HEAD_DOUBLINGS] = words[block + HEAD_DOUBLINGS]! + 1
    }
    words[block + HEAD_INTERVAL] = interval
    words[block + HEAD_LAST] = nowLow[0]!
    const resent = words[block + HEAD_SENT]! - 1
    if (ipLen <= SMALL_PACKET_LEN && ipLen < full) {
      if (resent >= 2) smallStalled[path] = 1
      return
    }
    const sacked = words[block + SACKED_LEN]!
    if (resent >= 2 && sacked !== 0 && sacked < words[block + HEAD_LEN]!) {
      if ((flags & LOSS_PROVEN) === 0) facts.sackHole(record, direction & 1, nowMicros[0]!)
    } else if (resent >= 3 && sacked === 0 && words[block + HEAD_DOUBLINGS] !== 0 && (flags & LOSS_TOLD) === 0) {
      if (!hasSmallerBehind(block)) facts.timedOut(record, direction & 1, nowMicros[0]!)
    }
  }

  /** A smaller segment was sent after the head and nobody acknowledged it either: then size is not the reason. */
  function hasSmallerBehind(block: number): boolean {
    const entries = words[block + RING]! & 0xff
    for (let index = 1; index < entries; index++) {
      const ipLen = words[entryAt(words, block, index) + 1]!
      if (ipLen !== 0 && ipLen < words[block + HEAD_LEN]!) return true
    }
    return false
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
    if (!waits) disarm(record)
  }

  /** True while a gap waits for its deadline. */
  function gapIsDue(record: number, base: number, flow: number, side: number): boolean {
    const block = blockAt(base, side)
    const flags = words[block + BLOCK_FLAGS]!
    if ((flags & GAP_CONFIRMED) === 0 || (flags & LOSS_PROVEN) !== 0) return false
    const timeout = Math.max(MIN_RTO_MICROS, 3 * roundTripOf(flow))
    if (sinceThen(words[block + GAP_SINCE]!) < RTO_DOUBLINGS * timeout) return true
    const mss = flowWords[flow + MSS_AT]!
    const least = Math.min(mss & 0xffff || 0xffff, mss >>> 16 || 0xffff)
    const missing = (words[block + GAP_TO]! - words[block + GAP_FROM]!) >>> 0
    if (least !== 0xffff && missing >= least - TIMESTAMPS_LEN) facts.gap(record, side, least, nowMicros[0]!)
    return false
  }

  /** Since the client asked or the server answered, whichever was later. */
  function quietMicros(base: number): number {
    const asked = sinceThen(words[base + REQUEST_AT]!)
    const server = blockAt(base, 1)
    if (words[server + ACKED] === words[server + FIRST]) return asked
    const answered = sinceThen(words[server + PROGRESS]!)
    return Math.min(asked, answered)
  }

  function tellStall(record: number, base: number, flow: number, closedByClient: boolean): void {
    words[base + STATE_AT] = words[base + STATE_AT]! | STALL_TOLD
    if ((flowWords[flow + FLOW_STATE_AT]! & FLOW_HANDSHAKE_DONE) === 0) return
    facts.stall(record, quietMicros(base), nowMicros[0]!, closedByClient)
  }

  function scan(): void {
    nextScanMicros = nowMicros[0]! + DELIVERY_SCAN_MICROS
    for (let record = 1; record < usedRecords && armedCount > 0; record++) if (armed[record] !== 0) due(record)
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
    const state = words[base + STATE_AT]!
    if (isReset && (state & RESET_TOLD) === 0) {
      words[base + STATE_AT] = state | RESET_TOLD
      const asked = words[base + CLIENT_SEGMENTS_AT] === 0 ? -1 : sinceThen(words[base + REQUEST_AT]!)
      facts.reset(record, side, out.ttl[row]!, out.ipId[row]!, asked, nowMicros[0]!)
    }
    if (side === 0) gaveUp(record, base, flow, true)
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
      flowWords = flows.words
      // Here and not in a function: such a number, handed on, is a new object.
      if (batch.timeMicros[row]! > nowMicros[0]!) {
        nowMicros[0] = batch.timeMicros[row]!
        nowLow[0] = batch.timeMicros[row]! % 0x1_0000_0000
      }
      if (armedCount > 0) scanWhenDue()
      const flags = out.tcpFlags[row]!
      const dataLen = out.payloadWireLen[row]!
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
      if ((flags & TCP_ACK) !== 0 && (flags & TCP_RST) === 0) acknowledged(record, base, 1 - side, batch, out, row)
      if (dataLen > 0 && (flags & (TCP_SYN | TCP_RST)) === 0) data(record, base, flow, side, dataLen, out, row)
      if ((flags & (TCP_FIN | TCP_RST)) !== 0) closing(record, base, flow, side, (flags & TCP_RST) !== 0, out, row)
    },
    ended(slot) {
      const record = recordOf[slot]!
      if (record === NO_RECORD) return
      flowWords = flows.words
      const base = record * DELIVERY_WORDS
      if (armed[record] !== 0) {
        due(record)
        gaveUp(record, base, slot << FLOW_SHIFT, false)
      }
      const path = words[base + PATH_AT]!
      const roundTrip = roundTripOf(slot << FLOW_SHIFT)
      const least = paths.minRoundTrip[path]!
      if (roundTrip > 0 && (least === 0 || roundTrip < least)) paths.minRoundTrip[path] = roundTrip
      release(record)
    },
    tick(timeMicros) {
      flowWords = flows.words
      if (timeMicros > nowMicros[0]!) {
        nowMicros[0] = timeMicros
        nowLow[0] = timeMicros % 0x1_0000_0000
      }
      if (armedCount > 0) scanWhenDue()
    },
  }
}
