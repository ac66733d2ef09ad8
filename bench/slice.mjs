// Walks the records of a classic little-endian pcap: counts them, and copies the first of them into another file.
import { closeSync, openSync, readSync, writeSync } from 'node:fs'

const CHUNK_LEN = 8 << 20
const FILE_HEADER_LEN = 24
const RECORD_HEADER_LEN = 16

/**
 * The whole packets within the first `byteLimit` bytes of a pcap: `{packets, bytes}`. With `target` they are
 * also written there, as a pcap.
 */
export function cutPcap(path, byteLimit, target) {
  const fd = openSync(path, 'r')
  const out = target === undefined ? undefined : openSync(target, 'w')
  const chunk = Buffer.alloc(CHUNK_LEN)
  let held = readSync(fd, chunk, 0, CHUNK_LEN, null)
  if (held < FILE_HEADER_LEN || chunk.readUInt32LE(0) !== 0xa1b2c3d4)
    throw new Error(`${path}: not a little-endian pcap`)
  let at = FILE_HEADER_LEN
  let writtenAt = 0
  let bytes = FILE_HEADER_LEN
  let packets = 0
  for (;;) {
    const recordLen =
      at + RECORD_HEADER_LEN <= held ? RECORD_HEADER_LEN + chunk.readUInt32LE(at + 8) : Number.POSITIVE_INFINITY
    if (bytes + recordLen > byteLimit && Number.isFinite(recordLen)) break
    if (at + recordLen <= held) {
      at += recordLen
      bytes += recordLen
      packets++
      continue
    }
    if (out !== undefined) writeSync(out, chunk, writtenAt, at - writtenAt)
    chunk.copyWithin(0, at, held)
    held -= at
    at = 0
    writtenAt = 0
    const more = readSync(fd, chunk, held, CHUNK_LEN - held, null)
    if (more === 0) break
    held += more
  }
  if (out !== undefined) {
    writeSync(out, chunk, writtenAt, at - writtenAt)
    closeSync(out)
  }
  closeSync(fd)
  return { packets, bytes }
}
