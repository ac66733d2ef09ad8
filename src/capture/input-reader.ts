// One input from its first byte to its last: a window, a format, and the account of what was read.
import type { InputSummary } from '../model/capture-interface.ts'
import type { PacketBatch } from '../model/packet-batch.ts'
import type { ByteWindow } from './byte-window.ts'
import type { PacketFilter } from './packet-filter.ts'
import type { RecordFormat } from './record-format.ts'

/** Batches in file order, their bytes in the window: valid until the next next(). */
export class InputReader {
  readonly summary: InputSummary
  readonly #window: ByteWindow
  readonly #format: RecordFormat
  readonly #batch: PacketBatch
  readonly #filter: PacketFilter | undefined
  #ended = false

  constructor(
    window: ByteWindow,
    format: RecordFormat,
    summary: InputSummary,
    batch: PacketBatch,
    filter: PacketFilter | undefined,
  ) {
    this.#window = window
    this.#format = format
    this.summary = summary
    this.#batch = batch
    this.#filter = filter
  }

  /** Interfaces that the input has described so far. */
  get interfaceCount(): number {
    return this.#format.interfaceCount
  }

  /** The most that a batch may have. */
  get rows(): number {
    return this.#batch.timeMicros.length
  }

  /** The next batch with at least one row; undefined at the end, and then `summary.damage` tells if it was a bad one. */
  async next(): Promise<PacketBatch | undefined> {
    while (!this.#ended) {
      this.#format.fill(this.#window, this.#batch)
      if (this.#batch.count > 0) {
        this.#account()
        if (this.#batch.count > 0) return this.#batch
      } else if (this.#format.fault !== undefined) this.#end(this.#format.fault)
      else if (!(await this.#window.fill(this.#format.needLen))) {
        this.#end(this.#window.fault ?? (this.#window.pending ? 'the input ends within a record' : undefined))
      }
    }
    return undefined
  }

  close(): void {
    this.#ended = true
    this.#window.close()
  }

  #end(reason: string | undefined): void {
    if (reason !== undefined) this.summary.damage = { offset: this.#window.offset, reason }
    this.close()
  }

  #account(): void {
    const { count, timeMicros, wireLen } = this.#batch
    let first = this.summary.firstMicros ?? Number.POSITIVE_INFINITY
    let last = this.summary.lastMicros ?? Number.NEGATIVE_INFINITY
    let bytes = 0
    for (let row = 0; row < count; row++) {
      const time = timeMicros[row]!
      if (time < first) first = time
      if (time > last) last = time
      bytes += wireLen[row]!
    }
    this.summary.packets += count
    this.summary.bytes += bytes
    this.summary.firstMicros = first
    this.summary.lastMicros = last
    if (this.#filter === undefined) return
    this.summary.filteredOut = (this.summary.filteredOut ?? 0) + this.#filter.apply(this.#batch)
  }
}
