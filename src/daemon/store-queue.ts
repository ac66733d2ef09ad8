// Records on their way to the store: bounded, folded while they wait, written in batches, kept while the store cannot
// write. What was stored is handed on in the order of its numbers, and only then does anyone see it.
import { addRollups, rollupIdentity } from '../store/add-records.ts'
import type { StoredPlace, StoreRecord } from '../store/records.ts'
import { StoreFailure } from './store-thread.ts'

/** Records a transaction holds: larger ones gain nothing, smaller ones cost commits. */
const BATCH_RECORDS = 1000
/** Records that may wait: some 50 MB of findings, or a minute and a half of 10,000 new ones a second to be folded. */
const QUEUE_RECORDS = 100_000
/** Rollups and sites may fill half of it: a paused store must have room for findings. */
const QUEUE_FIGURES = QUEUE_RECORDS / 2
const RETRY_MS = 1000

export interface StoreQueueOptions {
  /** As StoreThread.write. */
  write(records: StoreRecord[]): Promise<StoredPlace[]>
  /** In order; places[i] belongs to records[i]. */
  onStored(records: readonly StoreRecord[], places: readonly StoredPlace[]): void
  /** The store cannot write; told once a pause. */
  onPaused(code: string, message: string): void
  onResumed(): void
  readonly capacity?: number
  readonly retryMs?: number
}

export interface StoreQueueState {
  readonly waiting: number
  /** Records refused because the queue was full, or that the store can never take. */
  readonly lost: number
  /** Records that replaced or were added to one still waiting. */
  readonly folded: number
  readonly paused: boolean
  readonly reason?: string
}

export interface StoreQueue {
  /** `always`: also when the queue is full. */
  push(record: StoreRecord, always?: boolean): void
  state(): StoreQueueState
  /** Resolves when nothing waits any more, or after `timeoutMs` when the store cannot take it; true when all is stored. */
  drain(timeoutMs: number): Promise<boolean>
}

export function createStoreQueue(options: StoreQueueOptions): StoreQueue {
  const capacity = options.capacity ?? QUEUE_RECORDS
  const figureCapacity = Math.min(QUEUE_FIGURES, capacity / 2)
  const retryMs = options.retryMs ?? RETRY_MS
  /** By identity, in order of arrival: a newer state of the same thing takes the older one's place. */
  const waiting = new Map<string, StoreRecord>()
  let inFlight: StoreRecord[] = []
  let writing = false
  let figures = 0
  let lost = 0
  let folded = 0
  let serial = 0
  let pause: { reason: string } | undefined
  let whenIdle: (() => void)[] = []

  function push(record: StoreRecord, always = false): void {
    const isFigure = isFigureKind(record)
    const identity = record.kind === 'leak-service' ? `leak-service ${serial++}` : identityOf(record)
    const earlier = waiting.get(identity)
    if (earlier !== undefined) folded++
    else if (!always && (waiting.size >= capacity || (isFigure && figures >= figureCapacity))) {
      lost++
      return
    } else if (isFigure) figures++
    waiting.set(identity, earlier === undefined ? record : folding(earlier, record))
    if (!writing) void writeWaiting()
  }

  async function writeWaiting(): Promise<void> {
    writing = true
    // One turn of the event loop gathers what arrives together into one transaction.
    await new Promise((resolve) => setImmediate(resolve))
    let written: Promise<StoredPlace[]> | undefined
    while (inFlight.length > 0 || waiting.size > 0) {
      if (inFlight.length === 0) inFlight = takeBatch()
      try {
        const places = await (written ?? options.write(inFlight))
        written = undefined
        const records = inFlight
        inFlight = takeBatch()
        if (pause !== undefined) {
          pause = undefined
          options.onResumed()
        }
        // The store has its next work before the clients of this one are served.
        if (inFlight.length > 0) written = options.write(inFlight)
        for (let index = 0; index < records.length; index++) {
          if (places[index]!.seq === 0 && !isFigureKind(records[index]!)) lost++
        }
        options.onStored(records, places)
      } catch (error) {
        written = undefined
        if (!(error instanceof StoreFailure)) {
          // The store's thread is dead: nothing can be written any more, and the daemon has been told.
          pause = { reason: (error as Error).message }
          return
        }
        if (error.code === 'replaced') continue
        if (pause === undefined) {
          pause = { reason: `${error.message} (${error.code})` }
          options.onPaused(error.code, error.message)
        }
        await new Promise((resolve) => setTimeout(resolve, retryMs))
      }
    }
    writing = false
    for (const idle of whenIdle) idle()
    whenIdle = []
  }

  function takeBatch(): StoreRecord[] {
    const batch: StoreRecord[] = []
    for (const [identity, record] of waiting) {
      waiting.delete(identity)
      if (isFigureKind(record)) figures--
      if (batch.push(record) === BATCH_RECORDS) break
    }
    return batch
  }

  return {
    push,
    state: () => ({
      waiting: waiting.size + inFlight.length,
      lost,
      folded,
      paused: pause !== undefined,
      ...(pause && { reason: pause.reason }),
    }),
    drain(timeoutMs) {
      if (!writing) return Promise.resolve(true)
      return new Promise((resolve) => {
        const timer = setTimeout(() => resolve(false), timeoutMs)
        whenIdle.push(() => {
          clearTimeout(timer)
          resolve(true)
        })
      })
    },
  }
}

function isRollupKind(record: StoreRecord): boolean {
  return record.kind === 'dns' || record.kind === 'statistics' || record.kind === 'leak-service'
}

/** What has no number in the stream. */
function isFigureKind(record: StoreRecord): boolean {
  return isRollupKind(record) || record.kind === 'site'
}

/** A newer state takes the place of the older one; what was counted is added. */
function folding(earlier: StoreRecord, later: StoreRecord): StoreRecord {
  const isDns = earlier.kind === 'dns' && later.kind === 'dns'
  if (isDns || (earlier.kind === 'statistics' && later.kind === 'statistics')) return addRollups(earlier, later)
  return later
}

/** The same thing again has the same identity. Lengths keep one part from running into the next. */
function identityOf(record: StoreRecord): string {
  switch (record.kind) {
    case 'finding':
      return `finding ${record.epoch} ${record.id.length} ${record.id} ${record.key}`
    case 'site':
      return `site ${record.epoch} ${record.host}`
    case 'epoch':
      return `epoch ${record.id}`
    case 'dns':
    case 'statistics':
      return rollupIdentity(record)
    default:
      return record.kind
  }
}
