// Bytes as text, one character a byte: protocol text is ASCII, and what is not must stay tellable.

const { fromCharCode } = String

/** Eight characters at a time: one by one a long text becomes a chain of a hundred strings, to be joined when it is read. */
export function latin1(bytes: Uint8Array, at: number, endAt: number): string {
  let text = ''
  for (; at + 8 <= endAt; at += 8) {
    text += fromCharCode(
      bytes[at]!,
      bytes[at + 1]!,
      bytes[at + 2]!,
      bytes[at + 3]!,
      bytes[at + 4]!,
      bytes[at + 5]!,
      bytes[at + 6]!,
      bytes[at + 7]!,
    )
  }
  for (; at < endAt; at++) text += fromCharCode(bytes[at]!)
  return text
}
