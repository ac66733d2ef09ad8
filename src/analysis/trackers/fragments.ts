// IP fragments put together: RFC 791 3.2, RFC 8200 4.5. Bounded in datagrams, bytes and packet time.
import {
  FRAGMENT_TIMEOUT_MICROS,
  HELD_PIECE_COST,
  MAX_FRAGMENT_BYTES,
  MAX_FRAGMENT_SETS,
  MAX_REASSEMBLY_DEPTH,
} from '../../constants/limits.ts'
import { decodeFrom } from '../../decoders/decode-batch.ts'
import { type DecodedBatch, ROW_INNER, ROW_MF, ROW_REASSEMBLED } from '../../model/decoded-batch.ts'
import type { FragmentSetFact } from '../../model/facts.ts'
import { LAYER_IP_PROTOCOL } from '../../model/layer.ts'
import type { PacketBatch } from '../../model/packet-batch.ts'
import { addressText } from '../../text/address.ts'
import { createScratchRow, fillScratchRow, type ScratchRow } from './scratch-row.ts'

const MAX_DATAGRAM_LEN = 65_535
const FRAGMENT_UNIT_LEN = 8
const SWEEP_MICROS = 1_000_000
/** A frame captured twice comes again at once; later the identification is in use again (RFC 6864 4.1). */
const REPETITION_MICROS = 1_000_000

/** Part of a datagram; pieces of one set are sorted and do not overlap. */
interface Piece {
  offset: number
  /** Bytes on the wire; more than `bytes` when the capture cut the fragment. */
  wireLen: number
  bytes: Uint8Array
}

/** The fragments of one datagram: same source, destination, identification and, for IPv4, protocol. */
interface FragmentSet {
  hash: number
  addresses: Uint32Array
  interfaceId: number
  inner: boolean
  ipVersion: number
  /** The first fragment's, whose header chain counts (RFC 8200 4.5); another's until it comes. */
  ipProtocol: number
  ipId: number
  deadlineMicros: number
  /** The frame of the fragment that came first. */
  frameNumber: number
  pieces: Piece[]
  receivedLen: number
  /** −1 until the last fragment came. */
  totalLen: number
  /** What the pieces cost. */
  cost: number
  /** When it was completed or thrown away; what comes just after is a repetition that nobody misses. */
  settledMicros: number
  settled: boolean
  /** Nothing of it may be used any more (RFC 5722). */
  discarded: boolean
  overlapTold: boolean
}

export interface FragmentTracker {
  /** Takes a row with ROW_FRAGMENT. When it completes a datagram that is decoded and handed to `completed`. */
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
  /** Row 0 of both is the datagram, decoded from its transport header on, with ROW_REASSEMBLED. Valid during the call. */
  completed(batch: PacketBatch, out: DecodedBatch): void
  /** Told when a set times out or its fragments contradict each other. */
  fragmentSet?: ((fact: FragmentSetFact) => void) | undefined
}

export function createFragmentTracker(handlers: FragmentHandlers): FragmentTracker {
  /** By hash; sets of equal hash share a list, which is nearly always of one. Oldest first. */
  const sets = new Map<number, FragmentSet[]>()
  const scratches: ScratchRow[] = []
  const buffers: Uint8Array[] = []
  let count = 0
  let heldLen = 0
  let depth = 0
  let nextSweepMicros = Number.NEGATIVE_INFINITY

  function fragment(batch: PacketBatch, out: DecodedBatch, row: number): void {
    const offset = out.fragmentOffset[row]!
    const wireLen = out.payloadWireLen[row]!
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
    const startAt = out.payloadAt[row]!
    const bytes = batch.bytes.slice(startAt, startAt + out.payloadLen[row]!)
    if (!place(set, { offset, wireLen, bytes })) contradiction(set, batch, row)
    if (!set.discarded && set.receivedLen === set.totalLen) complete(set, batch, out, row)
    while (heldLen > MAX_FRAGMENT_BYTES) dropOldest()
  }

  function setOf(batch: PacketBatch, out: DecodedBatch, row: number): FragmentSet {
    const time = batch.timeMicros[row]!
    const hash = hashOf(batch, out, row)
    const list = sets.get(hash)
    const found = list?.find((set) => isSame(set, batch, out, row))
    if (found !== undefined) {
      const isReuse = found.settled && !found.discarded && found.pieces.length === 0
      if (!isReuse && time <= found.deadlineMicros) return found
      if (isReuse && time - found.settledMicros <= REPETITION_MICROS) {
        found.deadlineMicros = time + FRAGMENT_TIMEOUT_MICROS
        return found
      }
      expire(found)
    }
    if (count === MAX_FRAGMENT_SETS) dropOldest()
    const set: FragmentSet = {
      hash,
      addresses: out.addresses.slice(row << 3, (row << 3) + 8),
      interfaceId: batch.interfaceId[row]!,
      inner: (out.flags[row]! & ROW_INNER) !== 0,
      ipVersion: out.ipVersion[row]!,
      ipProtocol: out.ipProtocol[row]!,
      ipId: out.ipId[row]!,
      deadlineMicros: time + FRAGMENT_TIMEOUT_MICROS,
      frameNumber: batch.frameNumber[row]!,
      pieces: [],
      receivedLen: 0,
      totalLen: -1,
      cost: HELD_PIECE_COST,
      settledMicros: 0,
      settled: false,
      discarded: false,
      overlapTold: false,
    }
    const others = sets.get(hash)
    if (others === undefined) sets.set(hash, [set])
    else others.push(set)
    count++
    heldLen += set.cost
    return set
  }

  /**
   * Adds what is new of a piece. False when it overlaps others with other bytes or other bounds. Where IPv4 fragments
   * overlap, what came first stays: a later one cannot rewrite what may have been judged already.
   */
  function place(set: FragmentSet, piece: Piece): boolean {
    const { pieces } = set
    const endAt = piece.offset + piece.wireLen
    let fits = true
    let at = piece.offset
    let index = pieces.length
    while (index > 0 && pieces[index - 1]!.offset + pieces[index - 1]!.wireLen > at) index--
    while (at < endAt) {
      const next = pieces[index]
      if (next !== undefined && next.offset <= at) {
        fits &&= isRepetition(next, piece)
        at = next.offset + next.wireLen
        index++
        continue
      }
      const partEndAt = next === undefined ? endAt : Math.min(endAt, next.offset)
      const from = at - piece.offset
      const bytes = partEndAt - at === piece.wireLen ? piece.bytes : piece.bytes.slice(from, partEndAt - piece.offset)
      pieces.splice(index, 0, { offset: at, wireLen: partEndAt - at, bytes })
      set.receivedLen += partEndAt - at
      const cost = bytes.length + HELD_PIECE_COST
      set.cost += cost
      heldLen += cost
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

  function complete(set: FragmentSet, batch: PacketBatch, out: DecodedBatch, row: number): void {
    const totalLen = set.totalLen
    if (depth < MAX_REASSEMBLY_DEPTH) {
      scratches[depth] ??= createScratchRow()
      buffers[depth] ??= new Uint8Array(MAX_DATAGRAM_LEN)
      const scratch = scratches[depth]!
      const buffer = buffers[depth]!
      const endAt = join(set.pieces, buffer)
      fillScratchRow(scratch, batch, out, row, buffer, 0, endAt, totalLen)
      scratch.out.ipProtocol[0] = set.ipProtocol
      scratch.out.flags[0] = scratch.out.flags[0]! | ROW_REASSEMBLED
      scratch.out.ipLen[0] = totalLen + (set.ipVersion === 4 ? 20 : 40)
      scratch.cursor.next = set.ipProtocol
      decodeFrom(LAYER_IP_PROTOCOL, scratch.cursor, scratch.out, 0)
      depth++
      handlers.completed(scratch.batch, scratch.out)
      depth--
    }
    release(set)
    set.settled = true
    set.settledMicros = batch.timeMicros[row]!
  }

  /** Gives the pieces' memory back; the set itself stays to know repetitions. */
  function release(set: FragmentSet): void {
    heldLen -= set.cost - HELD_PIECE_COST
    set.cost = HELD_PIECE_COST
    set.pieces = []
    set.receivedLen = 0
    set.totalLen = -1
  }

  function remove(set: FragmentSet): void {
    const list = sets.get(set.hash)!
    if (list.length === 1) sets.delete(set.hash)
    else list.splice(list.indexOf(set), 1)
    heldLen -= set.cost
    count--
  }

  function dropOldest(): void {
    for (const list of sets.values()) {
      remove(list[0]!)
      return
    }
  }

  function expire(set: FragmentSet): void {
    if (!set.settled) handlers.fragmentSet?.(factOf(set, 'lost', set.deadlineMicros, set.frameNumber))
    remove(set)
  }

  return {
    fragment,
    tick(timeMicros) {
      if (timeMicros < nextSweepMicros && nextSweepMicros - timeMicros <= SWEEP_MICROS) return
      nextSweepMicros = timeMicros + SWEEP_MICROS
      for (const list of [...sets.values()]) {
        for (const set of [...list]) if (timeMicros > set.deadlineMicros) expire(set)
      }
    },
    end() {
      sets.clear()
      count = 0
      heldLen = 0
    },
    get count() {
      return count
    },
    get heldLen() {
      return heldLen
    },
  }
}

/** One past the last byte of any piece. */
function reach(set: FragmentSet): number {
  const last = set.pieces[set.pieces.length - 1]
  return last === undefined ? 0 : last.offset + last.wireLen
}

/** The new piece says the same about these bytes: it lies within the old one, or around it, and the bytes are equal. */
function isRepetition(old: Piece, piece: Piece): boolean {
  if (piece.offset !== old.offset || piece.wireLen !== old.wireLen) return false
  const length = Math.min(old.bytes.length, piece.bytes.length)
  for (let i = 0; i < length; i++) if (old.bytes[i] !== piece.bytes[i]) return false
  return true
}

/** Copies the pieces of a whole datagram; returns the end of what is there without a gap. */
function join(pieces: readonly Piece[], buffer: Uint8Array): number {
  let endAt = 0
  for (const piece of pieces) {
    buffer.set(piece.bytes, piece.offset)
    endAt = piece.offset + piece.bytes.length
    if (piece.bytes.length < piece.wireLen) break
  }
  return endAt
}

function isSame(set: FragmentSet, batch: PacketBatch, out: DecodedBatch, row: number): boolean {
  if (set.ipId !== out.ipId[row] || set.interfaceId !== batch.interfaceId[row]) return false
  if (set.ipVersion !== out.ipVersion[row] || set.inner !== ((out.flags[row]! & ROW_INNER) !== 0)) return false
  if (set.ipVersion === 4 && set.ipProtocol !== out.ipProtocol[row]) return false
  for (let word = 0; word < 8; word++) if (set.addresses[word] !== out.addresses[(row << 3) + word]) return false
  return true
}

function hashOf(batch: PacketBatch, out: DecodedBatch, row: number): number {
  let hash = Math.imul(out.ipId[row]! ^ 0x9e3779b1, 0x85ebca6b) ^ batch.interfaceId[row]!
  for (let word = 0; word < 8; word++) {
    hash = Math.imul(hash ^ (hash >>> 15) ^ out.addresses[(row << 3) + word]!, 0xc2b2ae35)
  }
  return hash ^ (hash >>> 16)
}

function factOf(
  set: FragmentSet,
  kind: FragmentSetFact['kind'],
  timeMicros: number,
  frameNumber: number,
): FragmentSetFact {
  return {
    kind,
    timeMicros,
    frameNumber,
    interfaceId: set.interfaceId,
    srcAddress: addressText(set.addresses, 0),
    dstAddress: addressText(set.addresses, 4),
    ipVersion: set.ipVersion,
    ipProtocol: set.ipProtocol,
    ipId: set.ipId,
    receivedLen: set.receivedLen,
    totalLen: set.totalLen,
    hasFirst: set.pieces[0]?.offset === 0,
  }
}
