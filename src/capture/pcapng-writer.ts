// A live capture as a pcapng file (draft-ietf-opsawg-pcapng): one interface block per interface, the direction with each
// packet, statistics at the end, and the network context inside as comments, so that the file can be judged elsewhere.
import { closeSync, openSync, writeSync } from 'node:fs'
import type { CaptureInterface } from '../model/capture-interface.ts'
import type { NetworkContext } from '../model/network-context.ts'
import { OperatorError } from '../model/operator-error.ts'
import { DIRECTION_IN, DIRECTION_OUT, type PacketBatch } from '../model/packet-batch.ts'

/** A comment that starts with this word holds a NetworkContext as JSON, valid from the packet or section it stands at. */
export const CONTEXT_COMMENT = 'tunnelscope-context '

const BLOCK_SECTION_HEADER = 0x0a0d0d0a
const BLOCK_INTERFACE_DESCRIPTION = 1
const BLOCK_INTERFACE_STATISTICS = 5
const BLOCK_ENHANCED_PACKET = 6
const BYTE_ORDER_MAGIC = 0x1a2b3c4d
const OPTION_END = 0
const OPTION_COMMENT = 1
const SHB_OS = 3
const SHB_USERAPPL = 4
const IF_NAME = 2
const IF_DESCRIPTION = 3
const IF_TSRESOL = 9
const IF_FILTER = 11
const EPB_FLAGS = 2
const ISB_STARTTIME = 2
const ISB_ENDTIME = 3
const ISB_IFRECV = 4
const ISB_OSDROP = 7
const EPB_FLAG_INBOUND = 1
const EPB_FLAG_OUTBOUND = 2
const MICROSECONDS = 6
/** Its descriptor; never closed by us, for another file would get the number. */
const STANDARD_OUTPUT = 1
/** How long a reader may take nothing. */
const MAX_PIPE_WAIT_MILLIS = 10_000
const PIPE_WAIT_MILLIS = 2
const STALLED = `who reads it took nothing for ${MAX_PIPE_WAIT_MILLIS / 1000} s`

/** Contexts that wait for a packet; with one in full length each they still fit into a chunk beside it. */
const MAX_WAITING_COMMENTS = 8
/** An option's length field has 16 bits. */
const MAX_COMMENT_LEN = 65_000
/** Written to the file in pieces of this size. */
const CHUNK_LEN = 1 << 20
/** Type, two lengths, interface, time, two packet lengths, flags option with its end. */
const EPB_FIXED_LEN = 44

const text = new TextEncoder()

export interface PcapngWriterOptions {
  /** Program and version, for the section header. */
  application: string
  context?: NetworkContext
  /** A comment of the whole file. */
  wholeComment?: string
  /** What the person calls the file, for sentences about it; its path unless told. */
  name?: string
  /** The person's filter expression, noted with each interface. */
  filter?: string
}

/** From when until when an interface could carry packets, by the contexts; open while it still can. */
interface Span {
  startMicros: number
  endMicros?: number
}

/** Counted over the file, for its statistics blocks. */
interface Written {
  packets: number
  firstMicros: number
}

export class PcapngWriter {
  readonly #name: string
  readonly #options: PcapngWriterOptions
  readonly #chunk = new Uint8Array(CHUNK_LEN)
  readonly #view = new DataView(this.#chunk.buffer)
  readonly #written: Written[] = []
  readonly #spans = new Map<string, Span>()
  #fd: number
  #at = 0
  /** Contexts that no packet carries yet. */
  #comments: Uint8Array[] = []
  #notedMicros = 0

  /**
   * Creates the file, readable for its owner only; `-` is standard output.
   * @throws OperatorError `write-file` when the system refuses
   */
  constructor(path: string, options: PcapngWriterOptions) {
    this.#name = options.name ?? path
    this.#options = options
    this.#fd = path === '-' ? STANDARD_OUTPUT : this.#try(() => openSync(path, 'w', 0o600))
    const head: Option[] = [
      [SHB_OS, text.encode(process.platform)],
      [SHB_USERAPPL, text.encode(options.application)],
    ]
    if (options.wholeComment !== undefined) head.push([OPTION_COMMENT, commentOf(options.wholeComment)])
    if (options.context !== undefined) head.push([OPTION_COMMENT, contextComment(options.context)])
    this.#sectionHeader(head)
    if (options.context !== undefined) this.#noteSpans(options.context)
  }

  /** Notes a change of the network: it is written with the next packet, or at the end. @throws OperatorError as write() */
  noteContext(context: NetworkContext): void {
    this.#comments.push(contextComment(context))
    this.#notedMicros = context.timeMicros
    if (this.#comments.length === MAX_WAITING_COMMENTS) this.#writeComments()
    this.#noteSpans(context)
  }

  /** A comment for the next packet. */
  noteComment(comment: string): void {
    this.#comments.push(commentOf(comment))
  }

  /**
   * Appends rows `from` … `to` − 1. `interfaces` is the source's list; new entries get their block first.
   * @throws OperatorError `write-file`, `disk-full`
   */
  write(batch: PacketBatch, interfaces: readonly CaptureInterface[], from = 0, to = batch.count): void {
    for (let row = from; row < to; row++) {
      const id = batch.interfaceId[row]!
      if (id >= this.#written.length) this.#describe(interfaces, batch.timeMicros[row]!)
      this.#written[id]!.packets++
      this.#packet(batch, row, id)
    }
  }

  /** Everything so far is in the file afterwards. @throws OperatorError `write-file`, `disk-full` */
  flush(): void {
    let from = 0
    while (from < this.#at) from += this.#try(() => this.#put(from))
    this.#at = 0
  }

  /** Bytes written. A pipe that is full is waited for, though not for ever: nobody could end us meanwhile. */
  #put(from: number): number {
    for (let waited = 0; ; waited += PIPE_WAIT_MILLIS) {
      try {
        return writeSync(this.#fd, this.#chunk, from, this.#at - from)
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        if (code !== 'EAGAIN' || waited >= MAX_PIPE_WAIT_MILLIS) throw error
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PIPE_WAIT_MILLIS)
      }
    }
  }

  /** Ends the file without statistics: it holds a choice of packets. @throws OperatorError `write-file`, `disk-full` */
  end(): void {
    if (this.#fd < 0) return
    if (this.#comments.length > 0) this.#writeComments()
    this.flush()
    this.abandon()
  }

  /** Closes a file that cannot be ended; what is in it is of no use. */
  abandon(): void {
    if (this.#fd >= 0 && this.#fd !== STANDARD_OUTPUT) closeSync(this.#fd)
    this.#fd = -1
  }

  /**
   * Writes the statistics and ends the file. The kernel counts drops for the whole capture, not per interface: they
   * stand with the first one. @throws OperatorError `write-file`, `disk-full`
   */
  close(interfaces: readonly CaptureInterface[], endMicros: number, dropped: number): void {
    if (this.#fd < 0) return
    this.#describe(interfaces, endMicros)
    this.#written.forEach((written, id) => {
      const body = new Uint8Array(12)
      const view = new DataView(body.buffer)
      view.setUint32(0, id, true)
      setTime(view, 4, endMicros)
      // A reader takes a tunnel to be up between these two times.
      const span = this.#spans.get(interfaces[id]?.name ?? '')
      const options: Option[] = [
        [ISB_STARTTIME, timeOption(span?.startMicros ?? written.firstMicros)],
        [ISB_ENDTIME, timeOption(span?.endMicros ?? endMicros)],
        [ISB_IFRECV, countOption(written.packets)],
        [ISB_OSDROP, countOption(id === 0 ? dropped : 0)],
      ]
      if (id === 0 && dropped > 0) options.push([OPTION_COMMENT, text.encode('drops of all interfaces together')])
      if (id === 0) for (const comment of this.#comments) options.push([OPTION_COMMENT, comment])
      this.#block(BLOCK_INTERFACE_STATISTICS, body, options)
    })
    this.flush()
    this.abandon()
  }

  /**
   * A network that changes while nothing is captured: statistics of the first interface that say nothing else, or, before
   * there is one, a section that holds nothing else.
   */
  #writeComments(): void {
    const options = this.#comments.map((comment): Option => [OPTION_COMMENT, comment])
    this.#comments = []
    if (this.#written.length === 0) {
      this.#sectionHeader(options)
      return
    }
    const body = new Uint8Array(12)
    setTime(new DataView(body.buffer), 4, this.#notedMicros)
    this.#block(BLOCK_INTERFACE_STATISTICS, body, options)
  }

  #sectionHeader(options: readonly Option[]): void {
    const body = new Uint8Array(16)
    const view = new DataView(body.buffer)
    view.setUint32(0, BYTE_ORDER_MAGIC, true)
    view.setUint16(4, 1, true)
    // Section length unknown: -1.
    view.setInt32(8, -1, true)
    view.setInt32(12, -1, true)
    this.#block(BLOCK_SECTION_HEADER, body, options)
  }

  #noteSpans(context: NetworkContext): void {
    const up = new Set<string>()
    for (const { link, role, addresses } of context.interfaces) {
      if (link.up && link.carrier && (role !== 'tunnel' || addresses.length > 0)) up.add(link.name)
    }
    for (const [name, span] of this.#spans) {
      if (up.has(name)) delete span.endMicros
      else span.endMicros ??= context.timeMicros
    }
    for (const name of up) if (!this.#spans.has(name)) this.#spans.set(name, { startMicros: context.timeMicros })
  }

  /** Interface blocks for those that have none. */
  #describe(interfaces: readonly CaptureInterface[], nowMicros: number): void {
    for (let id = this.#written.length; id < interfaces.length; id++) {
      const { linkType, snapLen, name, description } = interfaces[id]!
      const body = new Uint8Array(8)
      const view = new DataView(body.buffer)
      view.setUint16(0, linkType, true)
      view.setUint32(4, snapLen, true)
      const options: Option[] = [[IF_TSRESOL, Uint8Array.of(MICROSECONDS)]]
      if (name !== undefined) options.push([IF_NAME, text.encode(name)])
      if (description !== undefined) options.push([IF_DESCRIPTION, text.encode(description)])
      // Code 0 of if_filter: libpcap's language.
      if (this.#options.filter !== undefined) options.push([IF_FILTER, text.encode(`\0${this.#options.filter}`)])
      this.#block(BLOCK_INTERFACE_DESCRIPTION, body, options)
      this.#written.push({ packets: 0, firstMicros: nowMicros })
    }
  }

  #packet(batch: PacketBatch, row: number, id: number): void {
    const capturedLen = batch.capturedLen[row]!
    const paddedLen = (capturedLen + 3) & ~3
    let commentLen = 0
    for (let i = 0; i < this.#comments.length; i++) commentLen += 4 + ((this.#comments[i]!.length + 3) & ~3)
    const blockLen = EPB_FIXED_LEN + paddedLen + commentLen
    this.#reserve(blockLen)
    const view = this.#view
    let at = this.#at
    view.setUint32(at, BLOCK_ENHANCED_PACKET, true)
    view.setUint32(at + 4, blockLen, true)
    view.setUint32(at + 8, id, true)
    setTime(view, at + 12, batch.timeMicros[row]!)
    view.setUint32(at + 20, capturedLen, true)
    view.setUint32(at + 24, batch.wireLen[row]!, true)
    at += 28
    const startAt = batch.startAt[row]!
    this.#chunk.set(batch.bytes.subarray(startAt, startAt + capturedLen), at)
    this.#chunk.fill(0, at + capturedLen, at + paddedLen)
    at += paddedLen
    view.setUint16(at, EPB_FLAGS, true)
    view.setUint16(at + 2, 4, true)
    const direction = batch.direction[row]!
    const flags = direction === DIRECTION_OUT ? EPB_FLAG_OUTBOUND : direction === DIRECTION_IN ? EPB_FLAG_INBOUND : 0
    view.setUint32(at + 4, flags, true)
    at += 8
    if (commentLen > 0) {
      for (const comment of this.#comments) at += this.#option(at, OPTION_COMMENT, comment)
      this.#comments = []
    }
    view.setUint32(at, OPTION_END, true)
    view.setUint32(at + 4, blockLen, true)
    this.#at = at + 8
  }

  #block(type: number, body: Uint8Array, options: readonly Option[]): void {
    let len = 12 + body.length + 4
    for (const [, value] of options) len += 4 + ((value.length + 3) & ~3)
    this.#reserve(len)
    const view = this.#view
    let at = this.#at
    view.setUint32(at, type, true)
    view.setUint32(at + 4, len, true)
    this.#chunk.set(body, at + 8)
    at += 8 + body.length
    for (const [code, value] of options) at += this.#option(at, code, value)
    view.setUint32(at, OPTION_END, true)
    view.setUint32(at + 4, len, true)
    this.#at = at + 8
  }

  #option(at: number, code: number, value: Uint8Array): number {
    const paddedLen = (value.length + 3) & ~3
    this.#view.setUint16(at, code, true)
    this.#view.setUint16(at + 2, value.length, true)
    this.#chunk.set(value, at + 4)
    this.#chunk.fill(0, at + 4 + value.length, at + 4 + paddedLen)
    return 4 + paddedLen
  }

  /** Room for one block; the longest is a packet of MAX_PACKET_LEN with a comment. */
  #reserve(len: number): void {
    if (this.#at + len > CHUNK_LEN) this.flush()
  }

  #try<T>(action: () => T): T {
    try {
      return action()
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      if (code === 'ENOSPC' || code === 'EDQUOT') {
        throw new OperatorError('disk-full', `${this.#name}: the disk is full; the capture up to here can be read`)
      }
      if (code === 'EPIPE') throw new OperatorError('reader-gone', `${this.#name}: nobody reads it any more`)
      throw new OperatorError('write-file', `${this.#name} cannot be written: ${code === 'EAGAIN' ? STALLED : message}`)
    }
  }
}

type Option = [code: number, value: Uint8Array]

/** A text as a comment, cut where an option ends. */
function commentOf(comment: string): Uint8Array {
  return text.encode(comment).subarray(0, MAX_COMMENT_LEN)
}

/** The context as a comment; routes go first when it is too long for one. */
export function contextComment(context: NetworkContext): Uint8Array {
  const whole = text.encode(CONTEXT_COMMENT + JSON.stringify(context))
  if (whole.length <= MAX_COMMENT_LEN) return whole
  const short: NetworkContext = { ...context, routes: [], routesCut: true, changes: context.changes.slice(0, 20) }
  const cut = text.encode(CONTEXT_COMMENT + JSON.stringify(short))
  if (cut.length <= MAX_COMMENT_LEN) return cut
  return text.encode('the network context was too long to be noted here')
}

/** pcapng writes the upper 32 bits first. */
function setTime(view: DataView, at: number, micros: number): void {
  view.setUint32(at, Math.floor(micros / 0x1_0000_0000), true)
  view.setUint32(at + 4, micros % 0x1_0000_0000, true)
}

function timeOption(micros: number): Uint8Array {
  const value = new Uint8Array(8)
  setTime(new DataView(value.buffer), 0, micros)
  return value
}

function countOption(count: number): Uint8Array {
  const value = new Uint8Array(8)
  const view = new DataView(value.buffer)
  view.setUint32(0, count % 0x1_0000_0000, true)
  view.setUint32(4, Math.floor(count / 0x1_0000_0000), true)
  return value
}
