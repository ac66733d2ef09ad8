// HOT PATH. What one tunnel interface carries within the present moment, and whose end of its packets is this machine.
import type { DecodedBatch } from '../../model/decoded-batch.ts'

/** Addresses followed to find out which one is in every packet: two of ours, and some of others that pass by. */
const MAX_ADDRESSES = 8

export class VolumeInside {
  readonly interfaceId: number
  /** Bytes of this moment and of the two before, as this machine sends and gets them. */
  up = 0
  down = 0
  upBefore = 0
  downBefore = 0
  upEarlier = 0
  downEarlier = 0
  /** A bit for each flow of this moment. */
  flows = 0
  /** This machine's address of either family, by its hash; 0 = not known. */
  readonly #ours = new Int32Array(2)
  readonly #hashes = new Int32Array(MAX_ADDRESSES)
  /** How often an address was met beyond how often others made it wait (Misra and Gries). */
  readonly #weights = new Float64Array(MAX_ADDRESSES)

  constructor(interfaceId: number) {
    this.interfaceId = interfaceId
  }

  packet(out: DecodedBatch, row: number, flowHash: number): void {
    const word = row << 3
    const source = hashAt(out.addresses, word)
    const destination = hashAt(out.addresses, word + 4)
    const isSent = this.#weigh(source) - this.#weigh(destination)
    const family = out.ipVersion[row] === 6 ? 1 : 0
    // Ours is in all packets. As long as nothing tells, whoever sent first is us.
    if (isSent > 0 || this.#ours[family] === 0) this.#ours[family] = source
    else if (isSent < 0) this.#ours[family] = destination
    if (this.#ours[family] === source) this.up += out.ipLen[row]!
    else this.down += out.ipLen[row]!
    this.flows |= 1 << (flowHash & 31)
  }

  /** The moment is over. */
  next(): void {
    this.upEarlier = this.upBefore
    this.downEarlier = this.downBefore
    this.upBefore = this.up
    this.downBefore = this.down
    this.up = 0
    this.down = 0
    this.flows = 0
  }

  /** Counts the address and gives its weight. */
  #weigh(hash: number): number {
    const hashes = this.#hashes
    const weights = this.#weights
    let free = -1
    for (let i = 0; i < MAX_ADDRESSES; i++) {
      if (weights[i] === 0) free = i
      else if (hashes[i] === hash) {
        weights[i] = weights[i]! + 1
        return weights[i]!
      }
    }
    if (free >= 0) {
      hashes[free] = hash
      weights[free] = 1
      return 1
    }
    for (let i = 0; i < MAX_ADDRESSES; i++) weights[i] = weights[i]! - 1
    return 0
  }
}

function hashAt(a: Uint32Array, at: number): number {
  return (
    Math.imul(a[at]! ^ Math.imul(a[at + 1]!, 0x85ebca6b), 0x9e3779b1) ^
    Math.imul(a[at + 2]!, 0xc2b2ae35) ^
    Math.imul(a[at + 3]!, 0x27d4eb2f)
  )
}
