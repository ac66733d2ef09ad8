// Facts about size, silence and resets, made from a connection's delivery record. Judges whether a size may be blamed.

import { TCP_HEADERS_V4, TCP_HEADERS_V6 } from '../../constants/tunnel-overhead.ts'
import type { ResetFact, SizeLossFact, StallFact } from '../../model/connection-facts.ts'
import type { FactHandlers } from '../../model/facts.ts'
import {
  ACKED,
  ACKED_KNOWN,
  BLOCK_FLAGS,
  blockAt,
  CLIENT_SEGMENTS_AT,
  DELIVERY_WORDS,
  FIRST,
  GAP_FROM,
  GAP_LATER,
  GAP_OPEN,
  GAP_SINCE,
  GAP_TO,
  HANDSHAKE_ID_AT,
  HANDSHAKE_TTL_AT,
  HEAD_ACTIVE,
  HEAD_LEN,
  HEAD_SENT,
  HEAD_SINCE,
  LOSS_PROVEN,
  LOSS_TOLD,
  NEXT,
  PATH_AT,
  SLOT_AT,
  WINDOW,
} from './delivery-record.ts'
import { connectionOf } from './flow-fact.ts'
import { FLOW_HANDSHAKE_DONE, FLOW_SHIFT, STATE_AT as FLOW_STATE_AT } from './flow-record.ts'
import type { FlowTable } from './flows.ts'
import { type PathTable, SMALL_PACKET_LEN, sizeClassOf, sumOfClasses } from './path-table.ts'

/** `record` is the index in the pool, `side` the sender of the data: 0 client, 1 server. */
export interface DeliveryFacts {
  sackHole(record: number, side: number, timeMicros: number): void
  timedOut(record: number, side: number, timeMicros: number): void
  reSegmented(record: number, side: number, timeMicros: number): void
  gap(record: number, side: number, mss: number, timeMicros: number): void
  sizePassed(path: number, side: number, passedLen: number, timeMicros: number): void
  stall(record: number, quietMicros: number, timeMicros: number, closedByClient: boolean): void
  reset(record: number, side: number, ttl: number, ipId: number, sinceMicros: number, timeMicros: number): void
}

/** Above this share of small segments lost, loss is random and says nothing about sizes (rules.md 2.2). */
const MAX_SMALL_LOSS = 0.02
/** Below so many lost ones a share says nothing. */
const MIN_SMALL_LOST = 2

/** `pool` gives the records as they lie now. */
export function createDeliveryFacts(
  flows: FlowTable,
  pool: () => Uint32Array,
  paths: PathTable,
  handlers: FactHandlers,
): DeliveryFacts {
  function tell(record: number, side: number, timeMicros: number, loss: Partial<SizeLossFact>): void {
    if (handlers.sizeLoss === undefined) return
    const words = pool()
    const base = record * DELIVERY_WORDS
    const block = blockAt(base, side)
    const path = words[base + PATH_AT]!
    const direction = path * 2 + side
    const slot = words[base + SLOT_AT]! - 1
    const { lostLen = 0, proof = 'timeouts' } = loss
    words[block + BLOCK_FLAGS] = words[block + BLOCK_FLAGS]! | LOSS_TOLD | (proof === 'timeouts' ? 0 : LOSS_PROVEN)
    const deliveredLen = paths.delivered[direction]!
    if (lostLen <= deliveredLen || isToldOtherwise(path, lostLen) || lossIsRandom(direction, lostLen)) return
    if (proof === 'timeouts' && !isOpen(slot)) return
    // Nothing passes any more: then no size is to blame. A SACK or the same bytes in smaller segments show that something does.
    if ((proof === 'timeouts' || proof === 'gap') && paths.smallStalled[path] !== 0) return
    const held = paths.lost[direction]!
    if (held === 0 || lostLen < held) paths.lost[direction] = lostLen
    handlers.sizeLoss({
      ...connectionOf(flows, slot),
      timeMicros,
      path,
      fromClient: side === 0,
      seenHere: true,
      proof,
      lostLen,
      deliveredLen,
      sentCount: words[block + HEAD_SENT]!,
      sinceMicros: timeMicros - elapsed(timeMicros, words[block + HEAD_SINCE]!),
      ...loss,
    })
  }

  /** Somebody sends "too big" messages about this path: then it is no black hole, whatever becomes of them. */
  function isToldOtherwise(path: number, lostLen: number): boolean {
    const told = paths.told[path]!
    return told !== 0 && told < lostLen
  }

  function lossIsRandom(direction: number, lostLen: number): boolean {
    const upTo = Math.min(sizeClassOf(SMALL_PACKET_LEN) + 1, sizeClassOf(lostLen))
    const lost = sumOfClasses(paths.lostByClass, direction, 0, upTo)
    const sent = sumOfClasses(paths.sentByClass, direction, 0, upTo)
    return lost >= MIN_SMALL_LOST && lost > sent * MAX_SMALL_LOSS
  }

  function isOpen(slot: number): boolean {
    return (flows.words[(slot << FLOW_SHIFT) + FLOW_STATE_AT]! & FLOW_HANDSHAKE_DONE) !== 0
  }

  /** The receiver's window had room for the segment. */
  function hadRoom(block: number): boolean {
    const words = pool()
    return words[block + WINDOW]! >= words[block + HEAD_LEN]!
  }

  function headLen(block: number): number {
    return pool()[block + HEAD_LEN]!
  }

  return {
    sackHole(record, side, timeMicros) {
      const block = blockAt(record * DELIVERY_WORDS, side)
      tell(record, side, timeMicros, { proof: 'sack-hole', lostLen: headLen(block) })
    },
    timedOut(record, side, timeMicros) {
      const block = blockAt(record * DELIVERY_WORDS, side)
      if (hadRoom(block)) tell(record, side, timeMicros, { proof: 'timeouts', lostLen: headLen(block) })
    },
    reSegmented(record, side, timeMicros) {
      const block = blockAt(record * DELIVERY_WORDS, side)
      if (hadRoom(block)) {
        tell(record, side, timeMicros, { proof: 're-segmentation', lostLen: headLen(block) })
      }
    },
    gap(record, side, mss, timeMicros) {
      const words = pool()
      const base = record * DELIVERY_WORDS
      const block = blockAt(base, side)
      const { ipVersion } = connectionOf(flows, words[base + SLOT_AT]! - 1)
      const lostLen = mss + (ipVersion === 4 ? TCP_HEADERS_V4 : TCP_HEADERS_V6)
      if (words[block + GAP_LATER]! >= lostLen) return
      const sinceMicros = timeMicros - elapsed(timeMicros, words[block + GAP_SINCE]!)
      tell(record, side, timeMicros, { proof: 'gap', lostLen, seenHere: false, sentCount: 0, sinceMicros })
    },
    sizePassed(path, side, passedLen, timeMicros) {
      handlers.sizePassed?.({ path, fromClient: side === 0, passedLen, timeMicros })
    },
    stall(record, quietMicros, timeMicros, closedByClient) {
      if (handlers.stall === undefined) return
      const words = pool()
      const base = record * DELIVERY_WORDS
      const client = blockAt(base, 0)
      const server = blockAt(base, 1)
      const isResent = (words[client + BLOCK_FLAGS]! & HEAD_ACTIVE) !== 0
      const hasGap = (words[server + BLOCK_FLAGS]! & GAP_OPEN) !== 0
      // Written to and not copied, here and below: with so many fields a copy costs more than all the rest.
      const fact = connectionOf(flows, words[base + SLOT_AT]! - 1) as StallFact
      fact.timeMicros = timeMicros
      fact.path = words[base + PATH_AT]!
      fact.quietMillis = Math.round(quietMicros / 1000)
      fact.clientBytes = (words[client + NEXT]! - words[client + FIRST]!) >>> 0
      fact.clientAckedBytes = bytesAcknowledged(client)
      fact.serverBytes = bytesAcknowledged(server)
      fact.serverSeenBytes = (words[server + NEXT]! - words[server + FIRST]!) >>> 0
      fact.clientAcknowledged = words[client + ACKED] === words[client + NEXT]
      fact.sentCount = isResent ? words[client + HEAD_SENT]! : 1
      fact.sentLen = isResent ? words[client + HEAD_LEN]! : 0
      fact.gapLen = hasGap ? (words[server + GAP_TO]! - words[server + GAP_FROM]!) >>> 0 : 0
      fact.closedByClient = closedByClient
      handlers.stall(fact)
    },
    reset(record, side, ttl, ipId, sinceMicros, timeMicros) {
      if (handlers.reset === undefined) return
      const words = pool()
      const base = record * DELIVERY_WORDS
      const client = blockAt(base, 0)
      const handshakeTtl = words[base + HANDSHAKE_TTL_AT]!
      const fact = connectionOf(flows, words[base + SLOT_AT]! - 1) as ResetFact
      fact.timeMicros = timeMicros
      fact.fromClient = side === 0
      fact.ttl = ttl
      fact.handshakeTtl = handshakeTtl === 0 ? -1 : handshakeTtl
      fact.ipId = ipId
      fact.handshakeIpId = words[base + HANDSHAKE_ID_AT]!
      fact.clientBytes = (words[client + NEXT]! - words[client + FIRST]!) >>> 0
      fact.serverBytes = bytesAcknowledged(blockAt(base, 1))
      fact.sinceRequestMillis = sinceMicros < 0 ? -1 : Math.round(sinceMicros / 1000)
      fact.clientSegments = words[base + CLIENT_SEGMENTS_AT]!
      handlers.reset(fact)
    },
  }

  function bytesAcknowledged(block: number): number {
    const words = pool()
    if ((words[block + BLOCK_FLAGS]! & ACKED_KNOWN) === 0) return 0
    const bytes = (words[block + ACKED]! - words[block + FIRST]!) | 0
    return Math.max(bytes, 0)
  }
}

function elapsed(nowMicros: number, low: number): number {
  const micros = ((nowMicros % 0x1_0000_0000) - low) >>> 0
  return micros > 0x7fff_ffff ? 0 : micros
}
