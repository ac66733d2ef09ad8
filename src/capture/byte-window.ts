// A movable window over a byte input: the chunk that records are read from. Rows point into `bytes`; nothing is copied
// but the record that the end of a chunk cuts, which moves to the front before the next read.
import { MIN_READ_LEN, READ_CHUNK_LEN } from '../constants/limits.ts'
import { type ByteInput, InputFault } from './byte-input.ts'

export class ByteWindow {
  bytes: Uint8Array
  /** Over `bytes`. */
  view: DataView
  /** The next unread byte, and the end of what has been read into `bytes`. */
  at = 0
  end = 0
  /** Why the input could not be read to its end. */
  fault: string | undefined
  readonly #input: ByteInput
  /** Stream offset of bytes[0]. */
  #base = 0
  /** Bytes beyond `end` that are to be dropped, and the stream offset where dropping began. */
  #skipLen = 0
  #skipFrom = 0

  /** Holds `chunkLen` bytes at a time, or all of an input that is known to have fewer. */
  constructor(input: ByteInput, chunkLen = READ_CHUNK_LEN) {
    this.#input = input
    this.bytes = new Uint8Array(Math.min(chunkLen, Math.max(input.byteLen ?? chunkLen, MIN_READ_LEN)))
    this.view = new DataView(this.bytes.buffer)
  }

  /** Offset in the input of the next unread byte; of the skipped part's start while skipping. */
  get offset(): number {
    return this.#skipLen > 0 ? this.#skipFrom : this.#base + this.at
  }

  /** True when something is still owed: unread bytes, or bytes to skip. */
  get pending(): boolean {
    return this.at < this.end || this.#skipLen > 0
  }

  /** Passes over `len` bytes without holding them. */
  skip(len: number): void {
    this.#skipFrom = this.#base + this.at
    const held = this.end - this.at
    this.at += Math.min(len, held)
    this.#skipLen = Math.max(0, len - held)
  }

  /**
   * Reads on. `needLen` is how many bytes the next record is known to have: the window grows to hold them, by doubling
   * and only as bytes really come. False at the end of the input, and then `fault` tells if it was a bad one.
   */
  fill(needLen: number): boolean | Promise<boolean> {
    this.#makeRoom(needLen)
    try {
      const count = this.#input.read(this.bytes, this.end, this.bytes.length - this.end)
      return typeof count === 'number' ? this.#advance(count) : this.#await(count)
    } catch (error) {
      return this.#fail(error)
    }
  }

  close(): void {
    this.#input.close()
  }

  async #await(count: Promise<number>): Promise<boolean> {
    try {
      return this.#advance(await count)
    } catch (error) {
      return this.#fail(error)
    }
  }

  #advance(count: number): boolean {
    this.end += count
    if (this.#skipLen > 0) {
      const skipped = Math.min(this.#skipLen, this.end - this.at)
      this.#skipLen -= skipped
      this.at += skipped
    }
    return count > 0
  }

  #fail(error: unknown): boolean {
    if (!(error instanceof InputFault)) throw error
    this.fault = error.message
    return false
  }

  #makeRoom(needLen: number): void {
    const held = this.end - this.at
    const grown = held === this.bytes.length && needLen > held
    const target = grown ? new Uint8Array(Math.max(1024, this.bytes.length * 2)) : this.bytes
    if (this.at > 0 || grown) target.set(this.bytes.subarray(this.at, this.end))
    this.#base += this.at
    this.at = 0
    this.end = held
    if (grown) {
      this.bytes = target
      this.view = new DataView(target.buffer)
    }
  }
}
