// Compressed captures as plain bytes: gzip by zlib, zstd by fzstd. Recognised by their magic.
import { createGunzip } from 'node:zlib'
import { GUNZIP_CHUNK_LEN, GUNZIP_PIECE_LEN } from '../constants/limits.ts'
import { type ByteInput, StreamInput } from './byte-input.ts'
import type { ByteWindow } from './byte-window.ts'
import { isZstdMagic, ZstdInput } from './zstd-input.ts'

/** A byte input that unpacks what the window holds and what follows, or undefined when that is not compressed. */
export function decompress(window: ByteWindow): { name: string; input: ByteInput } | undefined {
  const { view, at } = window
  const heldLen = window.end - at
  // RFC 1952 2.3.1
  if (heldLen >= 3 && view.getUint16(at) === 0x1f8b && view.getUint8(at + 2) === 8) {
    return { name: 'gzip', input: openGunzip(window) }
  }
  if (heldLen >= 4 && isZstdMagic(view.getUint32(at, true))) return { name: 'zstd', input: new ZstdInput(window) }
  return undefined
}

function openGunzip(window: ByteWindow): ByteInput {
  const gunzip = createGunzip({ chunkSize: GUNZIP_CHUNK_LEN })
  const input = new StreamInput(gunzip, describeGzipError)
  void feed(window, gunzip)
  const close = input.close.bind(input)
  input.close = () => {
    close()
    window.close()
  }
  return input
}

/** CRC32 and ISIZE behind the last member, RFC 1952 2.3.1. */
const TRAILER_LEN = 8

/**
 * Writes the window's input into the decompressor, a piece at a time: the next goes in when it has taken the last. At
 * an error zlib throws away what it made of that piece; small pieces and the trailer by itself keep this loss small.
 */
async function feed(window: ByteWindow, gunzip: ReturnType<typeof createGunzip>): Promise<void> {
  const write = (len: number) => {
    const piece = window.bytes.subarray(window.at, window.at + len)
    window.at += len
    return new Promise<void>((resolve) => gunzip.write(piece, () => resolve()))
  }
  try {
    do {
      while (window.end - window.at > TRAILER_LEN && !gunzip.destroyed) {
        await write(Math.min(GUNZIP_PIECE_LEN, window.end - window.at - TRAILER_LEN))
      }
      if (gunzip.destroyed) return
    } while (await window.fill(1))
    if (window.pending) await write(window.end - window.at)
    if (window.fault === undefined) gunzip.end()
    else gunzip.destroy(new Error(window.fault))
  } catch (error) {
    gunzip.destroy(error as Error)
  }
}

function describeGzipError(error: Error & { code?: string }): string {
  if (error.code === 'Z_BUF_ERROR') return 'its gzip data is cut'
  return `its gzip data is damaged (${error.message})`
}
