// The file of `daemon -w`: packets and the network context as they come.
import { PcapngWriter } from '../capture/pcapng-writer.ts'
import type { LiveSource } from '../capture/source.ts'
import type { NetworkContext } from '../model/network-context.ts'
import { OperatorError } from '../model/operator-error.ts'
import type { PacketBatch } from '../model/packet-batch.ts'
import type { CaptureOptions } from './capture-messages.ts'

/** Of CaptureOptions, what the file depends on. */
type FileOptions = Pick<CaptureOptions, 'writePath' | 'writeName' | 'version' | 'expression'>

/** The file of -w, when there is one; a full disk ends the file and not the capture, a reader that went away ends both. */
export class CaptureFile {
  #writer: PcapngWriter | undefined
  readonly #options: FileOptions
  readonly #onTrouble: (sentence: string) => void
  readonly #onReaderGone: () => void
  #isOver = false
  #isCut = false

  /** `onTrouble` hears once why the file ended early; where it was a pipe that nobody reads any more, `onReaderGone`. */
  constructor(options: FileOptions, onTrouble: (sentence: string) => void, onReaderGone: () => void) {
    this.#options = options
    this.#onTrouble = onTrouble
    this.#onReaderGone = onReaderGone
  }

  /** The network from now on; the first one creates the file. @throws OperatorError `write-file` when that fails */
  context(context: NetworkContext): void {
    const { writePath, writeName, version, expression } = this.#options
    if (writePath === undefined) return
    if (this.#writer !== undefined) this.#do((writer) => writer.noteContext(context))
    else if (!this.#isOver) {
      this.#writer = new PcapngWriter(writePath, {
        application: `tunnelscope ${version}`,
        context,
        ...(writeName === undefined ? {} : { name: writeName }),
        ...(expression === undefined ? {} : { filter: expression }),
      })
    }
  }

  /** True when the file ended before the capture did, though somebody wants it. */
  get isCut(): boolean {
    return this.#isCut
  }

  /** Appends all rows. */
  packets(batch: PacketBatch, source: LiveSource): void {
    if (batch.count > 0) this.#do((writer) => writer.write(batch, source.interfaces))
  }

  /** Everything so far is in the file. */
  flush(): void {
    this.#do((writer) => writer.flush())
  }

  /** The file is whole afterwards. `endMicros`: until when the capture saw everything. */
  close(source: LiveSource, endMicros: number, dropped: number): void {
    this.#do((writer) => writer.close(source.interfaces, endMicros, dropped))
  }

  #do(action: (writer: PcapngWriter) => void): void {
    if (this.#writer === undefined) return
    try {
      action(this.#writer)
    } catch (error) {
      if (!(error instanceof OperatorError)) throw error
      this.#writer = undefined
      this.#isOver = true
      if (error.code === 'reader-gone') this.#onReaderGone()
      else {
        this.#isCut = true
        this.#onTrouble(error.message)
      }
    }
  }
}
