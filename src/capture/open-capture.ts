// Captures one after the other, each in file order.
import { BATCH_ROWS, READ_CHUNK_LEN } from '../constants/limits.ts'
import type { InputSummary } from '../model/capture-interface.ts'
import { OperatorError } from '../model/operator-error.ts'
import type { PacketBatch } from '../model/packet-batch.ts'
import { checkInputs } from './byte-input.ts'
import type { InputReader } from './input-reader.ts'
import { createSummary } from './input-summary.ts'
import { openInput } from './open-input.ts'
import type { PacketFilter } from './packet-filter.ts'
import { type CaptureRun, createRun } from './record-format.ts'
import type { CaptureSource } from './source.ts'

/**
 * One capture in file order: a path, or `-` for standard input; pcap or pcapng, plain, gzip or zstd.
 * @throws OperatorError when it cannot be opened or is no capture.
 */
export function openCapture(path: string, filter?: PacketFilter): Promise<CaptureSource> {
  return openSequence([path], filter)
}

/**
 * Captures one after the other, in the order given. Each is opened when its turn comes; a path that cannot be opened is
 * told before the first. Among several, a file that is no capture is told as damage of that input and the rest goes on.
 * @throws OperatorError
 */
export async function openSequence(paths: readonly string[], filter?: PacketFilter): Promise<CaptureSource> {
  checkInputs(paths)
  const source = new SequenceSource(paths, filter)
  await source.openNext()
  return source
}

class SequenceSource implements CaptureSource {
  readonly inputs: InputSummary[]
  readonly #run: CaptureRun
  readonly interfaces: CaptureSource['interfaces']
  readonly annex: CaptureSource['annex']
  #index = -1
  #reader: InputReader | undefined

  constructor(paths: readonly string[], filter: PacketFilter | undefined) {
    this.#run = createRun(filter)
    this.interfaces = this.#run.interfaces
    this.annex = this.#run.annex
    this.inputs = paths.map(createSummary)
  }

  async next(): Promise<PacketBatch | undefined> {
    while (this.#reader !== undefined) {
      const batch = await this.#reader.next()
      if (batch !== undefined) return batch
      await this.openNext()
    }
    return undefined
  }

  async close(): Promise<void> {
    this.#reader?.close()
    this.#reader = undefined
  }

  /** Goes to the next input that can be read, if there is one. */
  async openNext(): Promise<void> {
    this.#reader = undefined
    while (this.#reader === undefined && ++this.#index < this.inputs.length) {
      const summary = this.inputs[this.#index]!
      const input = { run: this.#run, inputIndex: this.#index, inputName: summary.name }
      try {
        this.#reader = await openInput(input, summary, BATCH_ROWS, READ_CHUNK_LEN)
      } catch (error) {
        if (!(error instanceof OperatorError) || this.inputs.length === 1) throw error
        summary.damage = { offset: 0, reason: error.message }
      }
    }
  }
}
