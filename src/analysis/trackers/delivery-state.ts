// HOT PATH. What the parts of the delivery tracker share: the pool, packet time, and what the flow record tells.
import { FIRST_DELIVERIES, MAX_DELIVERIES } from '../../constants/limits.ts'
import { TCP_HEADERS_V4, TCP_HEADERS_V6 } from '../../constants/tunnel-overhead.ts'
import type { FactHandlers } from '../../model/facts.ts'
import { createDeliveryFacts, type DeliveryFacts } from './delivery-facts.ts'
import { DELIVERY_WORDS } from './delivery-record.ts'
import { FLOW_HANDSHAKE_DONE, STATE_AT as FLOW_STATE_AT, HANDSHAKE_AT, MSS_AT } from './flow-record.ts'
import type { FlowTable } from './flows.ts'
import type { PathTable } from './path-table.ts'

/** What the parts of the delivery tracker share. */
export interface DeliveryState {
  /** Records of the pool, DELIVERY_WORDS each, record 0 unused. Another array when the pool has grown. */
  words: Uint32Array
  /** The flow table's words, which move when it grows. */
  flowWords: Uint32Array
  /** Packet time and its low 32 bits; in arrays, for a large number in a variable is a new object at every change. */
  readonly nowMicros: Float64Array
  readonly nowLow: Uint32Array
  /** Records that a deadline may be due for; as many as there is room for. */
  armed: Uint8Array
  armedCount: number
  /** Data segments by hash and when they were seen: the same packet seen twice is not sent twice (delivery-copies). */
  readonly seenHashes: Int32Array
  readonly seenLow: Uint32Array
  readonly paths: PathTable
  readonly facts: DeliveryFacts
}

/** A power of two: the segments of the fastest links within DUPLICATE_MICROS. */
export const SEEN_SEGMENTS = 4096

export function createDeliveryState(flows: FlowTable, paths: PathTable, handlers: FactHandlers): DeliveryState {
  const state: DeliveryState = {
    words: new Uint32Array(FIRST_DELIVERIES * DELIVERY_WORDS),
    flowWords: flows.words,
    nowMicros: new Float64Array(1),
    nowLow: new Uint32Array(1),
    armed: new Uint8Array(FIRST_DELIVERIES),
    armedCount: 0,
    seenHashes: new Int32Array(SEEN_SEGMENTS),
    seenLow: new Uint32Array(SEEN_SEGMENTS),
    paths,
    facts: createDeliveryFacts(flows, () => state.words, paths, handlers),
  }
  return state
}

/** COLD PATH: once for every doubling. */
export function growPool(state: DeliveryState): void {
  const records = Math.min(state.armed.length * 2, MAX_DELIVERIES + 1)
  const { words, armed } = state
  state.words = new Uint32Array(records * DELIVERY_WORDS)
  state.words.set(words)
  state.armed = new Uint8Array(records)
  state.armed.set(armed)
}

/** Microseconds since then; clocks that jump back give 0. */
export function sinceThen(state: DeliveryState, low: number): number {
  const elapsed = (state.nowLow[0]! - low) >>> 0
  return elapsed > 0x7fff_ffff ? 0 : elapsed
}

/** IP length of a full segment by both announcements (RFC 6691 2); 0 when no SYN was seen. */
export function fullLen(state: DeliveryState, flow: number, ipVersion: number): number {
  const mss = state.flowWords[flow + MSS_AT]!
  const client = mss & 0xffff
  const server = mss >>> 16
  const least = client === 0 ? server : server === 0 || client < server ? client : server
  if (least === 0) return 0
  return least + (ipVersion === 4 ? TCP_HEADERS_V4 : TCP_HEADERS_V6)
}

export function roundTripOf(state: DeliveryState, flow: number): number {
  return (state.flowWords[flow + FLOW_STATE_AT]! & FLOW_HANDSHAKE_DONE) !== 0
    ? state.flowWords[flow + HANDSHAKE_AT]!
    : 0
}

export function arm(state: DeliveryState, record: number): void {
  if (state.armed[record] !== 0) return
  state.armed[record] = 1
  state.armedCount++
}

export function disarm(state: DeliveryState, record: number): void {
  if (state.armed[record] === 0) return
  state.armed[record] = 0
  state.armedCount--
}
