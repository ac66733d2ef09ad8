// HOT PATH. Paths: a destination as one interface reaches it. What sizes passed and died there, per direction, in columns.
import { FIRST_PATHS, MAX_PATHS } from '../../constants/limits.ts'
import type { AddressTable } from './addresses.ts'

/** Sizes are counted in classes of 64 bytes; everything from 1,536 bytes on is in the last one. */
export const SIZE_CLASS_SHIFT = 6
export const SIZE_CLASSES = 25

/** A segment up to this IP length is a small one: no path of the internet is too narrow for it (RFC 791 3.1). */
export const SMALL_PACKET_LEN = 576

/**
 * Columns by `path`, or by `path * 2 + direction` where a field exists per direction: 0 what the client sends, 1 the
 * server. Path 0 takes what the table has no room for and is never shown. Other arrays after idOf(): the table grows.
 */
interface PathColumns {
  readonly interfaceId: Uint16Array
  readonly addressId: Uint32Array
  readonly connections: Uint32Array
  /** Microseconds; 0 = none measured. */
  readonly minRoundTrip: Uint32Array
  /** MSS announced: by clients in [path * 2], by the server in [path * 2 + 1]; 0 = none seen. */
  readonly mss: Uint16Array
  /** Largest IP length that was acknowledged; 0 = none. */
  readonly delivered: Uint16Array
  /** Smallest IP length that provably dies; 0 = none, or refuted by a delivery. */
  readonly lost: Uint16Array
  /** MTU of the last "packet too big" about this path, validated or not; 0 = none. */
  readonly told: Uint32Array
  /** MTU of a validated one; 0 = none. */
  readonly nextHopMtu: Uint32Array
  /** Data segments seen, and those sent again, by size class. */
  readonly sentByClass: Uint32Array
  readonly lostByClass: Uint32Array
  /** Loss events: what is lost within a round trip, or a moment, is one (RFC 5348 5.2); and when the last one began (low 32 bits of microseconds). */
  readonly lossEvents: Uint32Array
  readonly lossEventAt: Uint32Array
  /** When a small segment went unanswered twice (low 32 bits of microseconds), and whether it did at all. */
  readonly smallStalled: Uint8Array
}

export interface PathTable extends PathColumns {
  readonly count: number
  /** The path of a destination; made when it is new. 0 when the table is full. */
  idOf(interfaceId: number, words: Uint32Array, at: number): number
  /** The path, or 0. */
  find(interfaceId: number, words: Uint32Array, at: number): number
}

export function createPathTable(addresses: AddressTable): PathTable {
  const ids = new Map<number, number>()
  let capacity = FIRST_PATHS
  const table = {
    count: 1,
    ...createColumns(capacity),
    idOf(interfaceId: number, words: Uint32Array, at: number) {
      const addressId = addresses.intern(words, at)
      if (addressId === 0) return 0
      const key = addressId * 65_536 + interfaceId
      const known = ids.get(key)
      if (known !== undefined) return known
      if (table.count === MAX_PATHS) return 0
      if (table.count === capacity) grow()
      const path = table.count++
      ids.set(key, path)
      table.interfaceId[path] = interfaceId
      table.addressId[path] = addressId
      return path
    },
    find(interfaceId: number, words: Uint32Array, at: number) {
      const addressId = addresses.idOf(words, at)
      return addressId < 0 ? 0 : (ids.get(addressId * 65_536 + interfaceId) ?? 0)
    },
  }

  /** COLD PATH: once for every doubling. */
  function grow(): void {
    capacity *= 2
    const wider = createColumns(capacity)
    for (const name of Object.keys(wider) as (keyof PathColumns)[]) wider[name].set(table[name])
    Object.assign(table, wider)
  }
  return table
}

function createColumns(paths: number): PathColumns {
  return {
    interfaceId: new Uint16Array(paths),
    addressId: new Uint32Array(paths),
    connections: new Uint32Array(paths),
    minRoundTrip: new Uint32Array(paths),
    mss: new Uint16Array(paths * 2),
    delivered: new Uint16Array(paths * 2),
    lost: new Uint16Array(paths * 2),
    told: new Uint32Array(paths),
    nextHopMtu: new Uint32Array(paths),
    sentByClass: new Uint32Array(paths * 2 * SIZE_CLASSES),
    lostByClass: new Uint32Array(paths * 2 * SIZE_CLASSES),
    lossEvents: new Uint32Array(paths),
    lossEventAt: new Uint32Array(paths),
    smallStalled: new Uint8Array(paths),
  }
}

export function sizeClassOf(ipLen: number): number {
  const index = ipLen >> SIZE_CLASS_SHIFT
  return index < SIZE_CLASSES ? index : SIZE_CLASSES - 1
}

/** Segments of one direction seen, or sent again when `counts` is lostByClass, in classes from `from` up to before `to`. */
export function sumOfClasses(counts: Uint32Array, direction: number, from: number, to: number): number {
  let sum = 0
  for (let index = from; index < to; index++) sum += counts[direction * SIZE_CLASSES + index]!
  return sum
}
