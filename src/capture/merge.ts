// Several captures as one, in order of time; also one capture whose interfaces are not in order among themselves.
import { statSync } from 'node:fs'
import {
  BATCH_ROWS,
  MERGE_BATCH_ROWS,
  MERGE_CHUNK_MIN_LEN,
  MERGE_CHUNKS_LEN,
  READ_CHUNK_LEN,
} from '../constants/limits.ts'
import type { InputSummary } from '../model/capture-interface.ts'
import { OperatorError } from '../model/operator-error.ts'
import { createPacketBatch, type PacketBatch } from '../model/packet-batch.ts'
import { checkInputs } from './byte-input.ts'
import { ContinuedInputs } from './continued-inputs.ts'
import type { InputReader } from './input-reader.ts'
import { createSummary } from './input-summary.ts'
import { openInput } from './open-input.ts'
import type { PacketFilter } from './packet-filter.ts'
import { type CaptureRun, createRun } from './record-format.ts'
import { SortWindow } from './sort-window.ts'
import type { CaptureSource } from './source.ts'

/**
 * Captures merged by time, equal times in the order of the inputs and then of the frames. All are opened at once.
 * A single capture with a single interface is handed on as it stands, without a copy.
 * @throws OperatorError when one cannot be opened or is no capture.
 */
export async function openMerged(paths: readonly string[], filter?: PacketFilter): Promise<CaptureSource> {
  checkInputs(paths)
  checkRepeated(paths)
  const source = new MergedSource(paths, filter)
  try {
    await source.open()
  } catch (error) {
    await source.close()
    throw error
  }
  return source
}

/** By whatever name: a link leads to the same packets. @throws OperatorError `input-repeated` */
function checkRepeated(paths: readonly string[]): void {
  const names = new Map<string, string>()
  for (const path of paths) {
    if (path === '-') continue
    const { dev, ino } = statSync(path, { bigint: true })
    const before = names.get(`${dev}:${ino}`)
    if (before !== undefined) {
      throw new OperatorError(
        'input-repeated',
        `${path} is ${before === path ? 'named twice' : `the same file as ${before}`}; merged with itself every packet would count double.`,
      )
    }
    names.set(`${dev}:${ino}`, path)
  }
}

/** One input: its current batch and the next row of it. */
class Cursor {
  readonly reader: InputReader
  readonly inputIndex: number
  batch: PacketBatch | undefined
  row = 0
  /**
   * For each row of the batch the earliest time from there on. Inputs are drawn from by this and not by the row's own
   * time, so that a packet with a time far ahead does not hold back those behind it.
   */
  readonly earliestMicros: Float64Array

  constructor(reader: InputReader, inputIndex: number) {
    this.reader = reader
    this.inputIndex = inputIndex
    this.earliestMicros = new Float64Array(reader.rows)
  }

  async advance(): Promise<void> {
    this.batch = await this.reader.next()
    this.row = 0
    if (this.batch === undefined) return
    let earliest = Number.POSITIVE_INFINITY
    for (let row = this.batch.count - 1; row >= 0; row--) {
      const time = this.batch.timeMicros[row]!
      if (time < earliest) earliest = time
      this.earliestMicros[row] = earliest
    }
  }

  /** Infinite at the end of the input. */
  get earliest(): number {
    return this.batch === undefined ? Number.POSITIVE_INFINITY : this.earliestMicros[this.row]!
  }
}

class MergedSource implements CaptureSource {
  readonly inputs: InputSummary[]
  readonly #run: CaptureRun
  readonly interfaces: CaptureSource['interfaces']
  readonly annex: CaptureSource['annex']
  readonly #out = createPacketBatch()
  readonly #cursors: Cursor[] = []
  readonly #continued: ContinuedInputs
  /** Made when there is something to sort. */
  #window: SortWindow | undefined
  #started = false
  #closed = false
  #lastMicros = Number.NEGATIVE_INFINITY

  constructor(paths: readonly string[], filter: PacketFilter | undefined) {
    this.#run = createRun(filter)
    this.interfaces = this.#run.interfaces
    this.annex = this.#run.annex
    this.inputs = paths.map(createSummary)
    const isRead = (inputIndex: number): boolean => this.#cursors[inputIndex]!.batch === undefined
    this.#continued = new ContinuedInputs(this.interfaces, this.inputs, isRead)
  }

  async open(): Promise<void> {
    const count = this.inputs.length
    const rows = count === 1 ? BATCH_ROWS : MERGE_BATCH_ROWS
    const chunkLen = Math.min(READ_CHUNK_LEN, Math.max(MERGE_CHUNK_MIN_LEN, Math.floor(MERGE_CHUNKS_LEN / count)))
    for (const [inputIndex, summary] of this.inputs.entries()) {
      const input = { run: this.#run, inputIndex, inputName: summary.name }
      const reader = await openInput(input, summary, rows, chunkLen)
      this.#cursors.push(new Cursor(reader, inputIndex))
    }
  }

  async next(): Promise<PacketBatch | undefined> {
    if (this.#closed) return undefined
    if (!this.#started) await this.#start()
    const only = this.#cursors.length === 1 ? this.#cursors[0] : undefined
    if (only !== undefined && this.#window === undefined) {
      if (only.row > 0) await only.advance()
      if (only.reader.interfaceCount <= 1 || only.batch === undefined) {
        only.row = 1
        return only.batch
      }
    }
    this.#window ??= new SortWindow()
    const window = this.#window
    if (window.dueCount === 0) await this.#fill(window)
    if (window.take(this.#out) === 0) {
      this.#continued.end()
      return undefined
    }
    this.#countLate()
    if (this.inputs.length > 1) this.#continued.join(this.#out)
    return this.#out
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const cursor of this.#cursors) cursor.reader.close()
  }

  async #start(): Promise<void> {
    this.#started = true
    for (const cursor of this.#cursors) await cursor.advance()
  }

  /** Draws from the inputs, the earliest first, until the window is full or they have ended. */
  async #fill(window: SortWindow): Promise<void> {
    window.startRound()
    while (!window.full) {
      const cursor = this.#earliestCursor()
      if (cursor.batch === undefined) break
      const from = cursor.row
      const to = this.#runEnd(cursor)
      window.add(cursor.batch, from, to, cursor.inputIndex)
      this.#continued.drawn(cursor.batch, from, to)
      cursor.row = to
      if (to === cursor.batch.count) await cursor.advance()
    }
    window.settle(this.#earliestCursor().batch === undefined)
  }

  #earliestCursor(): Cursor {
    let best = this.#cursors[0]!
    for (const cursor of this.#cursors) if (cursor.earliest < best.earliest) best = cursor
    return best
  }

  /** How far the cursor's batch may be drawn before another input has something earlier. */
  #runEnd(cursor: Cursor): number {
    let limit = Number.POSITIVE_INFINITY
    for (const other of this.#cursors) if (other !== cursor && other.earliest < limit) limit = other.earliest
    const count = cursor.batch!.count
    let row = cursor.row + 1
    while (row < count && cursor.earliestMicros[row]! <= limit) row++
    return row
  }

  /** Rows earlier than one that has gone before them came too late for the window. */
  #countLate(): void {
    const { count, timeMicros, interfaceId } = this.#out
    let last = this.#lastMicros
    for (let row = 0; row < count; row++) {
      const time = timeMicros[row]!
      if (time < last) this.inputs[this.interfaces[interfaceId[row]!]!.inputIndex]!.late++
      else last = time
    }
    this.#lastMicros = last
  }
}
