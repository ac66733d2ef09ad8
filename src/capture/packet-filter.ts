// A filter expression over the packets of captures, as tcpdump -r takes one: compiled for each link type that comes.
import { LINKTYPE_RAW } from '../constants/wire.ts'
import { OperatorError } from '../model/operator-error.ts'
import type { PacketBatch } from '../model/packet-batch.ts'
import { BpfProgram } from './bpf-program.ts'
import { compileFilterExpression } from './native-addon.ts'

/** Where files number a link type differently from libpcap (DLT_* on Linux). */
const LIBPCAP_NUMBERS: Readonly<Record<number, number>> = Object.freeze({ 100: 11, [LINKTYPE_RAW]: 12, 106: 19 })

export class PacketFilter {
  readonly #expression: string
  /** By link type. */
  readonly #programs: (BpfProgram | undefined)[] = []

  /** `expression`: pcap-filter(7). */
  constructor(expression: string) {
    this.#expression = expression
  }

  /**
   * Keeps the accepted rows, in their order; gives how many it left out. HOT PATH.
   * @throws OperatorError `filter-syntax`, `filter-library`, `addon-missing`
   */
  apply(batch: PacketBatch): number {
    const { bytes, count, timeMicros, startAt, capturedLen, wireLen, linkType, interfaceId, direction, frameNumber } =
      batch
    let kept = 0
    for (let row = 0; row < count; row++) {
      const program = this.#programs[linkType[row]!] ?? this.#compile(linkType[row]!)
      if (!program.accepts(bytes, startAt[row]!, capturedLen[row]!, wireLen[row]!)) continue
      if (kept !== row) {
        timeMicros[kept] = timeMicros[row]!
        startAt[kept] = startAt[row]!
        capturedLen[kept] = capturedLen[row]!
        wireLen[kept] = wireLen[row]!
        linkType[kept] = linkType[row]!
        interfaceId[kept] = interfaceId[row]!
        direction[kept] = direction[row]!
        frameNumber[kept] = frameNumber[row]!
      }
      kept++
    }
    batch.count = kept
    return count - kept
  }

  #compile(linkType: number): BpfProgram {
    const encoded = compileFilterExpression(this.#expression, LIBPCAP_NUMBERS[linkType] ?? linkType)
    let program: BpfProgram
    try {
      program = new BpfProgram(encoded)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      throw new OperatorError(
        'filter-syntax',
        `filter "${this.#expression}": no filter for a capture file: ${error.message}`,
      )
    }
    this.#programs[linkType] = program
    return program
  }
}
