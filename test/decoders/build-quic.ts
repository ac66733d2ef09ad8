// QUIC Initial packets sealed by hand (RFC 9001 5, RFC 9369 3), with a key schedule of its own, so that
// nothing of ours is tested against itself.
import { createCipheriv, createHmac } from 'node:crypto'
import { type Bytes, be16, be32, concat } from './build-packet.ts'

export const QUIC_V1 = 1
export const QUIC_V2 = 0x6b3343cf
export const QUIC_DRAFT_29 = 0xff00001d

/** RFC 9001 5.2, RFC 9369 3.3.1 and the drafts' own. */
const SALTS: Record<number, string> = {
  [QUIC_V1]: '38762cf7f55934b34d179ae6a4c80cadccbb7f0a',
  [QUIC_V2]: '0dede3def700a6db819381be6e269dcbf9bd2ed9',
  [QUIC_DRAFT_29]: 'afbfec289993d24c9e9786f19c6111e04390a899',
}

export interface Initial {
  version?: number
  destinationId: Bytes
  sourceId?: Bytes
  token?: Bytes
  packetNumber?: number
  /** Bytes that the packet number takes, 1 … 4. */
  packetNumberLen?: number
  /** The id that the keys come from, when it is not the packet's own. */
  keysFrom?: Bytes
  /** The version whose salt and labels are used, when it is not the packet's own. */
  keysVersion?: number
  payload: Bytes
}

/** A client's Initial packet as it stands on the wire. */
export function sealInitial(o: Initial): Bytes {
  const version = o.version ?? QUIC_V1
  const sourceId = o.sourceId ?? new Uint8Array(0)
  const token = o.token ?? new Uint8Array(0)
  const numberLen = o.packetNumberLen ?? 4
  const number = be32(o.packetNumber ?? 0).slice(4 - numberLen)
  const firstByte = 0xc0 | (version === QUIC_V2 ? 0x10 : 0) | (numberLen - 1)
  const length = 0x4000 | (numberLen + o.payload.length + 16)
  const header = concat(
    [firstByte, ...be32(version), o.destinationId.length],
    o.destinationId,
    sourceId.length,
    sourceId,
    token.length,
    token,
    be16(length),
    number,
  )
  const { key, iv, headerKey } = clientKeys(o.keysVersion ?? version, o.keysFrom ?? o.destinationId)
  const nonce = Uint8Array.from(iv)
  number.forEach((byte, index) => {
    nonce[12 - numberLen + index]! ^= byte
  })
  const cipher = createCipheriv('aes-128-gcm', key, nonce)
  cipher.setAAD(header)
  const sealed = concat(cipher.update(o.payload), cipher.final(), cipher.getAuthTag())
  const packet = concat(header, sealed)
  const numberAt = header.length - numberLen
  const mask = createCipheriv('aes-128-ecb', headerKey, null)
    .setAutoPadding(false)
    .update(packet.subarray(numberAt + 4, numberAt + 20))
  packet[0]! ^= mask[0]! & 0x0f
  for (let i = 0; i < numberLen; i++) packet[numberAt + i]! ^= mask[1 + i]!
  return packet
}

/** A CRYPTO frame (RFC 9000 19.6). */
export function cryptoFrame(offset: number, data: Bytes | readonly number[]): Bytes {
  return concat([6, ...be16(0x4000 | offset), ...be16(0x4000 | data.length)], data)
}

/** PADDING up to `len` bytes in all. */
export function padded(payload: Bytes, len: number): Bytes {
  return concat(payload, new Uint8Array(Math.max(0, len - payload.length)))
}

function clientKeys(version: number, id: Bytes): { key: Bytes; iv: Bytes; headerKey: Bytes } {
  const salt = Buffer.from(SALTS[version]!, 'hex')
  const initial = createHmac('sha256', salt).update(id).digest()
  const secret = expand(initial, 'client in', 32)
  const prefix = version === QUIC_V2 ? 'quicv2' : 'quic'
  return {
    key: expand(secret, `${prefix} key`, 16),
    iv: expand(secret, `${prefix} iv`, 12),
    headerKey: expand(secret, `${prefix} hp`, 16),
  }
}

/** HKDF-Expand-Label, RFC 8446 7.1, one block. */
function expand(secret: Bytes, label: string, len: number): Bytes {
  const full = Buffer.from(`tls13 ${label}`)
  const info = concat(be16(len), full.length, full, 0)
  const block = createHmac('sha256', secret).update(concat(info, 1)).digest()
  return Uint8Array.from(block.subarray(0, len))
}
