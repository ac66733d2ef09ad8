// Records of TLS 1.2 opened in order: keys from the master secret (RFC 5246 6.3), AES-GCM (RFC 5288 3), ChaCha20-Poly1305
// (RFC 7905 2), and AES-CBC with its HMAC inside (RFC 5246 6.2.3.2) or behind (RFC 7366 3).
import { TLS_RECORD_HEADER_LEN } from '../../decoders/tls.ts'
import type { Ciphers, HashName } from '../ciphers.ts'
import { type RecordKeys, xorSequence } from './tls-record-keys.ts'
import type { AeadSuite, CbcSuite, TlsSuite } from './tls-suites.ts'

/** RFC 5288 3: four bytes from the key block and eight in the record. */
const SALT_LEN = 4
const EXPLICIT_NONCE_LEN = 8
const CHACHA20_IV_LEN = 12
const TAG_LEN = 16
const BLOCK_LEN = 16
/** Sequence number, type, version and length: what a tag or MAC also covers. */
const PSEUDO_HEADER_LEN = 13

/** Keys of both directions. */
export interface Tls12Keys {
  readonly client: RecordKeys
  readonly server: RecordKeys
}

/** Both randoms have 32 bytes. `encryptThenMac`: the server chose it (it means nothing for an AEAD). */
export function tls12Keys(
  ciphers: Ciphers,
  suite: TlsSuite,
  masterSecret: Uint8Array,
  clientRandom: Uint8Array,
  serverRandom: Uint8Array,
  encryptThenMac: boolean,
): Tls12Keys {
  const macLen = suite.kind === 'cbc' ? suite.macLen : 0
  const ivLen = suite.kind === 'cbc' ? 0 : suite.cipher === 'chacha20-poly1305' ? CHACHA20_IV_LEN : SALT_LEN
  const seed = joined(serverRandom, clientRandom)
  const block = prf(ciphers, suite.hash, masterSecret, 'key expansion', seed, 2 * (macLen + suite.keyLen + ivLen))
  // RFC 5246 6.3: MAC keys, keys, vectors, the client's first.
  let at = 0
  const take = (len: number) => {
    at += len
    return block.subarray(at - len, at)
  }
  const macKeys = [take(macLen), take(macLen)] as const
  const keys = [take(suite.keyLen), take(suite.keyLen)] as const
  const ivs = [take(ivLen), take(ivLen)] as const
  const make = (side: 0 | 1): RecordKeys =>
    suite.kind === 'cbc'
      ? new CbcKeys(ciphers, suite, keys[side], macKeys[side], encryptThenMac)
      : new AeadKeys(ciphers, suite, keys[side], ivs[side])
  return { client: make(0), server: make(1) }
}

class AeadKeys implements RecordKeys {
  contentType = 0
  readonly #ciphers: Ciphers
  readonly #suite: AeadSuite
  readonly #key: Uint8Array
  readonly #iv: Uint8Array
  #sequence = 0

  constructor(ciphers: Ciphers, suite: AeadSuite, key: Uint8Array, iv: Uint8Array) {
    this.#ciphers = ciphers
    this.#suite = suite
    this.#key = key
    this.#iv = iv
  }

  open(bytes: Uint8Array, at: number, endAt: number): Uint8Array | undefined {
    const isGcm = this.#iv.length === SALT_LEN
    const bodyAt = at + TLS_RECORD_HEADER_LEN
    const sealedAt = isGcm ? bodyAt + EXPLICIT_NONCE_LEN : bodyAt
    if (sealedAt + TAG_LEN > endAt) return undefined
    const nonce = isGcm ? joined(this.#iv, bytes.subarray(bodyAt, sealedAt)) : xorSequence(this.#iv, this.#sequence)
    const header = pseudoHeader(this.#sequence, bytes, at, endAt - sealedAt - TAG_LEN)
    const opened = this.#ciphers.aeadOpen(this.#suite.cipher, this.#key, nonce, header, bytes.subarray(sealedAt, endAt))
    if (opened === undefined) return undefined
    this.#sequence++
    this.contentType = bytes[at]!
    return opened
  }
}

class CbcKeys implements RecordKeys {
  contentType = 0
  readonly #ciphers: Ciphers
  readonly #suite: CbcSuite
  readonly #key: Uint8Array
  readonly #macKey: Uint8Array
  readonly #encryptThenMac: boolean
  #sequence = 0

  constructor(ciphers: Ciphers, suite: CbcSuite, key: Uint8Array, macKey: Uint8Array, encryptThenMac: boolean) {
    this.#ciphers = ciphers
    this.#suite = suite
    this.#key = key
    this.#macKey = macKey
    this.#encryptThenMac = encryptThenMac
  }

  open(bytes: Uint8Array, at: number, endAt: number): Uint8Array | undefined {
    const { macLen } = this.#suite
    const bodyAt = at + TLS_RECORD_HEADER_LEN
    const blocksEndAt = this.#encryptThenMac ? endAt - macLen : endAt
    const blocksLen = blocksEndAt - bodyAt - BLOCK_LEN
    if (blocksLen < BLOCK_LEN || blocksLen % BLOCK_LEN !== 0) return undefined
    const sealed = bytes.subarray(bodyAt, blocksEndAt)
    if (this.#encryptThenMac && !this.#isRight(bytes, at, sealed, bytes.subarray(blocksEndAt, endAt))) return undefined
    const vector = sealed.subarray(0, BLOCK_LEN)
    const opened = this.#ciphers.cbcDecrypt(this.#suite.cipher, this.#key, vector, sealed.subarray(BLOCK_LEN))
    if (opened === undefined) return undefined
    const paddedLen = lenWithoutPadding(opened)
    const contentLen = this.#encryptThenMac ? paddedLen : paddedLen - macLen
    if (contentLen < 0) return undefined
    const content = opened.subarray(0, contentLen)
    if (!this.#encryptThenMac && !this.#isRight(bytes, at, content, opened.subarray(contentLen, paddedLen))) {
      return undefined
    }
    this.#sequence++
    this.contentType = bytes[at]!
    return content
  }

  #isRight(bytes: Uint8Array, at: number, covered: Uint8Array, mac: Uint8Array): boolean {
    const header = pseudoHeader(this.#sequence, bytes, at, covered.length)
    const right = this.#ciphers.hmac(this.#suite.macHash, this.#macKey, joined(header, covered))
    return right.length === mac.length && right.every((byte, index) => byte === mac[index])
  }
}

/** RFC 5246 6.2.3.2: every byte of the padding says how long it is without the last; −1 when they do not. */
function lenWithoutPadding(opened: Uint8Array): number {
  const paddingLen = opened[opened.length - 1]!
  const len = opened.length - paddingLen - 1
  if (len < 0) return -1
  for (let i = len; i < opened.length; i++) if (opened[i] !== paddingLen) return -1
  return len
}

/** RFC 5246 6.2.3.3: the number of the record, type and version as they stand at `at`, and a length. */
function pseudoHeader(sequence: number, bytes: Uint8Array, at: number, len: number): Uint8Array {
  const header = new Uint8Array(PSEUDO_HEADER_LEN)
  header.set(xorSequence(new Uint8Array(8), sequence))
  header.set(bytes.subarray(at, at + 3), 8)
  header[11] = len >> 8
  header[12] = len & 0xff
  return header
}

/** RFC 5246 5: P_hash with the label before the seed, as many bytes as are wanted. */
function prf(
  ciphers: Ciphers,
  hash: HashName,
  secret: Uint8Array,
  label: string,
  seed: Uint8Array,
  wantedLen: number,
): Uint8Array {
  const labelled = joined(
    Uint8Array.from(label, (character) => character.charCodeAt(0)),
    seed,
  )
  const made = new Uint8Array(wantedLen)
  let link = labelled
  for (let at = 0; at < wantedLen; ) {
    link = ciphers.hmac(hash, secret, link)
    const part = ciphers.hmac(hash, secret, joined(link, labelled)).subarray(0, wantedLen - at)
    made.set(part, at)
    at += part.length
  }
  return made
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length)
  both.set(first)
  both.set(second, first.length)
  return both
}
