// Bytes as text, one character a byte: protocol text is ASCII, and what is not must stay tellable.

export function latin1(bytes: Uint8Array, at: number, endAt: number): string {
  let text = ''
  for (; at < endAt; at++) text += String.fromCharCode(bytes[at]!)
  return text
}
