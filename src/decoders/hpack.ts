// HPACK, RFC 7541: header blocks of HTTP/2 with the table that both sides build. One table for each direction.
import { HPACK_HUFFMAN_SYMBOLS, HPACK_STATIC_TABLE } from './hpack-tables.ts'
import { latin1 } from './latin1.ts'

/** RFC 7541 4.1: what an entry costs beside its text. */
const ENTRY_COST = 32
const DEFAULT_TABLE_LEN = 4096
/** The most we let a peer's table grow to; browsers and servers use 4 to 64 KiB. */
const MAX_TABLE_LEN = 65_536
/** Longer texts (tokens, cookies) are left out; the fields we read are short. */
const MAX_TEXT_LEN = 8192
const MAX_INTEGER = 0x0fff_ffff

const INDEXED = 0x80
const WITH_INDEXING = 0x40
const SIZE_UPDATE = 0x20
const HUFFMAN = 0x80

interface Entry {
  name: string
  value: string
}

/** Reads header blocks of one direction, in order: each one changes how the next is to be read. */
export class HpackReader {
  /** Oldest first: what a block adds moves no other entry. */
  readonly #entries: Entry[] = []
  #tableLen = 0
  #maxTableLen = DEFAULT_TABLE_LEN
  #bytes: Uint8Array = new Uint8Array(0)
  #at = 0
  #endAt = 0

  /**
   * Calls `field` for each header field of the block in [at, endAt). False when the block makes no sense; then no later
   * one can be read either (RFC 7541 2.2).
   */
  read(bytes: Uint8Array, at: number, endAt: number, field: (name: string, value: string) => void): boolean {
    this.#bytes = bytes
    this.#at = at
    this.#endAt = endAt
    while (this.#at < this.#endAt) {
      const first = bytes[this.#at]!
      if ((first & INDEXED) !== 0) {
        const entry = this.#entry(this.#integer(7))
        if (entry === undefined) return false
        field(entry.name, entry.value)
      } else if ((first & (WITH_INDEXING | SIZE_UPDATE)) === SIZE_UPDATE) {
        const wantedLen = this.#integer(5)
        if (wantedLen < 0 || wantedLen > MAX_TABLE_LEN) return false
        this.#maxTableLen = wantedLen
        this.#evict(0)
      } else {
        const isIndexed = (first & WITH_INDEXING) !== 0
        const entry = this.#literal(isIndexed ? 6 : 4)
        if (entry === undefined) return false
        if (isIndexed) this.#add(entry)
        field(entry.name, entry.value)
      }
    }
    return true
  }

  #literal(prefixBits: number): Entry | undefined {
    const index = this.#integer(prefixBits)
    const name = index === 0 ? this.#text() : this.#entry(index)?.name
    const value = name === undefined ? undefined : this.#text()
    return name === undefined || value === undefined ? undefined : { name, value }
  }

  /** RFC 7541 2.3.3: the static table, then the dynamic one. */
  #entry(index: number): Entry | undefined {
    if (index <= 0) return undefined
    const known = HPACK_STATIC_TABLE[index - 1]
    return known !== undefined
      ? { name: known[0], value: known[1] }
      : this.#entries[this.#entries.length - (index - HPACK_STATIC_TABLE.length)]
  }

  #add(entry: Entry): void {
    const entryLen = entryLenOf(entry)
    this.#evict(entryLen)
    if (entryLen > this.#maxTableLen) return
    this.#entries.push(entry)
    this.#tableLen += entryLen
  }

  /** RFC 7541 4.4: the oldest entries make room. */
  #evict(wantedLen: number): void {
    while (this.#entries.length > 0 && this.#tableLen + wantedLen > this.#maxTableLen) {
      this.#tableLen -= entryLenOf(this.#entries.shift()!)
    }
  }

  /** RFC 7541 5.1; −1 when it is not whole or absurdly large. */
  #integer(prefixBits: number): number {
    const mask = (1 << prefixBits) - 1
    let value = this.#bytes[this.#at++]! & mask
    if (value < mask) return value
    for (let shift = 0; this.#at < this.#endAt && shift < 28; shift += 7) {
      const byte = this.#bytes[this.#at++]!
      value += (byte & 0x7f) * 2 ** shift
      if (value > MAX_INTEGER) return -1
      if (byte < 0x80) return value
    }
    return -1
  }

  /** RFC 7541 5.2. A text we cannot write down counts with its length; undefined when it is not whole. */
  #text(): string | undefined {
    if (this.#at >= this.#endAt) return undefined
    const isHuffman = (this.#bytes[this.#at]! & HUFFMAN) !== 0
    const textLen = this.#integer(7)
    if (textLen < 0 || this.#at + textLen > this.#endAt) return undefined
    const startAt = this.#at
    this.#at += textLen
    if (textLen > MAX_TEXT_LEN) return ''.padEnd(textLen)
    return isHuffman ? huffmanText(this.#bytes, startAt, this.#at) : latin1(this.#bytes, startAt, this.#at)
  }
}

function entryLenOf(entry: Entry): number {
  return entry.name.length + entry.value.length + ENTRY_COST
}

const END_OF_STRING = 256

/** First code and place of its symbol for each length of code: the code is canonical, ordered by length and symbol. */
const CODES = HPACK_HUFFMAN_SYMBOLS.reduce<{ firstCode: number; nextCode: number }[]>((codes, symbols, bits) => {
  const firstCode = bits === 0 ? 0 : codes[bits - 1]!.nextCode * 2
  codes.push({ firstCode, nextCode: firstCode + symbols.length })
  return codes
}, [])

/** The longest text that MAX_TEXT_LEN can hold: no code is shorter than five bits. */
const UNPACKED = new Uint8Array(Math.ceil((MAX_TEXT_LEN * 8) / 5))

/** RFC 7541 5.2. What follows the last whole code is padding. */
function huffmanText(bytes: Uint8Array, at: number, endAt: number): string {
  let textLen = 0
  let code = 0
  let bits = 0
  for (; at < endAt; at++) {
    for (let shift = 7; shift >= 0; shift--) {
      code = code * 2 + ((bytes[at]! >> shift) & 1)
      bits++
      if (bits >= CODES.length) return latin1(UNPACKED, 0, textLen)
      const { firstCode, nextCode } = CODES[bits]!
      if (code < nextCode && code >= firstCode) {
        const symbol = HPACK_HUFFMAN_SYMBOLS[bits]![code - firstCode]!
        if (symbol === END_OF_STRING) return latin1(UNPACKED, 0, textLen)
        UNPACKED[textLen++] = symbol
        code = 0
        bits = 0
      }
    }
  }
  return latin1(UNPACKED, 0, textLen)
}
