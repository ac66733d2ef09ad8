// The thread that owns the store: writes batches as they come, forgets old rows in between. Speaks only with
// store-thread.ts, which started it.
import { parentPort, workerData } from 'node:worker_threads'
import type Database from 'better-sqlite3'
import { OperatorError } from '../model/operator-error.ts'
import { claimStore } from '../store/claim.ts'
import { isCorruption, openStore, setAside } from '../store/database.ts'
import type { StoredPlace, StoreRecord } from '../store/records.ts'
import { newestMicros, type RetentionLimits, retainStep } from '../store/retention.ts'
import { errorCode } from '../store/unusable.ts'
import { createWriter, type StoreWriter } from '../store/writer.ts'
import { createRetentionClock } from './retention-clock.ts'

export interface StoreWorkerOptions {
  readonly path: string
  readonly retention: RetentionLimits
  readonly retentionEveryMs: number
}

export type ToStoreWorker = { readonly type: 'write'; readonly records: StoreRecord[] } | { readonly type: 'close' }

export type FromStoreWorker =
  | { readonly type: 'opened'; readonly setAside?: { readonly path: string; readonly reason: string } }
  | { readonly type: 'refused'; readonly code: string; readonly sentence: string }
  /** `rejected` counts records that can never be written; their place is 0. */
  | { readonly type: 'written'; readonly places: StoredPlace[]; readonly rejected: number }
  /** Nothing of the batch was written; it may be sent again. */
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
  /** The store broke while in use and was set aside; a new one is open and the batch may be sent again. */
  | { readonly type: 'replaced'; readonly setAside: { readonly path: string; readonly reason: string } }
  | { readonly type: 'closed' }

/** What the surroundings may cause and mend; anything else is about the record. */
const SURROUNDINGS = /^SQLITE_(FULL|IOERR|READONLY|CANTOPEN|BUSY|LOCKED|NOMEM|PERM|AUTH)/

const options = workerData as StoreWorkerOptions
const port = parentPort!
let db: Database.Database
let giveUpClaim: (() => void) | undefined
let writer: StoreWriter
let retentionMicros = createRetentionClock()

const tell = (message: FromStoreWorker) => port.postMessage(message)

try {
  giveUpClaim = claimStore(options.path)
  const opened = openStore(options.path, Date.now())
  db = opened.db
  writer = createWriter(db)
  retentionMicros = createRetentionClock(newestMicros(db))
  tell({ type: 'opened', ...(opened.setAside && { setAside: opened.setAside }) })
  port.on('message', receive)
} catch (error) {
  const known = error instanceof OperatorError
  tell({
    type: 'refused',
    code: known ? error.code : 'store-unusable',
    sentence: known ? error.message : `The store ${options.path} cannot be used: ${(error as Error).message}.`,
  })
}

const retentionTimer = setInterval(retain, options.retentionEveryMs)

function receive(message: ToStoreWorker): void {
  if (message.type === 'write') {
    write(message.records)
    return
  }
  clearInterval(retentionTimer)
  db.close()
  giveUpClaim?.()
  tell({ type: 'closed' })
  port.close()
}

function write(records: StoreRecord[]): void {
  try {
    tell({ type: 'written', places: writer.write(records), rejected: 0 })
  } catch (error) {
    const code = errorCode(error)
    if (isCorruption(code)) replaceStore((error as Error).message)
    else if (SURROUNDINGS.test(code)) tell({ type: 'failed', code, message: (error as Error).message })
    else writeSingly(records)
  }
}

/** A record that the store can never take must not hold up the others. */
function writeSingly(records: StoreRecord[]): void {
  const places: StoredPlace[] = []
  let rejected = 0
  for (const record of records) {
    try {
      places.push(...writer.write([record]))
    } catch (error) {
      const code = errorCode(error)
      if (SURROUNDINGS.test(code)) {
        tell({ type: 'failed', code, message: (error as Error).message })
        return
      }
      places.push({ seq: 0, number: 0 })
      rejected++
    }
  }
  tell({ type: 'written', places, rejected })
}

function replaceStore(reason: string): void {
  try {
    db.close()
    const path = setAside(options.path, Date.now())
    db = openStore(options.path, Date.now()).db
    writer = createWriter(db)
    tell({ type: 'replaced', setAside: { path, reason: `it is damaged (${reason})` } })
  } catch (error) {
    tell({ type: 'failed', code: errorCode(error), message: (error as Error).message })
  }
}

function retain(): void {
  try {
    if (!db.open || retainStep(db, options.retention, retentionMicros())) return
    setImmediate(retain)
  } catch (error) {
    // The next write meets the same trouble and reports it; forgetting can wait.
    if (!SURROUNDINGS.test(errorCode(error)) && !isCorruption(errorCode(error))) throw error
  }
}
