// Starts the store's thread and speaks with it: one batch at a time, answered by promise.
import { Worker } from 'node:worker_threads'
import { OperatorError } from '../model/operator-error.ts'
import type { StoredPlace, StoreRecord } from '../store/records.ts'
import type { FromStoreWorker, StoreWorkerOptions, ToStoreWorker } from './store-worker.ts'

/** Compiled code runs in the thread, whatever runs here. */
const WORKER_FILE = './store-worker.js'

/** A batch that was not written, and may be sent again. `code` is SQLite's, or `replaced` when a new store is now open. */
export class StoreFailure extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.name = 'StoreFailure'
    this.code = code
  }
}

export interface SetAside {
  readonly path: string
  readonly reason: string
}

export interface StoreThread {
  /** Set when a file that was in the way was moved at the start. */
  readonly setAside: SetAside | undefined
  /**
   * Writes all records or none; one call at a time. Place 0 = the record can never be written.
   * @throws StoreFailure; any other error means that the thread is dead
   */
  write(records: StoreRecord[]): Promise<StoredPlace[]>
  /** Ends the thread; what was written is on disk. */
  close(): Promise<void>
}

export interface StoreThreadOptions extends StoreWorkerOptions {
  /** The store broke and was set aside; a new one is in its place. */
  onReplaced(setAside: SetAside): void
  /** The thread died of a bug of ours. */
  onDeath(error: Error): void
}

/**
 * Opens the store in its own thread; resolves when it can be written and read.
 * @throws OperatorError as openStore does
 */
export async function startStoreThread(options: StoreThreadOptions): Promise<StoreThread> {
  const { path, retention, retentionEveryMs } = options
  const workerData: StoreWorkerOptions = { path, retention, retentionEveryMs }
  const worker = new Worker(new URL(WORKER_FILE, import.meta.url), { workerData })
  const opened = await firstMessage(worker)
  if (opened.type === 'refused') {
    await worker.terminate()
    throw new OperatorError(opened.code, opened.sentence)
  }

  let answer: { resolve(places: StoredPlace[]): void; reject(error: Error): void } | undefined
  let onClosed: (() => void) | undefined
  const settle = () => {
    const settled = answer!
    answer = undefined
    return settled
  }
  worker.on('message', (message: FromStoreWorker) => {
    if (message.type === 'written') settle().resolve(message.places)
    else if (message.type === 'failed') settle().reject(new StoreFailure(message.code, message.message))
    else if (message.type === 'replaced') {
      options.onReplaced(message.setAside)
      settle().reject(new StoreFailure('replaced', message.setAside.reason))
    } else if (message.type === 'closed') onClosed?.()
  })
  let ended = false
  worker.on('error', (error) => {
    answer?.reject(error)
    answer = undefined
    options.onDeath(error)
  })
  worker.on('exit', () => {
    ended = true
    onClosed?.()
  })
  const post = (message: ToStoreWorker) => worker.postMessage(message)
  return {
    setAside: opened.type === 'opened' ? opened.setAside : undefined,
    write: (records) =>
      new Promise((resolve, reject) => {
        answer = { resolve, reject }
        post({ type: 'write', records })
      }),
    async close() {
      if (ended) return
      const closed = new Promise<void>((resolve) => {
        onClosed = resolve
      })
      post({ type: 'close' })
      await closed
      await worker.terminate()
    },
  }
}

function firstMessage(worker: Worker): Promise<FromStoreWorker> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
}
