// One HTTP/2 connection, in the clear or out of TLS, both directions, to requests, responses and their pairs (RFC 9113). Header blocks
// are read, bodies are counted, everything else is skipped.
import { u16 } from '../../decoders/cursor.ts'
import { HpackReader } from '../../decoders/hpack.ts'
import type { ConnectionFact } from '../../model/connection-facts.ts'
import type { HttpFact } from '../../model/protocol-facts.ts'
import type { HttpSink } from './http-exchanges.ts'
import { MAX_WAITING_LEN, textLen } from './http-message.ts'
import { connectionOf, type StreamConsumer } from './stream-consumer.ts'

const PREFACE_LEN = 24
/** First byte of the preface; no frame of a sane length begins with it. */
const PREFACE_START = 0x50
const FRAME_HEADER_LEN = 9
const FRAME_TYPE_AT = 3
const FRAME_FLAGS_AT = 4
const FRAME_STREAM_AT = 5
const FRAME_DATA = 0
const FRAME_HEADERS = 1
const FRAME_RST_STREAM = 3
const FRAME_PUSH_PROMISE = 5
const FRAME_CONTINUATION = 9
const FLAG_END_STREAM = 0x01
const FLAG_END_HEADERS = 0x04
const FLAG_PADDED = 0x08
const FLAG_PRIORITY = 0x20
const PRIORITY_LEN = 5
const PROMISED_STREAM_LEN = 4
/** Servers refuse longer header blocks. */
const MAX_BLOCK_LEN = 64 * 1024
/** Streams in one connection at once; browsers and servers agree on a hundred. */
const MAX_OPEN_STREAMS = 256
const NO_BYTES = new Uint8Array(0)

interface Direction {
  /** Bytes of the preface that are still to come. */
  prefaceLeft: number
  header: Uint8Array
  headerLen: number
  /** Bytes of the current frame that are still to come. */
  left: number
  /** The header block being collected. */
  block: Uint8Array
  blockLen: number
  /** The block is the last of its side of the stream. */
  endsStream: boolean
  hpack: HpackReader
}

interface Exchange {
  request: HttpFact | undefined
  response: HttpFact | undefined
  /** Characters of their texts. */
  textLen: number
}

function createDirection(): Direction {
  return {
    prefaceLeft: 0,
    header: new Uint8Array(FRAME_HEADER_LEN),
    headerLen: 0,
    left: 0,
    block: NO_BYTES,
    blockLen: 0,
    endsStream: false,
    hpack: new HpackReader(),
  }
}

/** Consumes all bytes. Missing bytes end the reading: frames cannot be found again, nor can HPACK's table. */
export class Http2Exchanges implements StreamConsumer {
  done = false
  readonly unwrapped = false
  readonly #sink: HttpSink
  readonly #client = createDirection()
  readonly #server = createDirection()
  readonly #open = new Map<number, Exchange>()
  #openLen = 0
  /** Client and server were guessed the wrong way round; the preface tells. */
  #swapped = false
  #where: ConnectionFact | undefined
  /** A byte of the flow's client was read. */
  #clientBegan = false
  #serverBegan = false
  #told = false

  /** `isNamed`: it is known to be HTTP/2 (ALPN) and need not be told when nothing was asked. */
  constructor(sink: HttpSink, isNamed = false) {
    this.#sink = sink
    this.#told = isNamed
  }

  push(fromClient: boolean, bytes: Uint8Array, at: number, endAt: number, where: ConnectionFact): number {
    const startAt = at
    const began = fromClient ? this.#clientBegan : this.#serverBegan
    if (!began && bytes[at] === PREFACE_START) {
      this.#swapped = !fromClient
      this.#client.prefaceLeft = PREFACE_LEN
    }
    if (fromClient) this.#clientBegan = true
    else this.#serverBegan = true
    this.#where = connectionOf(where, this.#swapped)
    const isRequest = fromClient !== this.#swapped
    const direction = isRequest ? this.#client : this.#server
    while (at < endAt && !this.done) at = this.#step(isRequest, direction, bytes, at, endAt)
    return this.done ? endAt - startAt : at - startAt
  }

  gap(fromClient: boolean, gapLen: number): void {
    const isRequest = fromClient !== this.#swapped
    const direction = isRequest ? this.#client : this.#server
    const isInFrame = direction.headerLen === FRAME_HEADER_LEN && gapLen <= direction.left
    if (!isInFrame || isBlock(direction.header)) {
      // Nothing more is read of either side.
      for (const { request } of this.#open.values()) if (request !== undefined) request.answerLost = true
      this.end(true)
      return
    }
    // A hole within what is skipped anyway does no harm.
    direction.left -= gapLen
    if (direction.left === 0) this.#endFrame(isRequest, direction)
  }

  end(open = false): void {
    if (this.done) return
    this.done = true
    const where = this.#where
    for (const exchange of this.#open.values()) {
      if (exchange.response !== undefined && open) exchange.response.partial = 'lost'
      this.#tell(exchange.request, exchange.response)
    }
    this.#open.clear()
    if (this.#told || where === undefined) return
    // Nothing could be read of it, but this is what it was.
    const request: HttpFact = { ...where, kind: 'request', headMicros: where.timeMicros, protocol: 'HTTP/2' }
    this.#sink.http?.(request)
    this.#sink.httpExchange?.(request, undefined)
  }

  #step(isRequest: boolean, direction: Direction, bytes: Uint8Array, at: number, endAt: number): number {
    if (direction.prefaceLeft > 0) {
      const partLen = Math.min(direction.prefaceLeft, endAt - at)
      direction.prefaceLeft -= partLen
      return at + partLen
    }
    if (direction.headerLen < FRAME_HEADER_LEN) {
      direction.header[direction.headerLen++] = bytes[at]!
      if (direction.headerLen === FRAME_HEADER_LEN) this.#startFrame(isRequest, direction)
      return at + 1
    }
    const partLen = Math.min(direction.left, endAt - at)
    this.#collect(direction, bytes, at, at + partLen)
    direction.left -= partLen
    if (direction.left === 0) this.#endFrame(isRequest, direction)
    return at + partLen
  }

  #startFrame(isRequest: boolean, direction: Direction): void {
    const { header } = direction
    direction.left = (header[0]! << 16) | u16(header, 1)
    const isContinued = header[FRAME_TYPE_AT] === FRAME_CONTINUATION
    if (!isContinued) direction.blockLen = 0
    if (isBlock(header) && direction.blockLen + direction.left > MAX_BLOCK_LEN) this.end()
    else if (direction.left === 0) this.#endFrame(isRequest, direction)
  }

  #collect(direction: Direction, bytes: Uint8Array, at: number, endAt: number): void {
    if (!isBlock(direction.header)) return
    const wantedLen = direction.blockLen + endAt - at
    if (wantedLen > direction.block.length) {
      const larger = new Uint8Array(Math.max(wantedLen, direction.block.length * 2, 1024))
      larger.set(direction.block.subarray(0, direction.blockLen))
      direction.block = larger
    }
    direction.block.set(bytes.subarray(at, endAt), direction.blockLen)
    direction.blockLen = wantedLen
  }

  #endFrame(isRequest: boolean, direction: Direction): void {
    const { header } = direction
    direction.headerLen = 0
    const type = header[FRAME_TYPE_AT]!
    const flags = header[FRAME_FLAGS_AT]!
    const streamId = ((header[FRAME_STREAM_AT]! & 0x7f) << 24) | (header[6]! << 16) | u16(header, 7)
    if (type === FRAME_DATA) {
      const exchange = this.#open.get(streamId)
      const message = isRequest ? exchange?.request : exchange?.response
      if (message !== undefined) message.bodyLen! += (header[0]! << 16) | u16(header, 1)
      if ((flags & FLAG_END_STREAM) !== 0) this.#endStream(isRequest, streamId)
      return
    }
    if (type === FRAME_RST_STREAM) {
      this.#tellStream(streamId)
      return
    }
    if (!isBlock(header)) return
    if (type !== FRAME_CONTINUATION) {
      trimBlock(direction, type, flags)
      direction.endsStream = type === FRAME_HEADERS && (flags & FLAG_END_STREAM) !== 0
    }
    if ((flags & FLAG_END_HEADERS) === 0) return
    this.#headers(isRequest, direction, type === FRAME_PUSH_PROMISE ? 0 : streamId)
    if (direction.endsStream && !this.done) this.#endStream(isRequest, streamId)
  }

  /** A whole header block; stream 0: only read for what it does to the table. */
  #headers(isRequest: boolean, direction: Direction, streamId: number): void {
    const where = this.#where!
    const fact: HttpFact = { ...where, kind: 'request', headMicros: where.timeMicros, protocol: 'HTTP/2', bodyLen: 0 }
    const block = direction.block.slice(0, direction.blockLen)
    direction.blockLen = 0
    if (!direction.hpack.read(block, 0, block.length, (name, value) => setField(fact, name, value))) {
      this.end(true)
      return
    }
    if (streamId === 0) return
    const exchange = this.#open.get(streamId) ?? this.#openStream(streamId)
    if (isRequest) {
      if (fact.method === undefined || exchange.request !== undefined) return
      exchange.request = fact
    } else {
      if (fact.status === undefined) return
      fact.kind = 'response'
      if (exchange.request?.method !== undefined) fact.requestMethod = exchange.request.method
      const isInterim = fact.status >= 100 && fact.status < 200
      if (isInterim) this.#tell(undefined, fact)
      if (isInterim || exchange.response !== undefined) return
      exchange.response = fact
    }
    this.#hold(exchange, textLen(fact))
  }

  #openStream(streamId: number): Exchange {
    if (this.#open.size === MAX_OPEN_STREAMS) this.#tellOldest()
    const exchange: Exchange = { request: undefined, response: undefined, textLen: 0 }
    this.#open.set(streamId, exchange)
    return exchange
  }

  /** The response's end is the exchange's; a request may end before or after it. */
  #endStream(isRequest: boolean, streamId: number): void {
    if (!isRequest) this.#tellStream(streamId)
  }

  /** The longest open make room. */
  #hold(exchange: Exchange, len: number): void {
    exchange.textLen += len
    this.#openLen += len
    while (this.#openLen > MAX_WAITING_LEN && this.#open.size > 1) this.#tellOldest()
  }

  #tellOldest(): void {
    for (const streamId of this.#open.keys()) {
      this.#tellStream(streamId)
      return
    }
  }

  #tellStream(streamId: number): void {
    const exchange = this.#open.get(streamId)
    if (exchange === undefined) return
    this.#open.delete(streamId)
    this.#openLen -= exchange.textLen
    this.#tell(exchange.request, exchange.response)
  }

  #tell(request: HttpFact | undefined, response: HttpFact | undefined): void {
    if (request === undefined && response === undefined) return
    this.#told = true
    const { timeMicros, frameNumber } = this.#where!
    if (response !== undefined) {
      response.timeMicros = timeMicros
      response.frameNumber = frameNumber
    }
    if (request !== undefined) this.#sink.http?.(request)
    if (response !== undefined) this.#sink.http?.(response)
    this.#sink.httpExchange?.(request, response)
  }
}

function isBlock(header: Uint8Array): boolean {
  const type = header[FRAME_TYPE_AT]
  return type === FRAME_HEADERS || type === FRAME_PUSH_PROMISE || type === FRAME_CONTINUATION
}

/** RFC 9113 6.2, 6.6: takes away padding, priority and the promised stream's number. */
function trimBlock(direction: Direction, type: number, flags: number): void {
  const { block } = direction
  let at = 0
  let endAt = direction.blockLen
  if ((flags & FLAG_PADDED) !== 0) endAt -= block[at++] ?? 0
  if (type === FRAME_PUSH_PROMISE) at += PROMISED_STREAM_LEN
  else if ((flags & FLAG_PRIORITY) !== 0) at += PRIORITY_LEN
  direction.blockLen = Math.max(0, endAt - at)
  block.copyWithin(0, at, at + direction.blockLen)
}

function setField(fact: HttpFact, name: string, value: string): void {
  switch (name) {
    case ':method':
      fact.method = value
      break
    case ':path':
      fact.url = value
      break
    case ':authority':
      fact.host = value
      break
    case ':status':
      if (/^\d{3}$/.test(value)) fact.status = Number(value)
      break
    case 'user-agent':
      fact.userAgent = value
      break
    case 'server':
      fact.server = value
      break
    case 'via':
      fact.via = value
      break
    case 'proxy-status':
      fact.proxyStatus = value
      break
    case 'cf-ray':
      fact.cfRay = value
      break
    case 'x-cache':
      fact.xCache = value
      break
    case 'content-type':
      fact.contentType = value
      break
    case 'location':
      fact.location = value
      break
  }
}
