// Files that an operator names are read up to a bound: a device or a pipe gives bytes for ever.
import { closeSync, openSync, readSync } from 'node:fs'

const PIECE_LEN = 1 << 20

/** The whole file; undefined when it has more than `mostBytes`. @throws what the system says when it cannot be read */
export function readBounded(file: string, mostBytes: number): Buffer | undefined {
  const pieces: Buffer[] = []
  let len = 0
  const fd = openSync(file, 'r')
  try {
    for (;;) {
      const piece = Buffer.allocUnsafe(Math.min(PIECE_LEN, mostBytes + 1 - len))
      const got = readSync(fd, piece, 0, piece.length, null)
      if (got === 0) return Buffer.concat(pieces)
      pieces.push(piece.subarray(0, got))
      len += got
      if (len > mostBytes) return undefined
    }
  } finally {
    closeSync(fd)
  }
}
