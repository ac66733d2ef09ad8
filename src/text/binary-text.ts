// Cold path. Bytes as hexadecimal, base64 and base32hex (RFC 4648), and text from the wire made inert.

export function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!
}

export function u32(bytes: Uint8Array, at: number): number {
  return u16(bytes, at) * 0x10000 + u16(bytes, at + 2)
}

const HEX_BYTES: readonly string[] = Object.freeze(
  Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0')),
)
const BASE32_HEX = '0123456789abcdefghijklmnopqrstuv'

/** Lower-case hexadecimal of [at, endAt), `separator` between the bytes. */
export function hexText(bytes: Uint8Array, at: number, endAt: number, separator = ''): string {
  let text = ''
  for (let i = at; i < endAt; i++) text += (i > at ? separator : '') + HEX_BYTES[bytes[i]!]!
  return text
}

/** RFC 4648 4, with padding. */
export function base64Text(bytes: Uint8Array, at: number, endAt: number): string {
  let binary = ''
  for (let i = at; i < endAt; i++) binary += String.fromCharCode(bytes[i]!)
  return btoa(binary)
}

/** RFC 4648 7, lower case, without padding, as NSEC3 owner names are written (RFC 5155 3.3). */
export function base32HexText(bytes: Uint8Array, at: number, endAt: number): string {
  let text = ''
  let held = 0
  let heldBits = 0
  for (let i = at; i < endAt; i++) {
    held = (held << 8) | bytes[i]!
    heldBits += 8
    while (heldBits >= 5) {
      heldBits -= 5
      text += BASE32_HEX[(held >> heldBits) & 31]!
    }
    held &= (1 << heldBits) - 1
  }
  if (heldBits > 0) text += BASE32_HEX[(held << (5 - heldBits)) & 31]!
  return text
}

/** How one byte of a character string is written: printable ASCII as it is, `\` doubled, the rest as \DDD. */
const STRING_BYTES: readonly string[] = Object.freeze(
  Array.from({ length: 256 }, (_, byte) => {
    if (byte === 0x5c) return '\\\\'
    return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\${byte.toString().padStart(3, '0')}`
  }),
)

/** The bytes of [at, endAt) as inert ASCII (RFC 1035 5.1 escapes), without quotes around them. */
export function asciiText(bytes: Uint8Array, at: number, endAt: number): string {
  let text = ''
  for (let i = at; i < endAt; i++) text += STRING_BYTES[bytes[i]!]!
  return text
}
