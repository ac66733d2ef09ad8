// pcapng (draft-ietf-opsawg-pcapng): sections of either byte order, each with its own interfaces; every block that
// carries packets; statistics, names and secrets handed on; everything else passed over without being held.
// HOT PATH
import { MAX_BLOCK_LEN, MAX_PACKET_LEN } from '../constants/limits.ts'
import { DIRECTION_IN, DIRECTION_OUT, DIRECTION_UNKNOWN, type PacketBatch } from '../model/packet-batch.ts'
import type { ByteWindow } from './byte-window.ts'
import { readContexts } from './context-comment.ts'
import { readNames, readSecrets } from './pcapng-blocks.ts'
import { findOption } from './pcapng-options.ts'
import { PcapngSection } from './pcapng-section.ts'
import type { RecordFormat, RunInput } from './record-format.ts'
import { stampMicros } from './timestamp.ts'

/** The same in both byte orders. */
export const PCAPNG_MAGIC = 0x0a0d0d0a

const BLOCK_SECTION = PCAPNG_MAGIC
const BLOCK_INTERFACE = 1
const BLOCK_PACKET = 2
const BLOCK_SIMPLE_PACKET = 3
const BLOCK_NAMES = 4
const BLOCK_STATISTICS = 5
const BLOCK_ENHANCED_PACKET = 6
const BLOCK_SECRETS = 10

/** Type and length before the body, the length again behind it. */
const BLOCK_START_LEN = 8
const BLOCK_FRAME_LEN = 12

/** epb_flags and pack_flags: the two lowest bits are the direction. */
const OPT_PACKET_FLAGS = 2
/** Options of a packet that has its flags and nothing else: all that capturing programs write. */
const FLAGS_ONLY_LEN = 12

/** Reads a pcapng capture; `window.at` must stand before its first Section Header Block. */
export class PcapngFile implements RecordFormat {
  readonly name = 'pcapng'
  fault: string | undefined
  needLen = BLOCK_FRAME_LEN
  readonly #input: RunInput
  readonly #section: PcapngSection
  #frameNumber = 0
  /** A Simple Packet Block has no time of its own: it gets that of the packet before it. */
  #lastMicros = 0

  constructor(input: RunInput) {
    this.#input = input
    this.#section = new PcapngSection(input)
  }

  get interfaceCount(): number {
    return this.#section.totalCount
  }

  fill(window: ByteWindow, batch: PacketBatch): void {
    batch.bytes = window.bytes
    batch.count = 0
    this.needLen = BLOCK_FRAME_LEN
    const rows = batch.timeMicros.length
    const view = window.view
    const section = this.#section
    while (this.fault === undefined && batch.count < rows && window.end - window.at >= BLOCK_FRAME_LEN) {
      const at = window.at
      const type = view.getUint32(at, section.little)
      if (type === BLOCK_SECTION) this.fault = section.readByteOrder(view, at)
      if (this.fault !== undefined) return
      const little = section.little
      const statedLen = view.getUint32(at + 4, little)
      if (statedLen < minimumLen(type)) {
        this.fault = impossibleLen(type, statedLen)
        return
      }
      // Some writers left the padding out of the length.
      const blockLen = statedLen + (-statedLen & 3)
      if (window.end - at < blockLen) {
        if (blockLen <= MAX_BLOCK_LEN && isRead(type)) {
          this.needLen = blockLen
          return
        }
        if (isNeeded(type)) {
          this.fault = impossibleLen(type, statedLen)
          return
        }
        window.skip(blockLen)
        return
      }
      if (view.getUint32(at + blockLen - 4, little) !== statedLen) {
        this.fault = 'the two lengths of a block differ'
        return
      }
      const dataAt = at + BLOCK_START_LEN
      const endAt = at + blockLen - 4
      if (type === BLOCK_ENHANCED_PACKET) {
        this.#readPacket(view, dataAt, endAt, view.getUint32(dataAt, little), batch)
      } else this.#readBlock(type, view, dataAt, endAt, batch)
      if (this.fault === undefined) window.at = at + blockLen
    }
  }

  /** Every branch but the commonest one. */
  #readBlock(type: number, view: DataView, at: number, endAt: number, batch: PacketBatch): void {
    switch (type) {
      case BLOCK_SECTION:
        this.fault = this.#section.start(view, at)
        this.#readComments(view, at + 16, endAt)
        break
      case BLOCK_INTERFACE:
        this.fault = this.#section.addInterface(view, at, endAt)
        break
      case BLOCK_PACKET:
        this.#readPacket(view, at, endAt, view.getUint16(at, this.#section.little), batch)
        break
      case BLOCK_SIMPLE_PACKET:
        this.#readSimplePacket(view, at, endAt, batch)
        break
      case BLOCK_NAMES:
        readNames(view, at, endAt, this.#section.little, this.#input.run.annex)
        break
      case BLOCK_STATISTICS:
        this.#section.addStatistics(view, at, endAt, this.#lastMicros)
        this.#readComments(view, at + 12, endAt)
        break
      case BLOCK_SECRETS:
        readSecrets(view, at, endAt, this.#section.little, this.#input.run.annex)
        break
    }
  }

  /**
   * 4.3: interface, stamp high, stamp low, captured and original length, data, options. The obsolete block (appendix A)
   * has 16 bits of interface and a drop count in the place of the 32.
   */
  #readPacket(view: DataView, at: number, endAt: number, number: number, batch: PacketBatch): void {
    const { little } = this.#section
    const inclLen = view.getUint32(at + 12, little)
    this.#addPacket(view, at + 20, endAt, number, inclLen, view.getUint32(at + 16, little), batch)
    if (this.fault !== undefined) return
    this.#stamp(view, at + 4, number, batch)
  }

  /** 4.4: original length and data, of the section's first interface; its snap length says how much was kept. */
  #readSimplePacket(view: DataView, at: number, endAt: number, batch: PacketBatch): void {
    const origLen = view.getUint32(at, this.#section.little)
    const snapLen = this.#section.snapLen[0] ?? 0
    let inclLen = snapLen > 0 && snapLen < origLen ? snapLen : origLen
    if (inclLen > endAt - at - 4) inclLen = endAt - at - 4
    this.#addPacket(view, at + 4, endAt, 0, inclLen, origLen, batch)
    if (this.fault !== undefined) return
    batch.timeMicros[batch.count] = this.#lastMicros
    batch.count++
  }

  /** Fills the row but its time and does not count it yet. `at` is the data's first byte. */
  #addPacket(
    view: DataView,
    at: number,
    endAt: number,
    number: number,
    inclLen: number,
    origLen: number,
    batch: PacketBatch,
  ): void {
    if (number >= this.#section.interfaceCount) {
      this.fault = undescribed(number)
      return
    }
    if (inclLen > MAX_PACKET_LEN || inclLen > endAt - at) {
      this.fault = impossiblePacket(inclLen, endAt - at)
      return
    }
    const row = batch.count
    batch.startAt[row] = at
    batch.capturedLen[row] = inclLen
    batch.wireLen[row] = Math.max(origLen, inclLen)
    batch.linkType[row] = this.#section.linkType[number]!
    batch.interfaceId[row] = this.#section.globalId[number]!
    batch.frameNumber[row] = ++this.#frameNumber
    const optionsAt = at + ((inclLen + 3) & ~3)
    batch.direction[row] = endAt - optionsAt < 8 ? DIRECTION_UNKNOWN : this.#direction(view, optionsAt, endAt)
    if (endAt - optionsAt > FLAGS_ONLY_LEN) this.#readComments(view, optionsAt, endAt)
  }

  /** COLD PATH: few packets have comments. */
  #readComments(view: DataView, at: number, endAt: number): void {
    if (this.fault === undefined) readContexts(view, at, endAt, this.#section.little, this.#input.run.annex)
  }

  #stamp(view: DataView, at: number, number: number, batch: PacketBatch): void {
    const little = this.#section.little
    const micros = stampMicros(this.#section.clock[number]!, view.getUint32(at, little), view.getUint32(at + 4, little))
    this.#lastMicros = micros
    batch.timeMicros[batch.count] = micros
    batch.count++
  }

  #direction(view: DataView, at: number, endAt: number): number {
    const little = this.#section.little
    const optionAt = findOption(view, at, endAt, little, OPT_PACKET_FLAGS)
    if (optionAt < 0 || view.getUint16(optionAt + 2, little) !== 4) return DIRECTION_UNKNOWN
    const inOrOut = view.getUint32(optionAt + 4, little) & 3
    return inOrOut === 1 ? DIRECTION_IN : inOrOut === 2 ? DIRECTION_OUT : DIRECTION_UNKNOWN
  }
}

/** Blocks whose loss would lose packets or their meaning. */
function isNeeded(type: number): boolean {
  return (
    type === BLOCK_ENHANCED_PACKET ||
    type === BLOCK_SIMPLE_PACKET ||
    type === BLOCK_PACKET ||
    type === BLOCK_INTERFACE ||
    type === BLOCK_SECTION
  )
}

function isRead(type: number): boolean {
  return isNeeded(type) || type === BLOCK_NAMES || type === BLOCK_STATISTICS || type === BLOCK_SECRETS
}

/** Shortest whole block of a type: its frame and its fixed fields. */
function minimumLen(type: number): number {
  switch (type) {
    case BLOCK_ENHANCED_PACKET:
    case BLOCK_PACKET:
      return 32
    case BLOCK_SECTION:
      return 28
    case BLOCK_STATISTICS:
      return 24
    case BLOCK_INTERFACE:
    case BLOCK_SECRETS:
      return 20
    case BLOCK_SIMPLE_PACKET:
      return 16
    default:
      return BLOCK_FRAME_LEN
  }
}

/** COLD PATH: a fault. */
function impossibleLen(type: number, statedLen: number): string {
  return `a block of type 0x${type.toString(16)} cannot be ${statedLen} bytes long`
}

/** COLD PATH: a fault. */
function undescribed(number: number): string {
  return `a packet names interface ${number}, which is not described`
}

/** COLD PATH: a fault. */
function impossiblePacket(inclLen: number, roomLen: number): string {
  return `a packet of ${inclLen} bytes cannot be in a block with room for ${roomLen}`
}
