// What analysis gets handed in from the platform, everywhere the same.
import { platformCrypto } from './platform-crypto.ts'
import { platformInflate } from './platform-inflate.ts'

export const PLATFORM = Object.freeze({ crypto: platformCrypto, inflate: platformInflate })
