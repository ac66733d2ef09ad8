// The keys of QUIC's Initial packets, which follow from the version and the client's first connection id (RFC 9001 5.2,
// RFC 9369 3.3), and the opening of such packets. The ciphers come from the platform.
import { QUIC_1, QUIC_2, QUIC_RESERVED, type QuicHeader, quicLikeness } from '../../decoders/quic.ts'
import { type Ciphers, expandLabel } from '../ciphers.ts'

/** Keys of the client's Initial packets. */
export interface InitialKeys {
  readonly key: Uint8Array
  readonly iv: Uint8Array
  readonly headerKey: Uint8Array
}

const SALT_1 = bytesOf('38762cf7f55934b34d179ae6a4c80cadccbb7f0a')
const SALT_2 = bytesOf('0dede3def700a6db819381be6e269dcbf9bd2ed9')
const SALT_DRAFT_29 = bytesOf('afbfec289993d24c9e9786f19c6111e04390a899')
const SALT_DRAFT_23 = bytesOf('c3eef712c72ebb5a11a7d2432bb46365bef9f502')
const SALT_DRAFT_22 = bytesOf('7fbcdb0e7c66bbe9193a96cd21519ebd7a02644a')
const SALT_T050 = bytesOf('7ff579e5acd072915580304c43a2367c60488310')
const SALT_T051 = bytesOf('7a4edef4e7ccee5fa4506c19124fc8ccda6e033d')

const KEY_LEN = 16
const IV_LEN = 12
const SECRET_LEN = 32
const TAG_LEN = 16
const SAMPLE_LEN = 16
/** RFC 9001 5.4.2: the sample is taken as if the packet number had its greatest length. */
const MAX_PACKET_NUMBER_LEN = 4

/** RFC 9000 15 gives its reserved versions no salt: clients take that of the version they mean to speak, which is one of these. */
const RESERVED_AS: readonly number[] = Object.freeze([QUIC_1, 0xff00_001d])

/** The versions by whose rules the Initials of `version` may be protected. */
export function protectedAs(version: number): readonly number[] {
  return quicLikeness(version) === QUIC_RESERVED ? RESERVED_AS : [version]
}

/** Derives the client's keys from the connection id bytes[at, at + len). `version` is one that quicLikeness knows. */
export function clientInitialKeys(
  ciphers: Ciphers,
  version: number,
  bytes: Uint8Array,
  at: number,
  len: number,
): InitialKeys {
  const initial = ciphers.hmac('sha256', saltOf(version), bytes.subarray(at, at + len))
  const secret = expandLabel(ciphers, 'sha256', initial, 'client in', SECRET_LEN)
  const prefix = version === QUIC_2 ? 'quicv2' : 'quic'
  return {
    key: expandLabel(ciphers, 'sha256', secret, `${prefix} key`, KEY_LEN),
    iv: expandLabel(ciphers, 'sha256', secret, `${prefix} iv`, IV_LEN),
    headerKey: expandLabel(ciphers, 'sha256', secret, `${prefix} hp`, KEY_LEN),
  }
}

/** The payload of the packet at `at` (RFC 9001 5.3, 5.4), or undefined when these are not its keys. */
export function openInitial(
  ciphers: Ciphers,
  keys: InitialKeys,
  bytes: Uint8Array,
  at: number,
  header: QuicHeader,
): Uint8Array | undefined {
  const { packetNumberAt, endAt } = header
  const sampleAt = packetNumberAt + MAX_PACKET_NUMBER_LEN
  if (sampleAt + SAMPLE_LEN > endAt) return undefined
  const mask = ciphers.aesBlock(keys.headerKey, bytes.subarray(sampleAt, sampleAt + SAMPLE_LEN))
  const firstByte = bytes[at]! ^ (mask[0]! & 0x0f)
  const packetNumberLen = (firstByte & 3) + 1
  const payloadAt = packetNumberAt + packetNumberLen
  if (payloadAt + TAG_LEN > endAt) return undefined
  // Copies: slice() of a Buffer would be the packet itself.
  const clear = new Uint8Array(bytes.subarray(at, payloadAt))
  clear[0] = firstByte
  const nonce = new Uint8Array(keys.iv)
  for (let i = 0; i < packetNumberLen; i++) {
    const byte = bytes[packetNumberAt + i]! ^ mask[1 + i]!
    clear[packetNumberAt - at + i] = byte
    const nonceAt = IV_LEN - packetNumberLen + i
    nonce[nonceAt] = nonce[nonceAt]! ^ byte
  }
  return ciphers.aeadOpen('aes-128-gcm', keys.key, nonce, clear, bytes.subarray(payloadAt, endAt))
}

function saltOf(version: number): Uint8Array {
  switch (version) {
    case QUIC_2:
      return SALT_2
    case QUIC_1:
    case 0xff00_0021:
    case 0xff00_0022:
      return SALT_1
    case 0xff00_001d:
    case 0xff00_001e:
    case 0xff00_001f:
    case 0xff00_0020:
      return SALT_DRAFT_29
    case 0xff00_0016:
    case 0xface_b001:
      return SALT_DRAFT_22
    case 0x5430_3530:
      return SALT_T050
    case 0x5430_3531:
      return SALT_T051
    default:
      return SALT_DRAFT_23
  }
}

function bytesOf(hex: string): Uint8Array {
  const bytes = new Uint8Array(hex.length / 2)
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(hex.slice(i * 2, i * 2 + 2), 16)
  return bytes
}
