// HOT PATH. The same segment seen twice: on a bridge and its port, on both sides of a router, on a mirrored port (rules.md X12).
import { DUPLICATE_MICROS } from '../../constants/limits.ts'
import type { DecodedBatch } from '../../model/decoded-batch.ts'
import { type DeliveryState, roundTripOf, SEEN_SEGMENTS, sinceThen } from './delivery-state.ts'

/**
 * The data segment of `record` is the very packet that was seen a moment ago. Senders give what they send again another
 * identification; where there is none, nobody can have asked for it within less than a round trip.
 */
export function isCopy(
  state: DeliveryState,
  record: number,
  flow: number,
  side: number,
  dataLen: number,
  out: DecodedBatch,
  row: number,
): boolean {
  const id = out.ipId[row]!
  let hash = Math.imul(out.tcpSeq[row]! ^ (id << 16), 0x9e3779b1)
  hash = Math.imul(hash ^ (hash >>> 15) ^ dataLen, 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13) ^ ((record << 1) | side), 0xc2b2ae35)
  const place = (hash >>> 16) & (SEEN_SEGMENTS - 1)
  const isKnown = state.seenHashes[place] === hash
  const elapsed = sinceThen(state, state.seenLow[place]!)
  state.seenHashes[place] = hash
  state.seenLow[place] = state.nowLow[0]!
  if (!isKnown || elapsed >= DUPLICATE_MICROS) return false
  const roundTrip = roundTripOf(state, flow)
  return id !== 0 || roundTrip === 0 || elapsed < roundTrip
}
