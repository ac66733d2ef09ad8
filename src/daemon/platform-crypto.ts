// The ciphers that QUIC's Initial packets and TLS records are protected with, from the platform; analysis gets them handed in.
import { type CipherGCMTypes, createCipheriv, createDecipheriv, createHmac } from 'node:crypto'
import type { Ciphers } from '../analysis/ciphers.ts'

const TAG_LEN = 16

export const platformCrypto: Ciphers = {
  hmac: (hash, key, data) => createHmac(hash, key).update(data).digest(),
  aesBlock: (key, block) => createCipheriv('aes-128-ecb', key, null).setAutoPadding(false).update(block),
  aeadOpen(cipher, key, nonce, header, sealed) {
    if (sealed.length < TAG_LEN) return undefined
    const bodyLen = sealed.length - TAG_LEN
    try {
      // Node's types know the calls of GCM only under its own names; they are the same for every AEAD.
      const decipher = createDecipheriv(cipher as CipherGCMTypes, key, nonce, { authTagLength: TAG_LEN })
      decipher.setAAD(header)
      decipher.setAuthTag(sealed.subarray(bodyLen))
      const opened = decipher.update(sealed.subarray(0, bodyLen))
      decipher.final()
      return opened
    } catch {
      // The tag is wrong: not these keys, or damaged on its way; or this build of the platform leaves the cipher out.
      return undefined
    }
  },
  cbcDecrypt(cipher, key, vector, blocks) {
    try {
      return createDecipheriv(cipher, key, vector).setAutoPadding(false).update(blocks)
    } catch {
      return undefined
    }
  },
}
