// HOT PATH. The addresses in DNS answers: which ones were ever answered, and the set each response gave as a small number.
import { MAX_ANSWER_ADDRESSES, MAX_ANSWER_SETS } from '../../constants/limits.ts'
import { DNS_HEADER_LEN, DNS_TYPE_A, DNS_TYPE_AAAA } from '../../constants/wire.ts'
import { u16, u32 } from '../../decoders/cursor.ts'
import type { DecodedBatch } from '../../model/decoded-batch.ts'
import type { PacketBatch } from '../../model/packet-batch.ts'
import { type AddressTable, isPublicId, OTHER_ADDRESS } from './addresses.ts'

/** The set without addresses: no data, no such name, other record types, or beyond the bound. */
export const NO_ANSWERS = 0

export interface AnswerTable {
  /** Reads a response: its addresses count as answered from now on. Returns the id of their set. */
  read(batch: PacketBatch, out: DecodedBatch, row: number): number
  /** The address with that id stood in an answer before. */
  isAnswered(addressId: number): boolean
  /** The address ids of a set, ascending. Makes a new array: for the cold path. */
  addressesOf(set: number): number[]
  /** The set holds an address of the internet. */
  hasPublic(set: number): boolean
  /** The set holds the address. */
  holds(set: number, addressId: number): boolean
}

const MAPPED_PREFIX = 0xffff

export function createAnswerTable(addresses: AddressTable): AnswerTable {
  const words = new Uint32Array(4)
  const scratch = new Uint32Array(MAX_ANSWER_ADDRESSES)
  let scratchLen = 0
  let answered = new Uint8Array(1 << 12)
  /** Sets one behind the other, each as its length and its ids. */
  let arena = new Uint32Array(1 << 12)
  let arenaEnd = 1
  let startAt = new Uint32Array(1 << 10)
  let hashes = new Uint32Array(1 << 10)
  /** 1 for sets that hold a public address. */
  let isPublic = new Uint8Array(1 << 10)
  let slots = new Int32Array(1 << 11)
  let count = 1

  function addAddress(bytes: Uint8Array, at: number, addressLen: number): void {
    if (addressLen === 4) {
      words[0] = 0
      words[1] = 0
      words[2] = MAPPED_PREFIX
      words[3] = u32(bytes, at)
    } else {
      for (let i = 0; i < 4; i++) words[i] = u32(bytes, at + i * 4)
    }
    const id = addresses.intern(words, 0)
    if (id === OTHER_ADDRESS) return
    if (id >= answered.length) growAnswered(id)
    answered[id] = 1
    if (scratchLen === MAX_ANSWER_ADDRESSES) return
    let place = scratchLen
    while (place > 0 && scratch[place - 1]! > id) place--
    if (place > 0 && scratch[place - 1] === id) return
    for (let i = scratchLen; i > place; i--) scratch[i] = scratch[i - 1]!
    scratch[place] = id
    scratchLen++
  }

  /** COLD PATH: doublings. */
  function growAnswered(id: number): void {
    let wanted = answered.length
    while (wanted <= id) wanted *= 2
    answered = widenedBytes(answered, wanted)
  }

  function sameAsScratch(set: number): boolean {
    const start = startAt[set]!
    if (arena[start] !== scratchLen) return false
    for (let i = 0; i < scratchLen; i++) if (arena[start + 1 + i] !== scratch[i]) return false
    return true
  }

  function internScratch(): number {
    if (scratchLen === 0) return NO_ANSWERS
    let hash = scratchLen
    for (let i = 0; i < scratchLen; i++) hash = Math.imul(hash ^ scratch[i]!, 0x9e3779b1) ^ (hash >>> 15)
    hash >>>= 0
    const mask = slots.length - 1
    let slot = hash & mask
    while (slots[slot] !== 0) {
      const set = slots[slot]!
      if (hashes[set] === hash && sameAsScratch(set)) return set
      slot = (slot + 1) & mask
    }
    if (count >= MAX_ANSWER_SETS) return NO_ANSWERS
    const set = count++
    slots[slot] = set
    if (arenaEnd + scratchLen + 1 > arena.length) arena = widened(arena)
    startAt[set] = arenaEnd
    hashes[set] = hash
    arena[arenaEnd++] = scratchLen
    for (let i = 0; i < scratchLen; i++) {
      arena[arenaEnd++] = scratch[i]!
      if (isPublicId(addresses, scratch[i]!)) isPublic[set] = 1
    }
    if (count === startAt.length) growSets()
    return set
  }

  /** COLD PATH: doublings. */
  function growSets(): void {
    startAt = widened(startAt)
    hashes = widened(hashes)
    isPublic = widenedBytes(isPublic, startAt.length)
    slots = new Int32Array(startAt.length * 2)
    const mask = slots.length - 1
    for (let set = 1; set < count; set++) {
      let slot = hashes[set]! & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = set
    }
  }

  return {
    read(batch, out, row) {
      const { bytes } = batch
      const messageAt = out.dnsAt[row]!
      const endAt = out.dnsEndAt[row]!
      let answerCount = u16(bytes, messageAt + 6)
      if (answerCount === 0) return NO_ANSWERS
      scratchLen = 0
      let at = messageAt + DNS_HEADER_LEN
      for (let left = out.dnsQuestions[row]!; left > 0; left--) {
        at = skipName(bytes, at, endAt) + 4
        if (at < 4 || at > endAt) return NO_ANSWERS
      }
      for (; answerCount > 0; answerCount--) {
        at = skipName(bytes, at, endAt)
        if (at < 0 || at + 10 > endAt) break
        const type = u16(bytes, at)
        const dataLen = u16(bytes, at + 8)
        at += 10
        if (at + dataLen > endAt) break
        if ((type === DNS_TYPE_A && dataLen === 4) || (type === DNS_TYPE_AAAA && dataLen === 16)) {
          addAddress(bytes, at, dataLen)
        }
        at += dataLen
      }
      return internScratch()
    },
    isAnswered: (addressId) => addressId > 0 && addressId < answered.length && answered[addressId] === 1,
    /** COLD PATH: for a finding. */
    addressesOf: (set) => (set === NO_ANSWERS ? [] : copyOf(arena, startAt[set]! + 1, arena[startAt[set]!]!)),
    hasPublic: (set) => isPublic[set] === 1,
    holds(set, addressId) {
      if (set === NO_ANSWERS) return false
      const start = startAt[set]!
      for (let i = arena[start]!; i > 0; i--) if (arena[start + i] === addressId) return true
      return false
    },
  }
}

/** The offset behind the name at `at`, or −5 when it does not end before `endAt` (so that adding 4 stays negative). */
function skipName(bytes: Uint8Array, at: number, endAt: number): number {
  while (at < endAt) {
    const labelLen = bytes[at]!
    if (labelLen === 0) return at + 1
    if (labelLen >= 0xc0) return at + 2
    at += labelLen + 1
  }
  return -5
}

/** COLD PATH: doublings. */
function widened(old: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const wider = new Uint32Array(old.length * 2)
  wider.set(old)
  return wider
}

/** COLD PATH: doublings. */
function widenedBytes(old: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
  const wider = new Uint8Array(length)
  wider.set(old)
  return wider
}

/** COLD PATH: for a finding. */
function copyOf(arena: Uint32Array, at: number, length: number): number[] {
  return Array.from(arena.subarray(at, at + length))
}
