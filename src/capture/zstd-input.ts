// A zstd stream (RFC 8878) as plain bytes. We find the frames and blocks ourselves and give fzstd one block at a time,
// so that what it unpacks at once is bounded whatever the ratio.
import { Decompress } from 'fzstd'
import { MAX_ZSTD_WINDOW_LEN, ZSTD_WORK_FLOOR, ZSTD_WORK_PER_BYTE } from '../constants/limits.ts'
import { type ByteInput, InputFault } from './byte-input.ts'
import type { ByteWindow } from './byte-window.ts'

const FRAME_MAGIC = 0xfd2fb528
/** RFC 8878 3.1.2: sixteen magics of frames that are skipped. */
const SKIPPABLE_MAGIC = 0x184d2a50

/** RFC 8878 3.1.1.2.4: a block is no longer than this, packed or not. */
const MAX_BLOCK_CONTENT_LEN = 131_072
const BLOCK_HEADER_LEN = 3
const MAX_FRAME_HEADER_LEN = 18

/** `magic` is the first four bytes read little-endian. */
export function isZstdMagic(magic: number): boolean {
  return magic === FRAME_MAGIC || (magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC
}

export class ZstdInput implements ByteInput {
  readonly #window: ByteWindow
  #frame: Decompress | undefined
  #frameHasChecksum = false
  #frameWindowLen = 0
  #rest: Uint8Array = new Uint8Array(0)
  /** Bytes of window that fzstd moved, and bytes that came out: a stream of tiny blocks in a large window is an attack. */
  #workLen = 0
  #unpackedLen = 0

  constructor(window: ByteWindow) {
    this.#window = window
  }

  async read(target: Uint8Array, at: number, len: number): Promise<number> {
    while (this.#rest.length === 0) if (!(await this.#unpackNext())) return 0
    const count = Math.min(len, this.#rest.length)
    target.set(this.#rest.subarray(0, count), at)
    this.#rest = this.#rest.subarray(count)
    return count
  }

  close(): void {
    this.#window.close()
  }

  /** One block further; false at the end between frames. */
  async #unpackNext(): Promise<boolean> {
    let headerLen = 0
    const window = this.#window
    if (this.#frame === undefined) {
      if (!(await this.#hold(4))) {
        if (window.fault !== undefined || window.pending) this.#cut()
        return false
      }
      const magic = window.view.getUint32(window.at, true)
      if (magic !== FRAME_MAGIC && isZstdMagic(magic)) return this.#skipFrame()
      if (magic !== FRAME_MAGIC) throw new InputFault('its zstd data is damaged (no frame where one should start)')
      await this.#hold(MAX_FRAME_HEADER_LEN)
      headerLen = this.#startFrame()
    }
    await this.#need(headerLen + BLOCK_HEADER_LEN)
    const at = window.at + headerLen
    const view = window.view
    const header = view.getUint8(at) | (view.getUint8(at + 1) << 8) | (view.getUint8(at + 2) << 16)
    const last = (header & 1) === 1
    const type = (header >> 1) & 3
    const size = header >> 3
    if (type === 3 || size > MAX_BLOCK_CONTENT_LEN)
      throw new InputFault('its zstd data is damaged (an impossible block)')
    const contentLen = type === 1 ? 1 : size
    const unitLen = headerLen + BLOCK_HEADER_LEN + contentLen + (last && this.#frameHasChecksum ? 4 : 0)
    await this.#need(unitLen)
    this.#push(window.bytes.slice(window.at, window.at + unitLen), last)
    window.at += unitLen
    return true
  }

  #push(unit: Uint8Array, last: boolean): void {
    const parts: Uint8Array[] = []
    const frame = this.#frame!
    frame.ondata = (data) => parts.push(data)
    try {
      frame.push(unit, last)
    } catch (error) {
      throw new InputFault(`its zstd data is damaged (${(error as Error).message})`)
    }
    if (last) this.#frame = undefined
    // A frame shorter than fzstd's look-ahead comes out in two parts.
    this.#rest = parts.length === 1 ? parts[0]! : Buffer.concat(parts)
    this.#unpackedLen += this.#rest.length
    this.#workLen += this.#frameWindowLen
    if (this.#workLen > ZSTD_WORK_FLOOR + this.#unpackedLen * ZSTD_WORK_PER_BYTE) {
      throw new InputFault('its zstd data is made to take for ever; unpack it with `zstd -d`')
    }
  }

  /** RFC 8878 3.1.1.1: reads the frame header at the window's front and returns its length. */
  #startFrame(): number {
    const { view, at, end } = this.#window
    if (end - at < 6) this.#cut()
    const descriptor = view.getUint8(at + 4)
    const singleSegment = (descriptor & 0x20) !== 0
    const dictionaryLen = [0, 1, 2, 4][descriptor & 3]!
    const contentSizeLen = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!
    const headerLen = 5 + (singleSegment ? 0 : 1) + dictionaryLen + contentSizeLen
    if (end - at < headerLen) this.#cut()
    if (dictionaryLen > 0) throw new InputFault('its zstd data needs a dictionary; unpack it with `zstd -d`')
    const windowLen = singleSegment ? contentSize(view, at + 5, contentSizeLen) : windowSize(view.getUint8(at + 5))
    if (windowLen > MAX_ZSTD_WINDOW_LEN) {
      throw new InputFault(`its zstd window of ${windowLen} bytes is too large; unpack it with \`zstd -d --long=31\``)
    }
    this.#frameWindowLen = windowLen
    this.#frameHasChecksum = (descriptor & 4) !== 0
    this.#frame = new Decompress()
    return headerLen
  }

  async #skipFrame(): Promise<boolean> {
    await this.#need(8)
    this.#window.skip(8 + this.#window.view.getUint32(this.#window.at + 4, true))
    return true
  }

  async #hold(len: number): Promise<boolean> {
    const window = this.#window
    while (window.end - window.at < len) if (!(await window.fill(len))) return false
    return true
  }

  async #need(len: number): Promise<void> {
    if (!(await this.#hold(len))) this.#cut()
  }

  #cut(): never {
    throw new InputFault(this.#window.fault ?? 'its zstd data is cut')
  }
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3))
  return base + (base / 8) * (descriptor & 7)
}

function contentSize(view: DataView, at: number, len: number): number {
  if (len === 1) return view.getUint8(at)
  if (len === 2) return view.getUint16(at, true) + 256
  if (len === 4) return view.getUint32(at, true)
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32
}
