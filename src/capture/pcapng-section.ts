// A section of a pcapng file: its byte order and its interfaces by their number in the section, as columns that the
// packet loop reads. Changed once per section and interface, never per packet.
import { MAX_INTERFACES } from '../constants/limits.ts'
import { readInterface, readStatistics } from './pcapng-blocks.ts'
import type { RunInput } from './record-format.ts'
import { registerInterface } from './register-interface.ts'
import type { Clock } from './timestamp.ts'

const BYTE_ORDER_MAGIC = 0x1a2b3c4d
const BYTE_ORDER_MAGIC_SWAPPED = 0x4d3c2b1a

export class PcapngSection {
  readonly #input: RunInput
  little = true
  interfaceCount = 0
  readonly globalId: number[] = []
  readonly linkType: number[] = []
  readonly snapLen: number[] = []
  readonly clock: Clock[] = []
  /** Interfaces of all sections so far. */
  totalCount = 0

  constructor(input: RunInput) {
    this.#input = input
  }

  /** Takes the byte order from the section header at `at`; returns a fault or undefined. */
  readByteOrder(view: DataView, at: number): string | undefined {
    const magic = view.getUint32(at + 8, true)
    this.little = magic === BYTE_ORDER_MAGIC
    if (this.little || magic === BYTE_ORDER_MAGIC_SWAPPED) return undefined
    return 'a pcapng section header has no byte-order magic'
  }

  /** `at` is the header's body. Interfaces of the section before are forgotten. Returns a fault or undefined. */
  start(view: DataView, at: number): string | undefined {
    this.interfaceCount = 0
    this.globalId.length = 0
    this.linkType.length = 0
    this.snapLen.length = 0
    this.clock.length = 0
    const major = view.getUint16(at + 4, this.little)
    return major === 1 ? undefined : `a pcapng section claims version ${major}; only version 1 is known`
  }

  /** An Interface Description Block's body. Returns a fault or undefined. */
  addInterface(view: DataView, at: number, endAt: number): string | undefined {
    if (this.interfaceCount >= MAX_INTERFACES) return `a section describes more than ${MAX_INTERFACES} interfaces`
    const { declared, clock } = readInterface(view, at, endAt, this.little)
    const id = registerInterface(this.#input, declared)
    if (id < 0) return 'the inputs describe too many interfaces'
    this.totalCount++
    this.interfaceCount++
    this.globalId.push(id)
    this.linkType.push(declared.linkType)
    this.snapLen.push(declared.snapLen)
    this.clock.push(clock)
    return undefined
  }

  /** An Interface Statistics Block's body. One of an interface that is not described is passed over. */
  addStatistics(view: DataView, at: number, endAt: number, nearMicros: number): void {
    const number = view.getUint32(at, this.little)
    const known = this.#input.run.interfaces[this.globalId[number] ?? -1]
    if (known === undefined) return
    known.statistics = readStatistics(
      view,
      at + 12,
      endAt,
      this.little,
      this.clock[number]!,
      nearMicros,
      known.statistics,
    )
  }
}
