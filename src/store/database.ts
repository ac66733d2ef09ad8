// Opening the store's file: who may read it, whether it is ours, whether it is whole. What is not ours or not whole is
// moved aside under another name, never written over.
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, renameSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import { OperatorError } from '../model/operator-error.ts'
import { migrate, STORE_VERSION, storeVersion } from './migrations.ts'
import { storeUnusable } from './unusable.ts'

/** "tscp", SQLite's mark of the file's owner (PRAGMA application_id). */
const APPLICATION_ID = 0x74736370
/** A reader never makes the writer wait in WAL mode; this covers a checkpoint or another program's lock. */
const BUSY_TIMEOUT_MS = 2000

export interface OpenedStore {
  readonly db: Database.Database
  /** Set when a file that was in the way has been moved: where it is now, and why, one sentence. */
  readonly setAside?: { readonly path: string; readonly reason: string }
}

/**
 * Opens the store for writing and brings it to the present version; creates it (0600, in a 0700 directory) when
 * there is none. A damaged or foreign file is set aside and a new store begun. `nowMillis` names the file set aside.
 * Who writes while others may, has claimed it (claim.ts).
 * @throws OperatorError `store-newer` when a later version of this program wrote it, `store-unusable` when the
 * directory or file cannot be used.
 */
export function openStore(path: string, nowMillis: number): OpenedStore {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    const reason = existsSync(path) && statSync(path).size > 0 ? whyNotOurs(path) : undefined
    if (reason === undefined) return { db: openOurs(path) }
    const moved = setAside(path, nowMillis)
    return { db: openOurs(path), setAside: { path: moved, reason } }
  } catch (error) {
    throw error instanceof OperatorError ? error : storeUnusable(path, error)
  }
}

/** Opens the store for reading only; it must exist. */
export function openStoreReadOnly(path: string): Database.Database {
  const db = new Database(path, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS })
  db.pragma('query_only = 1')
  return db
}

/** Moves the store's files out of the way; returns the new name of the main one. */
export function setAside(path: string, nowMillis: number): string {
  const stamp = new Date(nowMillis).toISOString().replaceAll(':', '').replace(/\..*/, 'Z')
  let target = `${path}.set-aside-${stamp}`
  for (let copy = 2; existsSync(target); copy++) target = `${path}.set-aside-${stamp}-${copy}`
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, target + suffix)
  }
  return target
}

function openOurs(path: string): Database.Database {
  // SQLite gives the -wal and -shm files the main file's mode, so that one must be right before they exist.
  closeSync(openSync(path, 'a', 0o600))
  chmodSync(path, 0o600)
  const db = new Database(path, { timeout: BUSY_TIMEOUT_MS })
  try {
    db.pragma('auto_vacuum = INCREMENTAL')
    db.pragma('journal_mode = WAL')
    // A killed process loses nothing; a power cut may lose the last moment, which the writer's numbering allows for.
    db.pragma('synchronous = NORMAL')
    db.pragma(`application_id = ${APPLICATION_ID}`)
    migrate(db)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/**
 * One sentence when the file is not a whole store of ours, undefined when it is.
 * @throws OperatorError `store-newer`
 */
function whyNotOurs(path: string): string | undefined {
  let db: Database.Database | undefined
  try {
    // Read-only: another program's database must not even be checkpointed by us.
    db = new Database(path, { readonly: true, timeout: BUSY_TIMEOUT_MS })
    const owner = db.pragma('application_id', { simple: true }) as number
    const tables = db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() as number
    if (owner !== APPLICATION_ID) {
      return tables === 0 && owner === 0 ? undefined : 'it is a database of another program'
    }
    if (storeVersion(db) > STORE_VERSION) {
      throw new OperatorError(
        'store-newer',
        `The store ${path} was written by a later version of tunnelscope (store version ${storeVersion(db)}, this one knows ${STORE_VERSION}): upgrade, or name another store.`,
      )
    }
    const check = db.pragma('quick_check(1)', { simple: true }) as string
    return check === 'ok' ? undefined : `it is damaged (${check.replaceAll('\n', ' ')})`
  } catch (error) {
    const code = (error as { code?: unknown }).code
    if (code === 'SQLITE_NOTADB') return 'it is not an SQLite database'
    if (typeof code === 'string' && isCorruption(code)) return `it is damaged (${(error as Error).message})`
    throw error
  } finally {
    db?.close()
  }
}

/** Whether an SQLite error code says that the file itself is broken. */
export function isCorruption(code: string): boolean {
  return code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB'
}
