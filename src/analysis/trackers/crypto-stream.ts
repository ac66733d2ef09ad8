// The bytes of QUIC's CRYPTO frames, which come in any order and more than once, up to the end of the first handshake
// message (RFC 9000 19.6, RFC 8446 4).
import { TLS_HANDSHAKE_HEADER_LEN } from '../../decoders/tls.ts'

/** A ClientHello with post-quantum shares takes 2 KiB; nothing useful is longer. */
const MAX_MESSAGE_LEN = 16 * 1024
const FIRST_BUFFER_LEN = 2048
/** Pieces that wait for the ones before them: a hello cut into single bytes is an attack, one cut into 50 a test. */
const MAX_PIECES = 256

export class CryptoStream {
  /** The message from its first byte; good up to `contiguousLen`. */
  bytes: Uint8Array = new Uint8Array(0)
  /** Bytes that are there without a gap, no more than the first message. */
  contiguousLen = 0
  /** Ranges beyond the first gap, sorted, not touching: start, end, start, end … */
  readonly #ranges: number[] = []

  /** The first message is there as a whole. */
  get hasMessage(): boolean {
    return this.contiguousLen >= TLS_HANDSHAKE_HEADER_LEN && this.contiguousLen >= this.#messageLen()
  }

  /**
   * Takes bytes[at, endAt), which stand at `offset` of the stream. What lies too far ahead is left out. RFC 9000 2.2: what
   * is sent again must not differ; where it does, that which came first counts, as on every stream.
   */
  add(offset: number, bytes: Uint8Array, at: number, endAt: number): void {
    const end = offset + endAt - at
    if (at >= endAt || end > MAX_MESSAGE_LEN || this.#ranges.length > MAX_PIECES * 2) return
    this.#reserve(end)
    let missingAt = Math.max(offset, this.contiguousLen)
    for (let index = 0; index < this.#ranges.length && missingAt < end; index += 2) {
      this.#write(missingAt, Math.min(this.#ranges[index]!, end), bytes, at - offset)
      missingAt = Math.max(missingAt, this.#ranges[index + 1]!)
    }
    this.#write(missingAt, end, bytes, at - offset)
    this.#insert(offset, end)
    while (this.#ranges.length > 0 && this.#ranges[0]! <= this.contiguousLen) {
      const [, reached] = this.#ranges.splice(0, 2)
      if (reached! > this.contiguousLen) this.contiguousLen = reached!
    }
    if (this.hasMessage) this.contiguousLen = this.#messageLen()
  }

  #messageLen(): number {
    const { bytes } = this
    return TLS_HANDSHAKE_HEADER_LEN + ((bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!)
  }

  /** Copies what stands at [start, end) of the stream, `shift` further on in `bytes`. */
  #write(start: number, end: number, bytes: Uint8Array, shift: number): void {
    if (start < end) this.bytes.set(bytes.subarray(start + shift, end + shift), start)
  }

  #insert(start: number, end: number): void {
    const ranges = this.#ranges
    let index = 0
    while (index < ranges.length && ranges[index + 1]! < start) index += 2
    let removeCount = 0
    while (index + removeCount < ranges.length && ranges[index + removeCount]! <= end) {
      start = Math.min(start, ranges[index + removeCount]!)
      end = Math.max(end, ranges[index + removeCount + 1]!)
      removeCount += 2
    }
    ranges.splice(index, removeCount, start, end)
  }

  #reserve(neededLen: number): void {
    if (neededLen <= this.bytes.length) return
    const larger = new Uint8Array(Math.max(neededLen, this.bytes.length * 2, FIRST_BUFFER_LEN))
    larger.set(this.bytes)
    this.bytes = larger
  }
}
