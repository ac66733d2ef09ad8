// HOT PATH. The key of a flow: both endpoints in an order that does not depend on the direction, and their hash.
import { HIGHER_ADDRESS_AT, KIND_AT, LOWER_ADDRESS_AT, PORTS_AT } from './flow-record.ts'

/** Any total order of endpoints will do; the last word differs most often. */
export function isHigher(a: Uint32Array, oneAt: number, otherAt: number, onePort: number, otherPort: number): boolean {
  for (let word = 3; word >= 0; word--) {
    const one = a[oneAt + word]!
    const other = a[otherAt + word]!
    if (one !== other) return one > other
  }
  return onePort > otherPort
}

/** Whether the record at `base` has that key; what differs most often is compared first. */
export function isKey(
  words: Uint32Array,
  base: number,
  addresses: Uint32Array,
  lowerAt: number,
  higherAt: number,
  ports: number,
  kind: number,
): boolean {
  return (
    (words[base + PORTS_AT]! | 0) === ports &&
    words[base + KIND_AT] === kind &&
    words[base + 3] === addresses[lowerAt + 3] &&
    words[base + 7] === addresses[higherAt + 3] &&
    words[base + 2] === addresses[lowerAt + 2] &&
    words[base + 6] === addresses[higherAt + 2] &&
    words[base + 1] === addresses[lowerAt + 1] &&
    words[base + 5] === addresses[higherAt + 1] &&
    words[base] === addresses[lowerAt] &&
    words[base + 4] === addresses[higherAt]
  )
}

/** The hash of the key in the record at `base`. */
export function hashOfRecord(words: Uint32Array, base: number): number {
  return hashOf(
    words,
    base + LOWER_ADDRESS_AT,
    base + HIGHER_ADDRESS_AT,
    words[base + PORTS_AT]! | 0,
    words[base + KIND_AT]!,
  )
}

/** Both addresses, ports and kind in 32 bits that differ in their upper and lower halves alike. */
export function hashOf(a: Uint32Array, lowerAt: number, higherAt: number, ports: number, kind: number): number {
  let hash = Math.imul(a[lowerAt + 3]! ^ kind, 0x9e3779b1)
  hash = Math.imul(hash ^ (hash >>> 15) ^ a[higherAt + 3]!, 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13) ^ ports, 0xc2b2ae35)
  const v6 = a[lowerAt]! ^ Math.imul(a[lowerAt + 1]!, 0x27d4eb2f) ^ Math.imul(a[lowerAt + 2]!, 0x165667b1)
  hash = Math.imul(hash ^ (hash >>> 16) ^ v6, 0x9e3779b1)
  hash ^= Math.imul(a[higherAt]!, 0x85ebca6b) ^ Math.imul(a[higherAt + 1]!, 0xc2b2ae35) ^ a[higherAt + 2]!
  hash = Math.imul(hash ^ (hash >>> 15), 0x27d4eb2f)
  return hash ^ (hash >>> 16)
}
