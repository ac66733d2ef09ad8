// What opens the protected records of one direction, whatever the version of TLS.

/** Opens records in order, each once: a missing one makes all that follow unreadable. */
export interface RecordKeys {
  /** Of the record opened last: its content type; in TLS 1.3 it stands inside. */
  readonly contentType: number
  /**
   * The content of the record in [at, endAt), its header included; undefined when these are not its keys, and then
   * nothing has changed.
   */
  open(bytes: Uint8Array, at: number, endAt: number): Uint8Array | undefined
}

/** RFC 8446 5.3, RFC 7905 2: the number of the record, padded on the left, changes the vector. */
export function xorSequence(iv: Uint8Array, sequence: number): Uint8Array {
  const nonce = new Uint8Array(iv)
  let left = sequence
  for (let i = nonce.length - 1; left > 0; i--) {
    nonce[i] = nonce[i]! ^ (left & 0xff)
    left = Math.floor(left / 256)
  }
  return nonce
}
