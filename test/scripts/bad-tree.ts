// Makes throw-away source trees for the tests of the check scripts.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** Writes `files` (path to text) into a new temporary folder, hands its path to `look` and removes it again. */
export function withTree<Result>(files: Record<string, string>, look: (root: string) => Result): Result {
  const root = mkdtempSync(join(tmpdir(), 'tree-'))
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), text)
    }
    return look(root)
  } finally {
    rmSync(root, { recursive: true })
  }
}
