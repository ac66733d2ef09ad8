// The cipher suites that a key log lets us open, by the number that the server chose
// (https://www.iana.org/assignments/tls-parameters): how records are protected, whatever the keys were agreed by.
import type { AeadName, CbcName, HashName } from '../ciphers.ts'

export interface AeadSuite {
  readonly kind: 'aead'
  readonly cipher: AeadName
  readonly keyLen: number
  /** Of the key schedule (TLS 1.3) or the PRF (TLS 1.2). */
  readonly hash: HashName
  readonly hashLen: number
}

/** TLS 1.2 only. */
export interface CbcSuite {
  readonly kind: 'cbc'
  readonly cipher: CbcName
  readonly keyLen: number
  /** Of the PRF. */
  readonly hash: HashName
  readonly macHash: HashName
  readonly macLen: number
}

export type TlsSuite = AeadSuite | CbcSuite

const HASH_LENS: Readonly<Record<HashName, number>> = Object.freeze({ sha1: 20, sha256: 32, sha384: 48 })

function aead(cipher: AeadName, keyLen: number, hash: HashName): AeadSuite {
  return Object.freeze({ kind: 'aead', cipher, keyLen, hash, hashLen: HASH_LENS[hash] })
}

/** RFC 5246 5, RFC 5289 3: the PRF is SHA-256's, but for suites whose name ends with SHA384. */
function cbc(cipher: CbcName, keyLen: number, macHash: HashName): CbcSuite {
  const hash = macHash === 'sha384' ? 'sha384' : 'sha256'
  return Object.freeze({ kind: 'cbc', cipher, keyLen, hash, macHash, macLen: HASH_LENS[macHash] })
}

const AES_128_GCM = aead('aes-128-gcm', 16, 'sha256')
const AES_256_GCM = aead('aes-256-gcm', 32, 'sha384')
const CHACHA20_POLY1305 = aead('chacha20-poly1305', 32, 'sha256')

/** RFC 8446 B.4. */
const TLS_13: ReadonlyMap<number, AeadSuite> = new Map([
  [0x1301, AES_128_GCM],
  [0x1302, AES_256_GCM],
  [0x1303, CHACHA20_POLY1305],
])

/** Suites of TLS 1.2 that protect records alike; in each list RSA, DHE, ECDHE, static, anonymous and PSK agreements. */
const TLS_12_FAMILIES: readonly (readonly [TlsSuite, readonly number[]])[] = [
  // RFC 5288 3, RFC 5289 3.2, RFC 5487 2, RFC 8442 3.
  [AES_128_GCM, [0x9c, 0x9e, 0xa0, 0xa2, 0xa4, 0xa6, 0xa8, 0xaa, 0xac, 0xc02b, 0xc02d, 0xc02f, 0xc031, 0xd001]],
  [AES_256_GCM, [0x9d, 0x9f, 0xa1, 0xa3, 0xa5, 0xa7, 0xa9, 0xab, 0xad, 0xc02c, 0xc02e, 0xc030, 0xc032, 0xd002]],
  // RFC 7905 3.
  [CHACHA20_POLY1305, [0xcca8, 0xcca9, 0xccaa, 0xccab, 0xccac, 0xccad, 0xccae]],
  // RFC 5246 A.5, RFC 8422 6, RFC 4279 4, RFC 5489 3.1.
  [
    cbc('aes-128-cbc', 16, 'sha1'),
    [0x2f, 0x30, 0x31, 0x32, 0x33, 0x34, 0x8c, 0x90, 0x94, 0xc004, 0xc009, 0xc00e, 0xc013, 0xc018, 0xc035],
  ],
  [
    cbc('aes-256-cbc', 32, 'sha1'),
    [0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x8d, 0x91, 0x95, 0xc005, 0xc00a, 0xc00f, 0xc014, 0xc019, 0xc036],
  ],
  // RFC 5246 A.5, RFC 5289 3.1, RFC 5487 3, RFC 5489 3.2.
  [
    cbc('aes-128-cbc', 16, 'sha256'),
    [0x3c, 0x3e, 0x3f, 0x40, 0x67, 0x6c, 0xae, 0xb2, 0xb6, 0xc023, 0xc025, 0xc027, 0xc029, 0xc037],
  ],
  [cbc('aes-256-cbc', 32, 'sha256'), [0x3d, 0x68, 0x69, 0x6a, 0x6b, 0x6d]],
  [cbc('aes-256-cbc', 32, 'sha384'), [0xaf, 0xb3, 0xb7, 0xc024, 0xc026, 0xc028, 0xc02a, 0xc038]],
]

const TLS_12: ReadonlyMap<number, TlsSuite> = new Map(
  TLS_12_FAMILIES.flatMap(([suite, numbers]) => numbers.map((number) => [number, suite] as const)),
)

/** Undefined for suites that are not opened: other ciphers, and those that do not encrypt. */
export function tls12Suite(number: number): TlsSuite | undefined {
  return TLS_12.get(number)
}

/** As tls12Suite; every suite of TLS 1.3 is an AEAD. */
export function tls13Suite(number: number): AeadSuite | undefined {
  return TLS_13.get(number)
}
