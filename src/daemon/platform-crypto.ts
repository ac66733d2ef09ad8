// The ciphers that QUIC's Initial packets are protected with, from the platform; analysis gets them handed in.
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto'
import type { InitialCrypto } from '../analysis/trackers/quic-keys.ts'

const TAG_LEN = 16

export const platformCrypto: InitialCrypto = {
  hmacSha256: (key, data) => createHmac('sha256', key).update(data).digest(),
  aesBlock: (key, block) => createCipheriv('aes-128-ecb', key, null).setAutoPadding(false).update(block),
  aesGcmOpen(key, nonce, header, sealed) {
    if (sealed.length < TAG_LEN) return undefined
    const bodyLen = sealed.length - TAG_LEN
    const decipher = createDecipheriv('aes-128-gcm', key, nonce)
    decipher.setAAD(header)
    decipher.setAuthTag(sealed.subarray(bodyLen))
    const opened = decipher.update(sealed.subarray(0, bodyLen))
    try {
      decipher.final()
      return opened
    } catch {
      // The tag is wrong: not these keys, or damaged on its way.
      return undefined
    }
  },
}
