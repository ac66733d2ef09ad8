// Blocks of the kernel's ring become rows of a PacketBatch; the packets stay where the kernel wrote them. HOT PATH
import { LINKTYPE_RAW } from '../constants/wire.ts'
import { DIRECTION_IN, DIRECTION_OUT, type PacketBatch } from '../model/packet-batch.ts'
import { type LiveInterfaces, NOT_CHOSEN } from './interfaces.ts'
import {
  BLOCK_FIRST_FRAME_AT,
  BLOCK_PACKET_COUNT_AT,
  BLOCK_STATUS_AT,
  BLOCK_STATUS_KERNEL,
  BLOCK_STATUS_USER,
  FRAME_CAPTURED_LEN_AT,
  FRAME_INTERFACE_INDEX_AT,
  FRAME_NANOSECONDS_AT,
  FRAME_NETWORK_OFFSET_AT,
  FRAME_NEXT_OFFSET_AT,
  FRAME_PACKET_TYPE_AT,
  FRAME_PACKET_TYPE_OUTGOING,
  FRAME_SECONDS_AT,
  FRAME_WIRE_LEN_AT,
} from './ring-layout.ts'

export class RingWalk {
  readonly #bytes: Uint8Array
  readonly #halves: Uint16Array
  readonly #words: Int32Array
  readonly #blockLen: number
  readonly #blockCount: number
  readonly #interfaces: LiveInterfaces
  /** The block being read, the frames left in it and where the next one stands. */
  #block = 0
  #framesLeft = 0
  #frameAt = 0
  /** Blocks that are read to their end and belong to the batch until release(); they end before #block. */
  #heldCount = 0
  #frameNumber = 0

  /** `memory` is blockCount blocks of blockLen bytes. */
  constructor(memory: ArrayBuffer, blockLen: number, blockCount: number, interfaces: LiveInterfaces) {
    this.#bytes = new Uint8Array(memory)
    this.#halves = new Uint16Array(memory)
    this.#words = new Int32Array(memory)
    this.#blockLen = blockLen
    this.#blockCount = blockCount
    this.#interfaces = interfaces
  }

  /** Fills `batch` with what is ready, which may be nothing. Call release() before the next fill(). */
  fill(batch: PacketBatch): void {
    const bytes = this.#bytes
    const halves = this.#halves
    const words = this.#words
    const { timeMicros, startAt, capturedLen, wireLen, linkType, interfaceId, direction, frameNumber } = batch
    const capacity = startAt.length
    let row = 0
    batch.bytes = bytes
    while (row < capacity) {
      if (this.#framesLeft === 0 && !this.#openBlock()) break
      let left = this.#framesLeft
      let frameAt = this.#frameAt
      while (left > 0 && row < capacity) {
        const word = frameAt >>> 2
        const id = this.#interfaces.idOf(words[word + (FRAME_INTERFACE_INDEX_AT >>> 2)]!)
        if (id !== NOT_CHOSEN) {
          timeMicros[row] =
            (words[word + (FRAME_SECONDS_AT >>> 2)]! >>> 0) * 1_000_000 +
            Math.floor((words[word + (FRAME_NANOSECONDS_AT >>> 2)]! >>> 0) / 1000)
          startAt[row] = frameAt + halves[(frameAt + FRAME_NETWORK_OFFSET_AT) >>> 1]!
          capturedLen[row] = words[word + (FRAME_CAPTURED_LEN_AT >>> 2)]!
          wireLen[row] = words[word + (FRAME_WIRE_LEN_AT >>> 2)]!
          linkType[row] = LINKTYPE_RAW
          interfaceId[row] = id
          direction[row] =
            bytes[frameAt + FRAME_PACKET_TYPE_AT] === FRAME_PACKET_TYPE_OUTGOING ? DIRECTION_OUT : DIRECTION_IN
          frameNumber[row] = ++this.#frameNumber
          row++
        }
        frameAt += words[word + (FRAME_NEXT_OFFSET_AT >>> 2)]!
        left--
      }
      this.#framesLeft = left
      this.#frameAt = frameAt
      if (left === 0) this.#closeBlock()
    }
    batch.count = row
  }

  /** Gives every block that was read to its end back to the kernel. */
  release(): void {
    let block = this.#block - this.#heldCount
    if (block < 0) block += this.#blockCount
    while (this.#heldCount > 0) {
      Atomics.store(this.#words, (block * this.#blockLen + BLOCK_STATUS_AT) >>> 2, BLOCK_STATUS_KERNEL)
      block++
      if (block === this.#blockCount) block = 0
      this.#heldCount--
    }
  }

  /** Is the next block ours already? False as well when all of them are held. */
  #openBlock(): boolean {
    if (this.#heldCount === this.#blockCount) return false
    const blockAt = this.#block * this.#blockLen
    // Atomic: the kernel writes the status last, from another processor.
    if ((Atomics.load(this.#words, (blockAt + BLOCK_STATUS_AT) >>> 2) & BLOCK_STATUS_USER) === 0) return false
    this.#framesLeft = this.#words[(blockAt + BLOCK_PACKET_COUNT_AT) >>> 2]!
    this.#frameAt = blockAt + this.#words[(blockAt + BLOCK_FIRST_FRAME_AT) >>> 2]!
    return true
  }

  #closeBlock(): void {
    this.#heldCount++
    this.#block++
    if (this.#block === this.#blockCount) this.#block = 0
  }
}
