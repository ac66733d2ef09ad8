// HOT PATH. IP addresses as small numbers, so that tables of exchanges need four bytes for one instead of sixteen.
import { MAX_ADDRESSES } from '../../constants/limits.ts'
import { addressText } from '../../text/address.ts'
import { isPublicAddress } from '../address-classes.ts'
import type { Writable } from '../writable.ts'

/** The id of addresses beyond the bound. */
export const OTHER_ADDRESS = 0

export interface AddressTable {
  /** The id of the address in words[at .. at + 4) (four big-endian words, IPv4 mapped); OTHER_ADDRESS when full. */
  intern(words: Uint32Array, at: number): number
  /** The id, or −1 when the address was never interned. */
  idOf(words: Uint32Array, at: number): number
  text(id: number): string
  /** Word `index` (0 … 3) of the address. */
  word(id: number, index: number): number
  isIpv4(id: number): boolean
  readonly count: number
}

export function createAddressTable(): AddressTable {
  let slots = new Int32Array(1 << 11)
  let stored = new Uint32Array(4 << 10)
  const texts: (string | undefined)[] = ['other']

  function lookup(words: Uint32Array, at: number): number {
    const mask = slots.length - 1
    let slot = hashOf(words, at) & mask
    while (true) {
      const id = slots[slot]!
      if (id === 0) return ~slot
      const start = id << 2
      if (
        stored[start + 3] === words[at + 3] &&
        stored[start + 2] === words[at + 2] &&
        stored[start + 1] === words[at + 1] &&
        stored[start] === words[at]
      ) {
        return id
      }
      slot = (slot + 1) & mask
    }
  }

  /** COLD PATH: once for every doubling. */
  function grow(): void {
    const wider = new Uint32Array(stored.length * 2)
    wider.set(stored)
    stored = wider
    slots = new Int32Array(stored.length / 2)
    const mask = slots.length - 1
    for (let id = 1; id < table.count; id++) {
      let slot = hashOf(stored, id << 2) & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = id
    }
  }

  const table: Writable<AddressTable> = {
    count: 1,
    intern(words, at) {
      const found = lookup(words, at)
      if (found > 0) return found
      if (table.count >= MAX_ADDRESSES) return OTHER_ADDRESS
      const id = table.count++
      slots[~found] = id
      const start = id << 2
      stored[start] = words[at]!
      stored[start + 1] = words[at + 1]!
      stored[start + 2] = words[at + 2]!
      stored[start + 3] = words[at + 3]!
      if (table.count << 2 === stored.length) grow()
      return id
    },
    idOf(words, at) {
      const found = lookup(words, at)
      return found > 0 ? found : -1
    },
    text(id) {
      let text = texts[id]
      if (text === undefined) {
        text = addressText(stored, id << 2)
        texts[id] = text
      }
      return text
    },
    word: (id, index) => stored[(id << 2) + index]!,
    isIpv4: (id) => stored[(id << 2) + 2] === 0xffff && stored[id << 2] === 0 && stored[(id << 2) + 1] === 0,
  }
  return table
}

/** The address stands for a host on the internet. */
export function isPublicId(addresses: Pick<AddressTable, 'word'>, id: number): boolean {
  return isPublicAddress(addresses.word(id, 0), addresses.word(id, 1), addresses.word(id, 2), addresses.word(id, 3))
}

function hashOf(words: Uint32Array, at: number): number {
  let hash = Math.imul(words[at]! ^ 0x9e3779b9, 0x85ebca6b)
  hash = Math.imul((hash ^ words[at + 1]!) + (hash >>> 15), 0xc2b2ae35)
  hash = Math.imul((hash ^ words[at + 2]!) + (hash >>> 13), 0x27d4eb2f)
  hash = Math.imul((hash ^ words[at + 3]!) + (hash >>> 16), 0x165667b1)
  return hash ^ (hash >>> 15)
}
