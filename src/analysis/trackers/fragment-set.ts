// HOT PATH. The fragments of one datagram: what is known of it, which fragments are its own.
import { type DecodedBatch, ROW_INNER } from '../../model/decoded-batch.ts'
import type { FragmentSetFact } from '../../model/facts.ts'
import type { PacketBatch } from '../../model/packet-batch.ts'
import { addressText } from '../../text/address.ts'
import type { Piece } from './piece-pool.ts'

/** The fragments of one datagram: same source, destination, identification and, for IPv4, protocol. */
export interface FragmentSet {
  bucket: number
  /** The next set of the same bucket. */
  next: FragmentSet | undefined
  /** Neighbours in the order of the first fragments. */
  older: FragmentSet | undefined
  newer: FragmentSet | undefined
  readonly addresses: Uint32Array
  interfaceId: number
  inner: boolean
  ipVersion: number
  /** The first fragment's, whose header chain counts (RFC 8200 4.5); another's until it comes. */
  ipProtocol: number
  ipId: number
  deadlineMicros: number
  /** The frame of the fragment that came first. */
  frameNumber: number
  /** Sorted, not overlapping. */
  readonly pieces: Piece[]
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
  /** What can be read of it was handed on already. */
  told: boolean
}

/** One past the last byte of any piece. */
export function reach(set: FragmentSet): number {
  const last = set.pieces[set.pieces.length - 1]
  return last === undefined ? 0 : last.offset + last.wireLen
}

/** Whether the row is a fragment of that datagram: RFC 791 2.3, RFC 8200 4.5. */
export function isSameDatagram(set: FragmentSet, batch: PacketBatch, out: DecodedBatch, row: number): boolean {
  if (set.ipId !== out.ipId[row] || set.interfaceId !== batch.interfaceId[row]) return false
  if (set.ipVersion !== out.ipVersion[row] || set.inner !== ((out.flags[row]! & ROW_INNER) !== 0)) return false
  if (set.ipVersion === 4 && set.ipProtocol !== out.ipProtocol[row]) return false
  for (let word = 0; word < 8; word++) if (set.addresses[word] !== out.addresses[(row << 3) + word]) return false
  return true
}

/** Equal for all fragments of one datagram. */
export function hashOfDatagram(batch: PacketBatch, out: DecodedBatch, row: number): number {
  let hash = Math.imul(out.ipId[row]! ^ 0x9e3779b1, 0x85ebca6b) ^ batch.interfaceId[row]!
  for (let word = 0; word < 8; word++) {
    hash = Math.imul(hash ^ (hash >>> 15) ^ out.addresses[(row << 3) + word]!, 0xc2b2ae35)
  }
  return hash ^ (hash >>> 16)
}

/** COLD PATH: until as many are there as the traffic needs. */
export function freshSet(): FragmentSet {
  return {
    bucket: 0,
    next: undefined,
    older: undefined,
    newer: undefined,
    addresses: new Uint32Array(8),
    interfaceId: 0,
    inner: false,
    ipVersion: 0,
    ipProtocol: 0,
    ipId: 0,
    deadlineMicros: 0,
    frameNumber: 0,
    pieces: [],
    receivedLen: 0,
    totalLen: -1,
    cost: 0,
    settledMicros: 0,
    settled: false,
    discarded: false,
    overlapTold: false,
    told: false,
  }
}

/** COLD PATH: for what is told. */
export function factOf(
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
