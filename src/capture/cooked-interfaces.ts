// Captures of all interfaces at once (`tcpdump -i any`): their cooked header says where each packet was. Makes one
// interface of each, so that the tunnel and the way out are told apart.
import {
  ARPHRD_ETHERNET,
  ARPHRD_LOOPBACK,
  ARPHRD_NONE,
  ARPHRD_PPP,
  LINKTYPE_LINUX_SLL,
  LINKTYPE_LINUX_SLL2,
} from '../constants/wire.ts'
import type { CaptureInterface } from '../model/capture-interface.ts'
import { DIRECTION_IN, DIRECTION_OUT, DIRECTION_UNKNOWN, type PacketBatch } from '../model/packet-batch.ts'
import type { CaptureSource } from './source.ts'

/** LINKTYPE_LINUX_SLL: packet type, hardware type. LINKTYPE_LINUX_SLL2 has the interface's index too. */
const V1_PACKET_TYPE_AT = 1
const V1_ARPHRD_AT = 2
const V1_HEADER_LEN = 16
const V2_INDEX_AT = 4
const V2_ARPHRD_AT = 8
const V2_PACKET_TYPE_AT = 10
const V2_HEADER_LEN = 20
const PACKET_TYPE_OUTGOING = 4
/** Hardware types take the lower 16 bits of a key, indexes up to this the rest. */
const MAX_INDEX = 0xffff
/** More than any machine has had in one capture; the rest stays with the last one. */
const MAX_SPLIT = 1024

/** The same packets, each on the interface its header names. Other interfaces are handed on as they are. */
export function splitCooked(source: CaptureSource): CaptureSource {
  return new CookedSource(source)
}

class CookedSource implements CaptureSource {
  readonly interfaces: CaptureInterface[] = []
  readonly inputs: CaptureSource['inputs']
  readonly annex: CaptureSource['annex']
  readonly #source: CaptureSource
  /** Our id of each of the source's interfaces, −1 for one that is split. */
  readonly #idOf: number[] = []
  /** Our ids of the parts of each split interface, by key. */
  readonly #parts: Map<number, number>[] = []
  #hasSplit = false

  constructor(source: CaptureSource) {
    this.#source = source
    this.inputs = source.inputs
    this.annex = source.annex
    this.#takeNew()
  }

  async next(): Promise<PacketBatch | undefined> {
    const batch = await this.#source.next()
    this.#takeNew()
    if (batch !== undefined && this.#hasSplit) this.#assign(batch)
    return batch
  }

  close(): Promise<void> {
    return this.#source.close()
  }

  /** Interfaces that came up since the last batch. */
  #takeNew(): void {
    for (let id = this.#idOf.length; id < this.#source.interfaces.length; id++) {
      const one = this.#source.interfaces[id]!
      const isCooked = one.linkType === LINKTYPE_LINUX_SLL || one.linkType === LINKTYPE_LINUX_SLL2
      this.#parts.push(new Map())
      if (isCooked) this.#hasSplit = true
      this.#idOf.push(isCooked ? -1 : this.#add(one, {}))
    }
  }

  /** Statistics stand at the end of a file: they are read when they are asked for. */
  #add(one: CaptureInterface, more: Partial<CaptureInterface>): number {
    const id = this.interfaces.length
    if (id === one.id && more.name === undefined) {
      this.interfaces.push(one)
      return id
    }
    const { statistics: _, ...rest } = one
    const made = { ...rest, ...more, id }
    Object.defineProperty(made, 'isContinuation', { enumerable: true, get: () => one.isContinuation })
    // The loss of the whole capture is no loss of one of its parts, and told once.
    if (more.name === undefined || this.#isFirstPart(one)) {
      Object.defineProperty(made, 'statistics', { enumerable: true, get: () => partStatistics(one, more) })
    }
    this.interfaces.push(made)
    return id
  }

  #isFirstPart(one: CaptureInterface): boolean {
    return this.#parts[one.id]!.size === 0
  }

  #assign(batch: PacketBatch): void {
    const { bytes, startAt, capturedLen, linkType, interfaceId, direction } = batch
    for (let row = 0; row < batch.count; row++) {
      const from = interfaceId[row]!
      const known = this.#idOf[from]!
      if (known >= 0) {
        interfaceId[row] = known
        continue
      }
      const at = startAt[row]!
      const isV2 = linkType[row] === LINKTYPE_LINUX_SLL2
      const isWhole = capturedLen[row]! >= (isV2 ? V2_HEADER_LEN : V1_HEADER_LEN)
      const hardwareAt = at + (isV2 ? V2_ARPHRD_AT : V1_ARPHRD_AT)
      const hardwareType = isWhole ? (bytes[hardwareAt]! << 8) | bytes[hardwareAt + 1]! : 0
      const index = isWhole && isV2 ? (bytes[at + V2_INDEX_AT + 2]! << 8) | bytes[at + V2_INDEX_AT + 3]! : 0
      interfaceId[row] = this.#partOf(from, hardwareType, index)
      if (isWhole && direction[row] === DIRECTION_UNKNOWN) {
        const packetType = bytes[at + (isV2 ? V2_PACKET_TYPE_AT : V1_PACKET_TYPE_AT)]
        direction[row] = packetType === PACKET_TYPE_OUTGOING ? DIRECTION_OUT : DIRECTION_IN
      }
    }
  }

  #partOf(from: number, hardwareType: number, index: number): number {
    const key = index * (MAX_INDEX + 1) + hardwareType
    const id = this.#parts[from]!.get(key)
    return id === undefined ? this.#newPart(from, key, hardwareType, index) : id
  }

  #newPart(from: number, key: number, hardwareType: number, index: number): number {
    const one = this.#source.interfaces[from]!
    const parts = this.#parts[from]!
    if (parts.size >= MAX_SPLIT) return this.interfaces.length - 1
    const base = one.name ?? 'any'
    const name = index > 0 ? `${base}#${index}` : `${base}-${hardwareWord(hardwareType)}`
    const id = this.#add(one, { name, hardwareType })
    parts.set(key, id)
    return id
  }
}

/** A part came and went with its packets: the times of the whole capture say nothing of it, only the drops remain. */
function partStatistics(one: CaptureInterface, more: Partial<CaptureInterface>): CaptureInterface['statistics'] {
  if (more.name === undefined) return one.statistics
  return one.statistics?.dropped === undefined ? undefined : { dropped: one.statistics.dropped }
}

function hardwareWord(hardwareType: number): string {
  switch (hardwareType) {
    case ARPHRD_ETHERNET:
      return 'ethernet'
    case ARPHRD_PPP:
      return 'ppp'
    case ARPHRD_LOOPBACK:
      return 'loopback'
    case ARPHRD_NONE:
      return 'tunnel'
    default:
      return `type${hardwareType}`
  }
}
