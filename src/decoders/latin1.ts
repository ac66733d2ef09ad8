// Bytes as text, one character a byte: protocol text is ASCII, and what is not must stay tellable.

const { fromCharCode } = String

/** Longer texts are made as a whole: joined of pieces they take seven times their length, until somebody reads them. */
const MAX_JOINED_LEN = 256
/** What one call may be given as arguments. */
const MAX_PIECE_LEN = 4096

/** Eight characters at a time: one by one a text becomes a chain of a hundred strings, to be joined when it is read. */
export function latin1(bytes: Uint8Array, at: number, endAt: number): string {
  let text = ''
  if (endAt - at > MAX_JOINED_LEN) {
    for (; at < endAt; at += MAX_PIECE_LEN) text += pieceText(bytes.subarray(at, Math.min(endAt, at + MAX_PIECE_LEN)))
    return text
  }
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

/** An array is asked for, and anything that has a length is taken. */
function pieceText(bytes: Uint8Array): string {
  return fromCharCode.apply(undefined, bytes as unknown as number[])
}
