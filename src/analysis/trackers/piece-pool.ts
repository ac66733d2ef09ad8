// HOT PATH. Copies of payload that wait for their neighbours, in memory that is used again: a flood costs no collection.

/** Bytes that were copied out of a batch. */
export interface Piece {
  /** Where it lies in its datagram. */
  offset: number
  /** Bytes on the wire; more than `len` when the capture cut the packet. */
  wireLen: number
  /** Bytes in use, from the start of `bytes`. */
  len: number
  /** Memory of the pool; its length is what the piece costs. */
  bytes: Uint8Array
}

export interface PiecePool {
  /** A piece with a copy of bytes[at .. at + len). It belongs to the caller until give(). */
  take(offset: number, wireLen: number, bytes: Uint8Array, at: number, len: number): Piece
  /** Takes a piece back. Nobody may use it afterwards. */
  give(piece: Piece): void
}

/** Lengths of the pieces that are kept for the next one; a fragment of an Ethernet frame fits into the last. */
const KEPT_LENGTHS: readonly number[] = Object.freeze([64, 512, 2048])
/** Pieces of one length kept while nobody needs them. */
const MAX_KEPT = 2048
const LONGEST_LOOP = 256

export function createPiecePool(): PiecePool {
  const free: readonly Piece[][] = KEPT_LENGTHS.map(() => [])

  return {
    take(offset, wireLen, bytes, at, len) {
      const index = lengthIndex(len)
      const kept = index < 0 ? undefined : free[index]!.pop()
      const piece = kept ?? freshPiece(index < 0 ? len : KEPT_LENGTHS[index]!)
      piece.offset = offset
      piece.wireLen = wireLen
      piece.len = len
      copy(bytes, at, len, piece.bytes)
      return piece
    },
    give(piece) {
      const index = KEPT_LENGTHS.indexOf(piece.bytes.length)
      if (index >= 0 && free[index]!.length < MAX_KEPT) free[index]!.push(piece)
    },
  }
}

/** The shortest kept length that holds `len` bytes; −1 when none does. */
function lengthIndex(len: number): number {
  for (let index = 0; index < KEPT_LENGTHS.length; index++) if (len <= KEPT_LENGTHS[index]!) return index
  return -1
}

/** COLD PATH: until the pool has what the traffic needs. */
function freshPiece(length: number): Piece {
  return { offset: 0, wireLen: 0, len: 0, bytes: new Uint8Array(length) }
}

/** A loop beats a view and its copy up to some hundred bytes. */
function copy(bytes: Uint8Array, at: number, len: number, to: Uint8Array): void {
  if (len > LONGEST_LOOP) copyLong(bytes, at, len, to)
  else for (let i = 0; i < len; i++) to[i] = bytes[at + i]!
}

/** COLD PATH: the view lives as long as the call. */
function copyLong(bytes: Uint8Array, at: number, len: number, to: Uint8Array): void {
  to.set(bytes.subarray(at, at + len))
}
