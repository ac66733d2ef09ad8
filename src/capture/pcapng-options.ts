// Options of pcapng blocks (draft-ietf-opsawg-pcapng 3.5): code, length, value padded to 32 bits, up to the block's end.
import { MAX_OPTION_TEXT_LEN } from '../constants/limits.ts'

/** Ends the list. */
const OPT_ENDOFOPT = 0
export const OPT_COMMENT = 1

/**
 * Offset of the first option with `code` at or after `at`, −1 when there is none before `endAt`. The value follows the
 * four bytes of its header and is whole.
 */
export function findOption(view: DataView, at: number, endAt: number, little: boolean, code: number): number {
  while (endAt - at >= 4) {
    const found = view.getUint16(at, little)
    const valueLen = view.getUint16(at + 2, little)
    if (found === OPT_ENDOFOPT || valueLen > endAt - at - 4) return -1
    if (found === code) return at
    at = nextOption(view, at, little)
  }
  return -1
}

/** Offset behind the option at `at` and its padding. */
export function nextOption(view: DataView, at: number, little: boolean): number {
  return at + 4 + ((view.getUint16(at + 2, little) + 3) & ~3)
}

/** The list of one block, for blocks that are read once. */
export class BlockOptions {
  readonly #view: DataView
  readonly #at: number
  readonly #endAt: number
  readonly #little: boolean

  constructor(view: DataView, at: number, endAt: number, little: boolean) {
    this.#view = view
    this.#at = at
    this.#endAt = endAt
    this.#little = little
  }

  /** The first value with this code as UTF-8 text, from byte `from` of the value, cut at a NUL and at our bound; empty = none. */
  text(code: number, from = 0): string | undefined {
    const value = this.bytes(code, from)
    if (value === undefined) return undefined
    const nulAt = value.indexOf(0)
    const text = utf8.decode(value.subarray(0, Math.min(nulAt < 0 ? value.length : nulAt, MAX_OPTION_TEXT_LEN)))
    return text === '' ? undefined : text
  }

  /** The first value with this code that is longer than `minLen`; a view, valid while the block is. */
  bytes(code: number, minLen = 0): Uint8Array | undefined {
    const at = findOption(this.#view, this.#at, this.#endAt, this.#little, code)
    return at < 0 ? undefined : this.#value(at, minLen)
  }

  /** Every value with this code. */
  *all(code: number): Generator<Uint8Array> {
    let at = findOption(this.#view, this.#at, this.#endAt, this.#little, code)
    while (at >= 0) {
      const value = this.#value(at, 0)
      if (value !== undefined) yield value
      at = findOption(this.#view, nextOption(this.#view, at, this.#little), this.#endAt, this.#little, code)
    }
  }

  /** A 64-bit number in the section's byte order; approximate above 2⁵³. */
  uint64(code: number): number | undefined {
    const words = this.words(code)
    if (words === undefined) return undefined
    const [first, second] = words
    return this.#little ? second * 2 ** 32 + first : first * 2 ** 32 + second
  }

  /** The two 32-bit words of a value of eight bytes, in the order in which they stand. */
  words(code: number): readonly [number, number] | undefined {
    const at = findOption(this.#view, this.#at, this.#endAt, this.#little, code)
    if (at < 0 || this.#view.getUint16(at + 2, this.#little) !== 8) return undefined
    return [this.#view.getUint32(at + 4, this.#little), this.#view.getUint32(at + 8, this.#little)]
  }

  #value(at: number, from: number): Uint8Array | undefined {
    const valueLen = this.#view.getUint16(at + 2, this.#little)
    if (valueLen <= from) return undefined
    return new Uint8Array(this.#view.buffer, this.#view.byteOffset + at + 4 + from, valueLen - from)
  }
}

const utf8 = new TextDecoder()
