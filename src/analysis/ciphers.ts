// The ciphers and hashes that QUIC and TLS are protected with, as the platform hands them in, and the one function on top of
// them that both use: HKDF-Expand-Label (RFC 8446 7.1).

export type HashName = 'sha1' | 'sha256' | 'sha384'
export type AeadName = 'aes-128-gcm' | 'aes-256-gcm' | 'chacha20-poly1305'
export type CbcName = 'aes-128-cbc' | 'aes-256-cbc'

/** What the platform does for us. None of it throws; keys, nonces and vectors have the length that the cipher wants. */
export interface Ciphers {
  hmac(hash: HashName, key: Uint8Array, data: Uint8Array): Uint8Array
  /** One block, AES-128 ECB. */
  aesBlock(key: Uint8Array, block: Uint8Array): Uint8Array
  /**
   * Opens what was sealed with a tag of 16 bytes at the end of `sealed`; undefined when the tag is wrong, or when the
   * platform has no such cipher.
   */
  aeadOpen(
    cipher: AeadName,
    key: Uint8Array,
    nonce: Uint8Array,
    header: Uint8Array,
    sealed: Uint8Array,
  ): Uint8Array | undefined
  /** Whole blocks of 16 bytes, with their padding; undefined when the platform has no such cipher. */
  cbcDecrypt(cipher: CbcName, key: Uint8Array, vector: Uint8Array, blocks: Uint8Array): Uint8Array | undefined
}

/** Without context, and for at most one block of the hash: all that keys, vectors and secrets need. */
export function expandLabel(
  ciphers: Ciphers,
  hash: HashName,
  secret: Uint8Array,
  label: string,
  len: number,
): Uint8Array {
  const full = `tls13 ${label}`
  const info = new Uint8Array(full.length + 5)
  info[1] = len
  info[2] = full.length
  for (let i = 0; i < full.length; i++) info[3 + i] = full.charCodeAt(i)
  // No context; the counter of HKDF-Expand's first block (RFC 5869 2.3).
  info[4 + full.length] = 1
  return ciphers.hmac(hash, secret, info).subarray(0, len)
}
