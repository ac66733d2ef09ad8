// DEFLATE from the platform; analysis gets it handed in.
import { inflateRawSync } from 'node:zlib'
import type { Inflate } from '../analysis/trackers/compressed-payloads.ts'

export const platformInflate: Inflate = (bytes, maxLen) => {
  try {
    return inflateRawSync(bytes, { maxOutputLength: maxLen })
  } catch {
    // Another algorithm, or longer than any IP payload can be.
    return undefined
  }
}
