// HOT PATH. DNS names as small numbers: each name is kept once, in lower case wire form (RFC 4343), and told apart by bytes.
import { MAX_NAME_BYTES, MAX_NAMES } from '../../constants/limits.ts'
import { dnsNameText } from '../../text/dns-name.ts'
import type { Writable } from '../writable.ts'

/** The id of the root name, of questions without a readable name, and of names beyond the bound. */
export const NO_NAME = 0

export interface NameTable {
  /**
   * The id of the name whose uncompressed wire form starts at `at` and ends before `endAt`; `hash` is its hash as the
   * decoder computed it. Returns NO_NAME for the root, for a compressed or cut name, and when the table is full.
   */
  intern(bytes: Uint8Array, at: number, endAt: number, hash: number): number
  /** Presentation form with escapes, lower case, without the final dot. */
  text(id: number): string
  /** The name in wire form, as a view that must not be kept. */
  wire(id: number): Uint8Array
  readonly count: number
  /** Names that were not kept because the table was full. */
  readonly refused: number
}

export function createNameTable(): NameTable {
  let arena = new Uint8Array(1 << 16)
  let arenaEnd = 1
  let slots = new Int32Array(1 << 12)
  let startAt = new Uint32Array(1 << 11)
  let length = new Uint8Array(1 << 11)
  let hashes = new Uint32Array(1 << 11)
  const texts: (string | undefined)[] = ['']
  length[0] = 1

  function wireLen(bytes: Uint8Array, at: number, endAt: number): number {
    let end = at
    while (end < endAt) {
      const labelLen = bytes[end]!
      if (labelLen === 0) return end + 1 - at
      if (labelLen > 63) return 0
      end += labelLen + 1
      if (end - at > 254) return 0
    }
    return 0
  }

  function same(id: number, bytes: Uint8Array, at: number, len: number): boolean {
    if (length[id] !== len) return false
    const start = startAt[id]!
    for (let i = 0; i < len; i++) {
      if (arena[start + i] !== lower(bytes[at + i]!)) return false
    }
    return true
  }

  /** COLD PATH: once for every doubling. */
  function grow(): void {
    const entries = startAt.length * 2
    startAt = widened(startAt, new Uint32Array(entries))
    length = widened(length, new Uint8Array(entries))
    hashes = widened(hashes, new Uint32Array(entries))
    slots = new Int32Array(entries * 2)
    const mask = slots.length - 1
    for (let id = 1; id < table.count; id++) {
      let slot = hashes[id]! & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = id
    }
  }

  /** COLD PATH: once for every new name. */
  function add(bytes: Uint8Array, at: number, len: number, hash: number): number {
    if (table.count >= MAX_NAMES || arenaEnd + len > MAX_NAME_BYTES) {
      table.refused++
      return NO_NAME
    }
    if (table.count === startAt.length) grow()
    if (arenaEnd + len > arena.length) arena = widened(arena, new Uint8Array(arena.length * 2))
    const id = table.count++
    startAt[id] = arenaEnd
    length[id] = len
    hashes[id] = hash
    for (let i = 0; i < len; i++) arena[arenaEnd + i] = lower(bytes[at + i]!)
    arenaEnd += len
    const mask = slots.length - 1
    let slot = hash & mask
    while (slots[slot] !== 0) slot = (slot + 1) & mask
    slots[slot] = id
    return id
  }

  const table: Writable<NameTable> = {
    count: 1,
    refused: 0,
    intern(bytes, at, endAt, hash) {
      const len = wireLen(bytes, at, endAt)
      if (len < 2) return NO_NAME
      const mask = slots.length - 1
      let slot = hash & mask
      while (true) {
        const id = slots[slot]!
        if (id === 0) return add(bytes, at, len, hash)
        if (hashes[id] === hash >>> 0 && same(id, bytes, at, len)) return id
        slot = (slot + 1) & mask
      }
    },
    text(id) {
      let text = texts[id]
      if (text === undefined) {
        text = dnsNameText(arena, startAt[id]!, startAt[id]! + length[id]!)
        texts[id] = text
      }
      return text
    },
    /** COLD PATH: for a name that somebody reads. */
    wire: (id) => arena.subarray(startAt[id]!, startAt[id]! + length[id]!),
  }
  return table
}

/** ASCII letters only, RFC 4343 3. Length bytes are at most 63 and so never letters. */
function lower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte
}

function widened<T extends Uint8Array | Uint32Array>(old: T, fresh: T): T {
  fresh.set(old)
  return fresh
}
