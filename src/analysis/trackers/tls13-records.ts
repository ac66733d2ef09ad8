// Records of TLS 1.3 opened in order: keys from a traffic secret, a nonce a record, the type and the padding inside
// (RFC 8446 5.2 to 5.4, 7.2, 7.3).
import { TLS_RECORD_HEADER_LEN } from '../../decoders/tls.ts'
import { type Ciphers, expandLabel } from '../ciphers.ts'
import type { RecordKeys } from './tls-record-keys.ts'
import { xorSequence } from './tls-record-keys.ts'
import type { AeadSuite } from './tls-suites.ts'

const IV_LEN = 12

/** The keys of one direction under one traffic secret, and those that follow from it. */
export class Tls13Keys implements RecordKeys {
  contentType = 0
  readonly #ciphers: Ciphers
  readonly #suite: AeadSuite
  #secret: Uint8Array
  #key: Uint8Array
  #iv: Uint8Array
  /** Records opened under these keys. */
  #sequence = 0

  constructor(ciphers: Ciphers, suite: AeadSuite, secret: Uint8Array) {
    this.#ciphers = ciphers
    this.#suite = suite
    this.#secret = secret
    this.#key = this.#expand('key', suite.keyLen)
    this.#iv = this.#expand('iv', IV_LEN)
  }

  open(bytes: Uint8Array, at: number, endAt: number): Uint8Array | undefined {
    const bodyAt = at + TLS_RECORD_HEADER_LEN
    const nonce = xorSequence(this.#iv, this.#sequence)
    const header = bytes.subarray(at, bodyAt)
    const opened = this.#ciphers.aeadOpen(this.#suite.cipher, this.#key, nonce, header, bytes.subarray(bodyAt, endAt))
    if (opened === undefined) return undefined
    this.#sequence++
    let len = opened.length
    while (len > 0 && opened[len - 1] === 0) len--
    // Nothing but padding: not allowed, and nothing to tell.
    this.contentType = len === 0 ? 0 : opened[len - 1]!
    return opened.subarray(0, Math.max(0, len - 1))
  }

  /** After KeyUpdate (RFC 8446 7.2). */
  update(): void {
    this.#secret = this.#expand('traffic upd', this.#suite.hashLen)
    this.#key = this.#expand('key', this.#suite.keyLen)
    this.#iv = this.#expand('iv', IV_LEN)
    this.#sequence = 0
  }

  #expand(label: string, len: number): Uint8Array {
    return expandLabel(this.#ciphers, this.#suite.hash, this.#secret, label, len)
  }
}
