// Cold path. One number per 5-tuple and interface, the same for both directions: what joins the event lines of a flow.

const PRIME_A = 0x01000193
const PRIME_B = 0x85ebca6b

/**
 * A whole number below 2^53 from two endpoints (four address words at `at` and a port each), protocol and interface.
 * Which endpoint comes first makes no difference.
 */
export function flowId(
  words: Uint32Array,
  firstAt: number,
  firstPort: number,
  secondAt: number,
  secondPort: number,
  ipProtocol: number,
  interfaceId: number,
): number {
  const swap = isAfter(words, firstAt, firstPort, secondAt, secondPort)
  let low = 0x811c9dc5
  let high = 0x9747b28c
  const add = (word: number) => {
    low = Math.imul(low ^ word, PRIME_A)
    low ^= low >>> 15
    high = Math.imul(high ^ word, PRIME_B)
    high ^= high >>> 13
  }
  for (const at of swap ? [secondAt, firstAt] : [firstAt, secondAt]) for (let i = 0; i < 4; i++) add(words[at + i]!)
  add(swap ? (secondPort << 16) | firstPort : (firstPort << 16) | secondPort)
  add((ipProtocol << 16) | interfaceId)
  return (high >>> 11) * 0x1_0000_0000 + (low >>> 0)
}

function isAfter(
  words: Uint32Array,
  firstAt: number,
  firstPort: number,
  secondAt: number,
  secondPort: number,
): boolean {
  for (let i = 0; i < 4; i++) {
    const difference = words[firstAt + i]! - words[secondAt + i]!
    if (difference !== 0) return difference > 0
  }
  return firstPort > secondPort
}
