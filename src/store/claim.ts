// One writer a store. A second daemon would end the first one's epochs and write its own over them under the same numbers.
import { closeSync, existsSync, mkdirSync, openSync, realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import { OperatorError } from '../model/operator-error.ts'
import { errorCode, storeUnusable } from './unusable.ts'

/**
 * Claims the store for writing until the function it gives back is called, or the process ends in whatever way: what is
 * held is SQLite's own lock on an empty file beside the store. Readers need no claim.
 * @throws OperatorError `store-in-use` when another process has claimed it, `store-unusable` when it cannot be said
 */
export function claimStore(path: string): () => void {
  let lock: Database.Database | undefined
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    const lockPath = `${existsSync(path) ? realpathSync(path) : path}-lock`
    // Not opened when it is there: to close it again would give up a lock of our own (fcntl(2), POSIX record locks).
    if (!existsSync(lockPath)) closeSync(openSync(lockPath, 'a', 0o600))
    const held = new Database(lockPath, { timeout: 0 })
    lock = held
    held.exec('BEGIN EXCLUSIVE')
    return () => held.close()
  } catch (error) {
    lock?.close()
    if (errorCode(error) !== 'SQLITE_BUSY') throw storeUnusable(path, error)
    throw new OperatorError(
      'store-in-use',
      `Another tunnelscope daemon is writing the store ${path}: end that one, or name another place with --store.`,
    )
  }
}
