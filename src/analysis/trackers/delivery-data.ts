// HOT PATH. What data segments say: sizes sent, sent again and why, and gaps in what is seen.
import { LOSS_EVENT_MICROS, MIN_TIMER_INTERVAL_MICROS, REORDERING_MICROS } from '../../constants/limits.ts'
import { type DecodedBatch, ROW_DF } from '../../model/decoded-batch.ts'
import {
  ACKED,
  ACKED_KNOWN,
  AWAITS_ANSWER,
  BLOCK_FLAGS,
  blockAt,
  CLIENT_SEGMENTS_AT,
  entryAt,
  FIRST,
  GAP_CONFIRMED,
  GAP_FROM,
  GAP_LATER,
  GAP_OPEN,
  GAP_OPENED,
  GAP_TO,
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
  LOSS_PROVEN,
  LOSS_TOLD,
  LOST_COUNTER,
  LOST_END,
  LOST_SEGMENTS,
  MAY_BE_CUT,
  NEXT,
  NEXT_KNOWN,
  PATH_AT,
  PROGRESS,
  pushEntry,
  REQUEST_AT,
  RING,
  SACKED_LEN,
  SENT_DF,
  SHRUNK,
  STALL_TOLD,
  STATE_AT,
  WINDOW,
} from './delivery-record.ts'
import { arm, type DeliveryState, fullLen, roundTripOf, sinceThen } from './delivery-state.ts'
import { SIZE_CLASSES, SMALL_PACKET_LEN, sizeClassOf } from './path-table.ts'

/** Without a handshake nobody knows how offload packed segments; no path of today carries more in one. */
const MAX_UNKNOWN_LEN = 1500

/** The row carries data of `side`. */
export function data(
  state: DeliveryState,
  record: number,
  base: number,
  flow: number,
  side: number,
  dataLen: number,
  out: DecodedBatch,
  row: number,
): void {
  const { words } = state
  const block = blockAt(base, side)
  const path = words[base + PATH_AT]!
  const direction = path * 2 + side
  const seq = out.tcpSeq[row]!
  const end = (seq + dataLen) >>> 0
  const full = fullLen(state, flow, out.ipVersion[row]!)
  const wholeLen = out.ipLen[row]!
  const ipLen = full === 0 ? (wholeLen > MAX_UNKNOWN_LEN ? 0 : wholeLen) : Math.min(wholeLen, full)
  const perSegment = full - (wholeLen - dataLen)
  const segments = full !== 0 && wholeLen > full && perSegment > 0 ? Math.ceil(dataLen / perSegment) : 1
  if (dataLen === 1 && isWindowProbe(words, block, seq)) return
  const counter = direction * SIZE_CLASSES + sizeClassOf(ipLen)
  if (ipLen !== 0) state.paths.sentByClass[counter] = state.paths.sentByClass[counter]! + segments
  const mayBeCut = noteFragmentation(words, block, out, row)
  const flags = words[block + BLOCK_FLAGS]!
  const isWhole = perSegment > 0 && dataLen % perSegment === 0
  const isAssumed = (flags & SHRUNK) !== 0 || (segments > 1 && isDead(state, direction, ipLen))
  const sizeLen = mayBeCut || (isAssumed && !isWhole) ? 0 : ipLen
  if ((flags & NEXT_KNOWN) === 0) {
    words[block + FIRST] = seq
    words[block + NEXT] = end
    words[block + BLOCK_FLAGS] = flags | NEXT_KNOWN
    pushEntry(words, block, end | 0, sizeLen)
    return
  }
  const ahead = (seq - words[block + NEXT]!) | 0
  if (ahead >= 0) {
    if (ahead > 0) openGap(state, block, seq, ipLen)
    else if ((flags & GAP_OPEN) !== 0 && ipLen > words[block + GAP_LATER]!) words[block + GAP_LATER] = ipLen
    // A ring without the segments before this one would take their bytes for its own.
    if (ahead === 0 || (words[block + RING]! & 0xff) === 0) pushEntry(words, block, end | 0, sizeLen)
    words[block + NEXT] = end
    if (side === 0) request(state, record, base)
    return
  }
  if (
    (flags & GAP_OPEN) !== 0 &&
    ((seq - words[block + GAP_FROM]!) | 0) >= 0 &&
    ((words[block + GAP_TO]! - seq) | 0) > 0
  ) {
    if (ipLen !== 0 && isLate(state, flow, block)) countLost(state, path, block, end | 0, counter, segments)
    fillGap(state, block, seq, end)
  } else if (dataLen > 1) {
    if (ipLen !== 0 && !isAcknowledged(words, block, end)) countLost(state, path, block, end | 0, counter, segments)
    shrinkEntries(state, block, seq, end, mayBeCut ? 0 : ipLen)
    if ((words[block + BLOCK_FLAGS]! & ACKED_KNOWN) !== 0 && seq === words[block + ACKED]) {
      const segmentEnd = segments > 1 ? (seq + perSegment) >>> 0 : end
      again(state, record, block, path, direction, seq, segmentEnd, ipLen, full)
      if (mayBeCut && words[block + HEAD_SMALLER] === 0) words[block + HEAD_SMALLER] = MAY_BE_CUT
    }
  }
  if (((end - words[block + NEXT]!) | 0) > 0) words[block + NEXT] = end
}

/** One byte more than a closed window takes asks whether it is open (RFC 9293 3.8.6.1); it comes again with others. */
function isWindowProbe(words: Uint32Array, block: number, seq: number): boolean {
  return words[block + WINDOW] === 0 && seq === words[block + NEXT]
}

/** True for what routers may cut up after the sender forbade it before: what arrives so says nothing of its size. */
function noteFragmentation(words: Uint32Array, block: number, out: DecodedBatch, row: number): boolean {
  const flags = words[block + BLOCK_FLAGS]!
  if (out.ipVersion[row] !== 4) return false
  if ((out.flags[row]! & ROW_DF) === 0) return (flags & SENT_DF) !== 0
  words[block + BLOCK_FLAGS] = flags | SENT_DF
  return false
}

/** That size is known to die on the path; a frame that offload cuts up may go out in smaller packets. */
function isDead(state: DeliveryState, direction: number, ipLen: number): boolean {
  const lost = state.paths.lost[direction]!
  return lost !== 0 && ipLen >= lost
}

/** Sent again although it had arrived: a timer was impatient or an acknowledgement came late; nothing was lost (RFC 3522 1). */
function isAcknowledged(words: Uint32Array, block: number, end: number): boolean {
  return (words[block + BLOCK_FLAGS]! & ACKED_KNOWN) !== 0 && ((words[block + ACKED]! - end) | 0) >= 0
}

function countLost(
  state: DeliveryState,
  path: number,
  block: number,
  end: number,
  counter: number,
  segments: number,
): void {
  const { paths, words } = state
  words[block + LOST_END] = end
  words[block + LOST_COUNTER] = counter
  words[block + LOST_SEGMENTS] = segments
  paths.lostByClass[counter] = paths.lostByClass[counter]! + segments
  const now = state.nowLow[0]!
  const since = (now - paths.lossEventAt[path]!) >>> 0
  if (paths.lossEvents[path] !== 0 && since <= Math.max(LOSS_EVENT_MICROS, paths.minRoundTrip[path]!)) return
  paths.lossEvents[path] = paths.lossEvents[path]! + 1
  paths.lossEventAt[path] = now
}

/** New data of the client: the first request waits for its answer, a second one shows that the first was answered. */
function request(state: DeliveryState, record: number, base: number): void {
  const { words } = state
  const server = blockAt(base, 1)
  const bits = words[base + STATE_AT]!
  words[base + CLIENT_SEGMENTS_AT] = words[base + CLIENT_SEGMENTS_AT]! + 1
  words[base + REQUEST_AT] = state.nowLow[0]!
  if ((words[server + BLOCK_FLAGS]! & ACKED_KNOWN) !== 0 && words[server + ACKED] !== words[server + FIRST]) {
    words[base + STATE_AT] = bits & ~AWAITS_ANSWER
  } else if ((bits & STALL_TOLD) === 0) {
    words[base + STATE_AT] = bits | AWAITS_ANSWER
    arm(state, record)
  }
}

function openGap(state: DeliveryState, block: number, seq: number, ipLen: number): void {
  const { words } = state
  const flags = words[block + BLOCK_FLAGS]!
  if ((flags & GAP_OPEN) !== 0) {
    if (ipLen > words[block + GAP_LATER]!) words[block + GAP_LATER] = ipLen
    return
  }
  words[block + BLOCK_FLAGS] = (flags | GAP_OPEN) & ~GAP_CONFIRMED
  words[block + GAP_FROM] = words[block + NEXT]!
  words[block + GAP_TO] = seq
  words[block + GAP_OPENED] = state.nowLow[0]!
  words[block + GAP_LATER] = ipLen
}

function fillGap(state: DeliveryState, block: number, seq: number, end: number): void {
  const { words } = state
  if (((seq - words[block + GAP_FROM]!) | 0) <= 0) words[block + GAP_FROM] = end
  else if (((end - words[block + GAP_TO]!) | 0) >= 0) words[block + GAP_TO] = seq
  if (((words[block + GAP_FROM]! - words[block + GAP_TO]!) | 0) >= 0) {
    words[block + BLOCK_FLAGS] = words[block + BLOCK_FLAGS]! & ~(GAP_OPEN | GAP_CONFIRMED)
  }
}

/** What fills a gap sooner than anybody could have asked for it was only late. */
function isLate(state: DeliveryState, flow: number, block: number): boolean {
  const { words } = state
  const roundTrip = roundTripOf(state, flow)
  return sinceThen(state, words[block + GAP_OPENED]!) >= (roundTrip > 0 ? roundTrip : REORDERING_MICROS)
}

/** Of bytes that came at two sizes nobody knows which one was acknowledged: the smaller one is sure. */
function shrinkEntries(state: DeliveryState, block: number, seq: number, end: number, ipLen: number): void {
  const { words } = state
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
  state: DeliveryState,
  record: number,
  block: number,
  path: number,
  direction: number,
  seq: number,
  end: number,
  ipLen: number,
  full: number,
): void {
  const { words } = state
  if (ipLen === 0) return
  const flags = words[block + BLOCK_FLAGS]!
  if ((flags & HEAD_ACTIVE) === 0 || words[block + HEAD_SEQ] !== seq) {
    words[block + BLOCK_FLAGS] = (flags | HEAD_ACTIVE) & ~(LOSS_TOLD | LOSS_PROVEN)
    words[block + HEAD_SEQ] = seq
    words[block + HEAD_END] = end
    words[block + HEAD_LEN] = ipLen
    words[block + HEAD_SENT] = 2
    words[block + HEAD_SINCE] = words[block + PROGRESS]!
    words[block + HEAD_LAST] = state.nowLow[0]!
    words[block + HEAD_INTERVAL] = 0
    words[block + HEAD_DOUBLINGS] = 0
    words[block + HEAD_SMALLER] = 0
    return
  }
  if (ipLen < words[block + HEAD_LEN]!) {
    words[block + HEAD_SMALLER] = ipLen
    words[block + BLOCK_FLAGS] = flags | SHRUNK
    return
  }
  words[block + HEAD_SENT] = words[block + HEAD_SENT]! + 1
  const interval = sinceThen(state, words[block + HEAD_LAST]!)
  const before = words[block + HEAD_INTERVAL]!
  if (before >= MIN_TIMER_INTERVAL_MICROS && interval * 2 >= before * 3) {
    words[block + HEAD_DOUBLINGS] = words[block + HEAD_DOUBLINGS]! + 1
  }
  words[block + HEAD_INTERVAL] = interval
  words[block + HEAD_LAST] = state.nowLow[0]!
  const resent = words[block + HEAD_SENT]! - 1
  if (ipLen <= SMALL_PACKET_LEN && ipLen < full) {
    if (resent >= 2) state.paths.smallStalled[path] = 1
    return
  }
  const sacked = words[block + SACKED_LEN]!
  if (resent >= 2 && sacked !== 0 && sacked < words[block + HEAD_LEN]!) {
    if ((flags & LOSS_PROVEN) === 0) state.facts.sackHole(record, direction & 1, state.nowMicros[0]!)
  } else if (resent >= 3 && sacked === 0 && words[block + HEAD_DOUBLINGS] !== 0 && (flags & LOSS_TOLD) === 0) {
    if (!hasSmallerBehind(state, block)) state.facts.timedOut(record, direction & 1, state.nowMicros[0]!)
  }
}

/** A smaller segment was sent after the head and nobody acknowledged it either: then size is not the reason. */
function hasSmallerBehind(state: DeliveryState, block: number): boolean {
  const { words } = state
  const entries = words[block + RING]! & 0xff
  for (let index = 1; index < entries; index++) {
    const ipLen = words[entryAt(words, block, index) + 1]!
    if (ipLen !== 0 && ipLen < words[block + HEAD_LEN]!) return true
  }
  return false
}
