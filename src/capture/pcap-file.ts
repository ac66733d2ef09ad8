// The classic capture file (draft-ietf-opsawg-pcap, savefile(5)): micro- and nanoseconds, both byte orders, the
// modified header of Kuznetzov's patch, and the swapped lengths of versions before 2.4.
// HOT PATH
import { MAX_PACKET_LEN } from '../constants/limits.ts'
import { DIRECTION_IN, DIRECTION_OUT, DIRECTION_UNKNOWN, type PacketBatch } from '../model/packet-batch.ts'
import type { ByteWindow } from './byte-window.ts'
import type { RecordFormat, RunInput } from './record-format.ts'
import { registerInterface } from './register-interface.ts'

export const PCAP_HEADER_LEN = 24
const RECORD_HEADER_LEN = 16
const MODIFIED_RECORD_HEADER_LEN = 24

const MAGIC_MICROS = 0xa1b2c3d4
const MAGIC_NANOS = 0xa1b23c4d
const MAGIC_MODIFIED = 0xa1b2cd34

/** Must be zero; libpcap and Wireshark refuse such files too. */
const NETWORK_RESERVED = 0x03ff0000

/** <linux/if_packet.h> sll_pkttype, which the modified record header carries. */
const PACKET_OUTGOING = 4

/** True when the first four bytes, read big-endian, open a classic capture in either byte order. */
export function isPcapMagic(magic: number): boolean {
  return isMagic(magic) || isMagic(swap(magic))
}

function isMagic(magic: number): boolean {
  return magic === MAGIC_MICROS || magic === MAGIC_NANOS || magic === MAGIC_MODIFIED
}

function swap(word: number): number {
  return ((word >>> 24) | ((word >>> 8) & 0xff00) | ((word << 8) & 0xff0000) | (word << 24)) >>> 0
}

/** Reads a classic capture; `window.at` must stand before its whole 24-byte header, whose magic has been checked. */
export class PcapFile implements RecordFormat {
  readonly name: string
  fault: string | undefined
  needLen = RECORD_HEADER_LEN
  readonly interfaceCount = 1
  readonly #littleEndian: boolean
  readonly #nanos: boolean
  readonly #headerLen: number
  /** Versions before 2.3 (and DG/UX's 543) store the two lengths the other way round; 2.3 does either. */
  readonly #lengthsSwapped: boolean
  readonly #lengthsUnsure: boolean
  readonly #linkType: number = 0
  readonly #interfaceId: number = 0
  #frameNumber = 0

  constructor(window: ByteWindow, input: RunInput) {
    const view = window.view
    const at = window.at
    this.#littleEndian = !isMagic(view.getUint32(at))
    const little = this.#littleEndian
    const magic = view.getUint32(at, little)
    const major = view.getUint16(at + 4, little)
    const minor = view.getUint16(at + 6, little)
    this.#nanos = magic === MAGIC_NANOS
    this.#headerLen = magic === MAGIC_MODIFIED ? MODIFIED_RECORD_HEADER_LEN : RECORD_HEADER_LEN
    this.#lengthsSwapped = major === 543 || (major === 2 && minor < 3)
    this.#lengthsUnsure = major === 2 && minor === 3
    this.needLen = this.#headerLen
    this.name = this.#nanos ? 'pcap-ns' : magic === MAGIC_MODIFIED ? 'pcap-modified' : 'pcap'
    if (major !== 2 && major !== 543) {
      this.fault = `its pcap header claims version ${major}.${minor}; only version 2 is known`
      return
    }
    const network = view.getUint32(at + 20, little)
    if ((network & NETWORK_RESERVED) !== 0) {
      this.fault = `its pcap header sets reserved bits beside the link type (0x${network.toString(16)})`
      return
    }
    // The uppermost bits hold the length of the frame check sequence; a trailer does no harm to decoders.
    this.#linkType = network & 0xffff
    const id = registerInterface(input, { linkType: this.#linkType, snapLen: view.getUint32(at + 16, little) })
    if (id < 0) this.fault = 'the run has too many interfaces'
    else this.#interfaceId = id
    window.at = at + PCAP_HEADER_LEN
  }

  fill(window: ByteWindow, batch: PacketBatch): void {
    batch.bytes = window.bytes
    batch.count = 0
    if (this.fault !== undefined) return
    const { timeMicros, startAt, capturedLen, wireLen, linkType, interfaceId, direction, frameNumber } = batch
    const view = window.view
    const little = this.#littleEndian
    const nanos = this.#nanos
    const headerLen = this.#headerLen
    const oldVersion = this.#lengthsSwapped || this.#lengthsUnsure
    const thisLinkType = this.#linkType
    const thisInterface = this.#interfaceId
    const rows = timeMicros.length
    const end = window.end
    let at = window.at
    let row = 0
    let frame = this.#frameNumber
    this.needLen = headerLen
    while (row < rows && end - at >= headerLen) {
      let inclLen = view.getUint32(at + 8, little)
      let origLen = view.getUint32(at + 12, little)
      if (oldVersion && (this.#lengthsSwapped || inclLen > origLen)) {
        const other = inclLen
        inclLen = origLen
        origLen = other
      }
      if (inclLen > MAX_PACKET_LEN) {
        this.fault = impossiblePacket(inclLen)
        break
      }
      // No packet has no bytes at the beginning of 1970: a crash left the file longer than what was written to it.
      if (inclLen === 0 && origLen === 0 && view.getUint32(at) === 0 && view.getUint32(at + 4) === 0) {
        this.fault = 'zeros stand where a packet should, as in a file whose writing was broken off'
        break
      }
      if (end - at - headerLen < inclLen) {
        this.needLen = headerLen + inclLen
        break
      }
      const fraction = view.getUint32(at + 4, little)
      timeMicros[row] = view.getUint32(at, little) * 1e6 + (nanos ? Math.floor(fraction / 1000) : fraction)
      startAt[row] = at + headerLen
      capturedLen[row] = inclLen
      wireLen[row] = Math.max(origLen, inclLen)
      linkType[row] = thisLinkType
      interfaceId[row] = thisInterface
      direction[row] = headerLen === RECORD_HEADER_LEN ? DIRECTION_UNKNOWN : packetTypeDirection(view.getUint8(at + 22))
      frameNumber[row] = ++frame
      row++
      at += headerLen + inclLen
    }
    window.at = at
    batch.count = row
    this.#frameNumber = frame
  }
}

/** To us, broadcast, multicast, to another host seen in promiscuous mode: in. Outgoing: out. */
function packetTypeDirection(packetType: number): number {
  if (packetType < PACKET_OUTGOING) return DIRECTION_IN
  return packetType === PACKET_OUTGOING ? DIRECTION_OUT : DIRECTION_UNKNOWN
}

/** COLD PATH: a fault. */
function impossiblePacket(inclLen: number): string {
  return `a packet of ${inclLen} bytes cannot be (the most is ${MAX_PACKET_LEN})`
}
