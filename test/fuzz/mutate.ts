// Seeded damage to captures: what a bad disk, a bad tool or a bad person does to bytes.
import { createRandom } from '../fixtures/frames.ts'

/** Values at which length fields, counts and signs turn over. */
const EDGES = [0x00, 0x01, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xfe, 0xff]
/** Magic number, link type, the first lengths: a mutation in four goes there, where it does most. */
const HEAD_LEN = 160

/** A damaged copy of `bytes`, never the same for two seeds, always the same for one. */
export function mutate(bytes: Uint8Array, seed: number): Uint8Array {
  const random = createRandom(seed)
  let out = new Uint8Array(bytes)
  const count = 1 + (random() % 8)
  for (let change = 0; change < count && out.length > 0; change++) {
    const at = random() % (random() % 4 === 0 ? Math.min(out.length, HEAD_LEN) : out.length)
    const length = Math.min(1 + (random() % 32), out.length - at)
    switch (random() % 7) {
      case 0:
        out[at] = out[at]! ^ (1 << (random() % 8))
        break
      case 1:
        out[at] = EDGES[random() % EDGES.length]!
        break
      case 2:
        out.fill(EDGES[random() % EDGES.length]!, at, at + Math.min(length, 4))
        break
      case 3:
        for (let i = at; i < at + length; i++) out[i] = random() & 0xff
        break
      case 4:
        out.copyWithin(random() % out.length, at, at + length)
        break
      case 5:
        out = splice(out, at, length, new Uint8Array(0))
        break
      default:
        out = splice(out, at, 0, out.slice(at, at + length))
    }
  }
  return out
}

/** `count` offsets below `length`, spread at random; the same for the same seed. */
export function cutOffsets(length: number, count: number, seed: number): number[] {
  const random = createRandom(seed)
  return Array.from({ length: count }, () => random() % Math.max(1, length))
}

function splice(bytes: Uint8Array, at: number, removeLen: number, insert: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(bytes.length - removeLen + insert.length)
  out.set(bytes.subarray(0, at))
  out.set(insert, at)
  out.set(bytes.subarray(at + removeLen), at + insert.length)
  return out
}
