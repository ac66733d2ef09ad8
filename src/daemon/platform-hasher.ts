// The hashes that TLS fingerprints are made of, from the platform; analysis gets them handed in.
import { createHash } from 'node:crypto'
import type { Hasher } from '../analysis/trackers/tls-fingerprints.ts'

export const platformHasher: Hasher = {
  md5: (text) => createHash('md5').update(text).digest('hex'),
  sha256: (text) => createHash('sha256').update(text).digest('hex'),
}
