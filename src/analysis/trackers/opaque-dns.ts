// HOT PATH. Datagrams that are encrypted DNS by their content alone: DNSCrypt's answers, and DTLS on the port of RFC 8094.
import { PORT_DNS_OVER_TLS } from '../../constants/wire.ts'
import { u16, u32 } from '../../decoders/cursor.ts'
import type { DecodedBatch } from '../../model/decoded-batch.ts'
import { LAYER_UDP } from '../../model/layer.ts'

export const OPAQUE_NONE = 0
/** The sender is the resolver. */
export const OPAQUE_DNSCRYPT_ANSWER = 1
/** The sender is the client. */
export const OPAQUE_DTLS_HELLO = 2

/** The resolver magic that each DNSCrypt answer begins with: `r6fnvWj8`. */
const RESOLVER_MAGIC_1 = 0x7236_666e
const RESOLVER_MAGIC_2 = 0x7657_6a38
const MIN_ANSWER_LEN = 48
/** Handshake record of DTLS 1.0 or 1.2 with a ClientHello (RFC 6347 4.1, 4.2.2). */
const DTLS_HANDSHAKE = 22
const DTLS_MESSAGE_AT = 13
const CLIENT_HELLO = 1

export function opaqueDns(bytes: Uint8Array, out: DecodedBatch, row: number): number {
  if (out.layer[row] !== LAYER_UDP) return OPAQUE_NONE
  const at = out.payloadAt[row]!
  const len = out.payloadLen[row]!
  if (len < MIN_ANSWER_LEN) return OPAQUE_NONE
  if (u32(bytes, at) === RESOLVER_MAGIC_1 && u32(bytes, at + 4) === RESOLVER_MAGIC_2) return OPAQUE_DNSCRYPT_ANSWER
  if (out.dstPort[row] !== PORT_DNS_OVER_TLS || bytes[at] !== DTLS_HANDSHAKE) return OPAQUE_NONE
  const version = u16(bytes, at + 1)
  const isHello = (version === 0xfeff || version === 0xfefd) && bytes[at + DTLS_MESSAGE_AT] === CLIENT_HELLO
  return isHello ? OPAQUE_DTLS_HELLO : OPAQUE_NONE
}
