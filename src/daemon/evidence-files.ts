// The files of evidence in their directory: how they are called, and which go when they are too old or too many.
import { createHash } from 'node:crypto'
import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Finding } from '../model/finding.ts'
import type { RetentionLimits } from '../store/retention.ts'

/** File name of a finding's evidence: its time, its id, and a digest that tells its key. */
export function evidenceName({ id, key, time }: Pick<Finding, 'id' | 'key' | 'time'>): string {
  const digest = createHash('sha256').update(`${id}\0${key}\0${time}`).digest('hex').slice(0, 12)
  return `${time.replace(/[^\dT]/g, '').slice(0, 15)}-${id}-${digest}.pcapng`
}

/** Deletes what is too old, then the oldest until the rest fits. Files that are not ours are left alone. */
export function trimEvidence(directory: string, { maxAgeMicros, maxBytes }: RetentionLimits, nowMicros: number): void {
  let total = 0
  const files = evidenceFiles(directory)
  for (const { path, size, writtenMicros } of files) {
    total += size
    if (total > maxBytes || nowMicros - writtenMicros > maxAgeMicros) rmSync(path, { force: true })
  }
}

/** Our own files, the youngest first. */
function evidenceFiles(directory: string): { path: string; size: number; writtenMicros: number }[] {
  return readdirSync(directory)
    .filter((name) => /^[\dT]{15}-[a-z-]+-[0-9a-f]{12}\.pcapng(\.new)?$/.test(name))
    .map((name) => {
      const path = join(directory, name)
      const { size, mtimeMs } = statSync(path)
      return { path, size, writtenMicros: mtimeMs * 1000 }
    })
    .sort((a, b) => b.writtenMicros - a.writtenMicros)
}

/** When the youngest was written; undefined when there is none. */
export function newestEvidenceMicros(directory: string): number | undefined {
  try {
    return evidenceFiles(directory)[0]?.writtenMicros
  } catch {
    // It could not be made; who writes there says so.
    return undefined
  }
}
