// HOT PATH. IP fragments put together: RFC 791 3.2, RFC 8200 4.5. Bounded in datagrams, bytes and packet time.
import {
  FRAGMENT_TIMEOUT_MICROS,
  HELD_PIECE_COST,
  MAX_FRAGMENT_BYTES,
  MAX_FRAGMENT_SETS,
  MAX_REASSEMBLY_DEPTH,
} from '../../constants/limits.ts'
import { IPPROTO_UDP } from '../../constants/wire.ts'
import { u16 } from '../../decoders/cursor.ts'
import { decodeFrom } from '../../decoders/decode-batch.ts'
import { type DecodedBatch, ROW_INNER, ROW_MF, ROW_REASSEMBLED } from '../../model/decoded-batch.ts'
import type { FragmentSetFact } from '../../model/facts.ts'
import { LAYER_IP_PROTOCOL } from '../../model/layer.ts'
import type { PacketBatch } from '../../model/packet-batch.ts'
import type { Writable } from '../writable.ts'
import { type FragmentSet, factOf, freshSet, hashOfDatagram, isSameDatagram, reach } from './fragment-set.ts'
import { createPiecePool, type Piece } from './piece-pool.ts'
import { createScratchRow, fillScratchRow, type ScratchRow } from './scratch-row.ts'

const MAX_DATAGRAM_LEN = 65_535
const FRAGMENT_UNIT_LEN = 8
const UDP_HEADER_LEN = 8
const UDP_LENGTH_AT = 4
const SWEEP_MICROS = 1_000_000
/** A frame captured twice comes again at once; later the identification is in use again (RFC 6864 4.1). */
const REPETITION_MICROS = 1_000_000
/** Twice as many as there may be sets. */
const BUCKETS = MAX_FRAGMENT_SETS * 2

export interface FragmentTracker {
  /** Takes a row with ROW_FRAGMENT. When it completes a datagram, or none can be, that is decoded and handed on. */
  fragment(batch: PacketBatch, out: DecodedBatch, row: number): void
  /** Gives up what waited too long. Cheap when called often. */
  tick(timeMicros: number): void
  /** Forgets everything; what is unfinished and not yet due is no loss, the capture just ended. */
  end(): void
  readonly count: number
  /** Bytes held, as they are bounded. */
  readonly heldLen: number
}

export interface FragmentHandlers {
  /**
   * Row 0 of both is the datagram, decoded from its transport header on, with ROW_REASSEMBLED; or as much of it as the
   * capture holds. Once for each datagram; valid during the call.
   */
  completed(batch: PacketBatch, out: DecodedBatch): void
  /** Told when a set times out or its fragments contradict each other. */
  fragmentSet?: ((fact: FragmentSetFact) => void) | undefined
}

export function createFragmentTracker(handlers: FragmentHandlers): FragmentTracker {
  const pool = createPiecePool()
  const buckets = new Array<FragmentSet | undefined>(BUCKETS).fill(undefined)
  const free: FragmentSet[] = []
  const scratches: ScratchRow[] = []
  const buffers: Uint8Array[] = []
  let oldest: FragmentSet | undefined
  let newest: FragmentSet | undefined
  let depth = 0
  let nextSweepMicros = Number.NEGATIVE_INFINITY
  /** No set is due before. */
  let earliestMicros = Number.POSITIVE_INFINITY

  function fragment(batch: PacketBatch, out: DecodedBatch, row: number): void {
    const offset = out.fragmentOffset[row]!
    const wireLen = wireLenOf(out, row)
    const more = (out.flags[row]! & ROW_MF) !== 0
    // RFC 8200 4.5: every fragment but the last is a multiple of 8 long, and none reaches beyond the longest datagram.
    if (wireLen === 0 || offset + wireLen > MAX_DATAGRAM_LEN || (more && wireLen % FRAGMENT_UNIT_LEN !== 0)) return
    const set = setOf(batch, out, row)
    if (set.discarded) return
    const endAt = offset + wireLen
    if (set.totalLen >= 0 ? endAt > set.totalLen || (!more && endAt !== set.totalLen) : !more && endAt < reach(set)) {
      contradiction(set, batch, row)
      return
    }
    if (!more) set.totalLen = endAt
    if (offset === 0) set.ipProtocol = out.ipProtocol[row]!
    const fits = place(set, offset, wireLen, batch.bytes, out.payloadAt[row]!, out.payloadLen[row]!)
    if (!fits) contradiction(set, batch, row)
    if (!set.discarded && set.receivedLen === set.totalLen) complete(set, batch, out, row)
    else if (offset === 0 && !set.discarded) beginning(set, batch, out, row)
    while (tracker.heldLen > MAX_FRAGMENT_BYTES) remove(oldest!)
  }

  function setOf(batch: PacketBatch, out: DecodedBatch, row: number): FragmentSet {
    const time = batch.timeMicros[row]!
    const bucket = hashOfDatagram(batch, out, row) & (BUCKETS - 1)
    let found = buckets[bucket]
    while (found !== undefined && !isSameDatagram(found, batch, out, row)) found = found.next
    if (found !== undefined) {
      const isReuse = found.settled && !found.discarded && found.pieces.length === 0
      if (!isReuse && time <= found.deadlineMicros) return found
      if (isReuse && time - found.settledMicros <= REPETITION_MICROS) {
        found.deadlineMicros = time + FRAGMENT_TIMEOUT_MICROS
        return found
      }
      expire(found)
    }
    if (tracker.count === MAX_FRAGMENT_SETS) remove(oldest!)
    const set = free.pop() ?? freshSet()
    for (let word = 0; word < 8; word++) set.addresses[word] = out.addresses[(row << 3) + word]!
    set.interfaceId = batch.interfaceId[row]!
    set.inner = (out.flags[row]! & ROW_INNER) !== 0
    set.ipVersion = out.ipVersion[row]!
    set.ipProtocol = out.ipProtocol[row]!
    set.ipId = out.ipId[row]!
    set.deadlineMicros = time + FRAGMENT_TIMEOUT_MICROS
    set.frameNumber = batch.frameNumber[row]!
    set.receivedLen = 0
    set.totalLen = -1
    set.cost = HELD_PIECE_COST
    set.settled = false
    set.discarded = false
    set.overlapTold = false
    set.told = false
    insert(set, bucket)
    return set
  }

  function insert(set: FragmentSet, bucket: number): void {
    set.bucket = bucket
    set.next = buckets[bucket]
    buckets[bucket] = set
    set.older = newest
    set.newer = undefined
    if (newest === undefined) oldest = set
    else newest.newer = set
    newest = set
    tracker.count++
    tracker.heldLen += set.cost
    if (set.deadlineMicros < earliestMicros) earliestMicros = set.deadlineMicros
  }

  /**
   * Adds what is new of bytes[startAt .. startAt + len). False when it overlaps others and is no repetition.
   * Where IPv4 fragments overlap, what came first stays: a later one cannot rewrite what may have been judged already.
   */
  function place(
    set: FragmentSet,
    offset: number,
    wireLen: number,
    bytes: Uint8Array,
    startAt: number,
    len: number,
  ): boolean {
    const { pieces } = set
    const endAt = offset + wireLen
    let fits = true
    let at = offset
    let index = pieces.length
    while (index > 0 && pieces[index - 1]!.offset + pieces[index - 1]!.wireLen > at) index--
    while (at < endAt) {
      const next = pieces[index]
      if (next !== undefined && next.offset <= at) {
        fits &&= isRepetition(next, set.ipVersion, offset, wireLen, bytes, startAt, len)
        at = next.offset + next.wireLen
        index++
        continue
      }
      const partEndAt = next === undefined ? endAt : Math.min(endAt, next.offset)
      const from = at - offset
      const partLen = Math.max(0, Math.min(partEndAt - offset, len) - from)
      const piece = pool.take(at, partEndAt - at, bytes, startAt + from, partLen)
      insertAt(pieces, index, piece)
      set.receivedLen += partEndAt - at
      const cost = piece.bytes.length + HELD_PIECE_COST
      set.cost += cost
      tracker.heldLen += cost
      at = partEndAt
      index++
    }
    return fits
  }

  /** RFC 5722 4: an IPv6 datagram with overlapping fragments is thrown away, silently and for good. */
  function contradiction(set: FragmentSet, batch: PacketBatch, row: number): void {
    if (!set.overlapTold && !set.settled) {
      set.overlapTold = true
      handlers.fragmentSet?.(factOf(set, 'overlap', batch.timeMicros[row]!, batch.frameNumber[row]!))
    }
    if (set.ipVersion === 6) {
      release(set)
      set.discarded = true
      set.settled = true
    }
  }

  /** The set is done with before anybody hears: what the datagram holds may be fragments again, and push it out. */
  function complete(set: FragmentSet, batch: PacketBatch, out: DecodedBatch, row: number): void {
    const { totalLen, ipProtocol } = set
    const headerLen = set.ipVersion === 4 ? 20 : 40
    const isRead = depth < MAX_REASSEMBLY_DEPTH && !set.told
    if (isRead) makeRoomAt(depth)
    const endAt = isRead ? join(set.pieces, buffers[depth]!) : 0
    release(set)
    set.settled = true
    set.settledMicros = batch.timeMicros[row]!
    if (!isRead) return
    fillScratchRow(scratches[depth]!, batch, out, row, buffers[depth]!, 0, endAt, totalLen)
    hand(ipProtocol, totalLen + headerLen)
  }

  /**
   * A first fragment that the capture cut: whatever comes after, no more of its datagram can be read than stands here.
   * Of UDP only, whose header says how long the datagram is.
   */
  function beginning(set: FragmentSet, batch: PacketBatch, out: DecodedBatch, row: number): void {
    const at = out.payloadAt[row]!
    const len = out.payloadLen[row]!
    const wireLen = wireLenOf(out, row)
    if (len >= wireLen || len < UDP_HEADER_LEN || set.ipProtocol !== IPPROTO_UDP) return
    if (set.told || depth === MAX_REASSEMBLY_DEPTH) return
    set.told = true
    makeRoomAt(depth)
    const totalLen = Math.max(u16(batch.bytes, at + UDP_LENGTH_AT), wireLen)
    fillScratchRow(scratches[depth]!, batch, out, row, batch.bytes, at, at + len, totalLen)
    hand(IPPROTO_UDP, totalLen + (set.ipVersion === 4 ? 20 : 40))
  }

  /** Decodes the scratch row of this depth and hands it on. */
  function hand(ipProtocol: number, ipLen: number): void {
    const scratch = scratches[depth]!
    scratch.out.ipProtocol[0] = ipProtocol
    scratch.out.flags[0] = scratch.out.flags[0]! | ROW_REASSEMBLED
    scratch.out.ipLen[0] = ipLen
    scratch.cursor.next = ipProtocol
    decodeFrom(LAYER_IP_PROTOCOL, scratch.cursor, scratch.out, 0)
    depth++
    handlers.completed(scratch.batch, scratch.out)
    depth--
  }

  /** COLD PATH: once for every depth. */
  function makeRoomAt(at: number): void {
    scratches[at] ??= createScratchRow()
    buffers[at] ??= new Uint8Array(MAX_DATAGRAM_LEN)
  }

  /** Gives the pieces' memory back; the set itself stays to know repetitions. */
  function release(set: FragmentSet): void {
    tracker.heldLen -= set.cost - HELD_PIECE_COST
    set.cost = HELD_PIECE_COST
    for (let index = 0; index < set.pieces.length; index++) pool.give(set.pieces[index]!)
    set.pieces.length = 0
    set.receivedLen = 0
    set.totalLen = -1
  }

  /** The set is forgotten and its memory used for another one. */
  function remove(set: FragmentSet): void {
    release(set)
    tracker.heldLen -= set.cost
    if (buckets[set.bucket] === set) buckets[set.bucket] = set.next
    else {
      let before = buckets[set.bucket]!
      while (before.next !== set) before = before.next!
      before.next = set.next
    }
    if (set.older === undefined) oldest = set.newer
    else set.older.newer = set.newer
    if (set.newer === undefined) newest = set.older
    else set.newer.older = set.older
    set.next = undefined
    set.older = undefined
    set.newer = undefined
    free.push(set)
    tracker.count--
  }

  function expire(set: FragmentSet): void {
    if (!set.settled) handlers.fragmentSet?.(factOf(set, 'lost', set.deadlineMicros, set.frameNumber))
    remove(set)
  }

  const tracker: Writable<FragmentTracker> = {
    count: 0,
    heldLen: 0,
    fragment,
    tick(timeMicros) {
      if (timeMicros < nextSweepMicros && nextSweepMicros - timeMicros <= SWEEP_MICROS) return
      nextSweepMicros = timeMicros + SWEEP_MICROS
      if (timeMicros <= earliestMicros) return
      earliestMicros = Number.POSITIVE_INFINITY
      for (let set = oldest; set !== undefined; ) {
        const { newer } = set
        if (timeMicros > set.deadlineMicros) expire(set)
        else if (set.deadlineMicros < earliestMicros) earliestMicros = set.deadlineMicros
        set = newer
      }
    },
    end() {
      while (oldest !== undefined) remove(oldest)
    },
  }
  return tracker
}

/** The length of the fragment's data as IP tells it: some tools shorten frames and do not say so. */
function wireLenOf(out: DecodedBatch, row: number): number {
  const toldLen = out.ipAt[row]! + out.ipLen[row]! - out.payloadAt[row]!
  return Math.max(out.payloadWireLen[row]!, toldLen)
}

/**
 * The fragment says the same as the piece, as far as both were captured. Of IPv4 a router may cut one copy of a datagram
 * smaller than another; of IPv6 nobody on the way cuts, so the bounds are the same too (RFC 8200 4.5).
 */
function isRepetition(
  old: Piece,
  ipVersion: number,
  offset: number,
  wireLen: number,
  bytes: Uint8Array,
  startAt: number,
  len: number,
): boolean {
  if (ipVersion === 6 && (offset !== old.offset || wireLen !== old.wireLen)) return false
  const endAt = Math.min(offset + len, old.offset + old.len)
  for (let at = Math.max(offset, old.offset); at < endAt; at++) {
    if (old.bytes[at - old.offset] !== bytes[startAt + at - offset]) return false
  }
  return true
}

/** Fragments come in order as a rule. */
function insertAt(pieces: Piece[], index: number, piece: Piece): void {
  pieces.push(piece)
  for (let at = pieces.length - 1; at > index; at--) {
    pieces[at] = pieces[at - 1]!
    pieces[at - 1] = piece
  }
}

/** Copies the pieces of a whole datagram; returns the end of what is there without a gap. */
function join(pieces: readonly Piece[], buffer: Uint8Array): number {
  let endAt = 0
  for (let index = 0; index < pieces.length; index++) {
    const piece = pieces[index]!
    for (let i = 0; i < piece.len; i++) buffer[piece.offset + i] = piece.bytes[i]!
    endAt = piece.offset + piece.len
    if (piece.len < piece.wireLen) break
  }
  return endAt
}
