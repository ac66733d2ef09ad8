// The last packets of one interface, for comparing them with those of another.

/** Packets remembered, a power of two. */
export const RING_LEN = 64
/** Words of a packet's flow key: both addresses, lower endpoint first, and both ports. */
export const KEY_WORDS = 9
export const PORTS_WORD = 8

/** Columns by `count % RING_LEN`. */
export interface Ring {
  readonly interfaceId: number
  /** Packets ever written. */
  count: number
  /** The longest IP packet so far. */
  largestLen: number
  readonly timeMicros: Float64Array
  readonly ipLen: Uint32Array
  readonly ipVersion: Uint8Array
  readonly ipProtocol: Uint8Array
  readonly sourceIsLower: Uint8Array
  readonly flowHash: Int32Array
  readonly key: Uint32Array
  /** Number of the packet when it may carry another one, 0 otherwise. */
  readonly voter: Float64Array
  /** The way of wrapping for which the packet was counted as explained; −1 = none. */
  readonly explainedBy: Int32Array
}

export function addRing(rings: Ring[], interfaceId: number): Ring {
  const ring: Ring = {
    interfaceId,
    count: 0,
    largestLen: 0,
    timeMicros: new Float64Array(RING_LEN),
    ipLen: new Uint32Array(RING_LEN),
    ipVersion: new Uint8Array(RING_LEN),
    ipProtocol: new Uint8Array(RING_LEN),
    sourceIsLower: new Uint8Array(RING_LEN),
    flowHash: new Int32Array(RING_LEN),
    key: new Uint32Array(RING_LEN * KEY_WORDS),
    voter: new Float64Array(RING_LEN),
    explainedBy: new Int32Array(RING_LEN),
  }
  rings.push(ring)
  return ring
}
