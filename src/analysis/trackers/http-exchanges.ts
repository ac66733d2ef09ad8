// One HTTP/1.x connection, both directions, from its in-order bytes to requests, responses and their pairs (RFC 9112).
// Heads are read, bodies are counted. Where bytes are missing it goes on at the next plausible message.
import {
  HTTP_START_MORE,
  HTTP_START_NO,
  HTTP_START_REQUEST,
  HTTP_START_RESPONSE,
  type HttpHead,
  httpHeadEnd,
  httpStart,
  readHttpHead,
} from '../../decoders/http.ts'
import { TLS_START_RECORD, tlsStart } from '../../decoders/tls.ts'
import type { ConnectionFact, HttpFact } from '../../model/facts.ts'
import { connectionOf, type StreamConsumer } from './stream-consumer.ts'

/** What the tracker tells. */
export interface HttpSink {
  http?(message: HttpFact): void
  httpExchange?(request: HttpFact | undefined, response: HttpFact | undefined): void
}

/** Apache and nginx refuse heads above 8-32 KiB; a connection with a longer one is given up. */
const MAX_HEAD_LEN = 64 * 1024
const FIRST_BUFFER_LEN = 1024
/** Requests that wait for their responses; browsers pipeline fewer than ten. */
const MAX_WAITING_REQUESTS = 256
/** Bytes that may wait for the answer to CONNECT or Upgrade before the connection is taken as switched. */
const MAX_HELD_LEN = 16 * 1024
/** Bytes of line end that httpHeadEnd may need to see again. */
const HEAD_END_LEN = 3

const EMPTY = new Uint8Array(0)
const LF = 0x0a
const CR = 0x0d

/** What the next byte of a direction belongs to. */
const IN_HEAD = 0
const IN_COUNTED_BODY = 1
const IN_BODY_UNTIL_CLOSE = 2
const IN_CHUNK_SIZE = 3
const IN_CHUNK_EXTENSION = 4
const IN_CHUNK = 5
const AFTER_CHUNK = 6
const IN_TRAILERS = 7
/** Bytes are missing or make no sense: the next plausible start is looked for. */
const LOST = 8
/** After CONNECT or Upgrade, before the answer. */
const HELD = 9

interface Direction {
  state: number
  head: Uint8Array
  headLen: number
  /** How far the head has been searched for its end. */
  scannedLen: number
  /** The first line of the head has been read and is one. */
  firstLine: boolean
  /** Bytes to come of a counted body or chunk; while a chunk size is read, that size. */
  left: number
  /** Digits of a chunk size, or bytes of the current trailer line. */
  lineLen: number
  trailerLen: number
  message: HttpFact | undefined
  /** While LOST: length of the line so far. */
  lostLineLen: number
  /** The head was found by looking for it: only a known method makes it one. */
  resumed: boolean
}

function createDirection(): Direction {
  return {
    state: IN_HEAD,
    head: EMPTY,
    headLen: 0,
    scannedLen: 0,
    firstLine: false,
    left: 0,
    lineLen: 0,
    trailerLen: 0,
    message: undefined,
    lostLineLen: 0,
    resumed: false,
  }
}

/** Consumes everything but what may belong to another protocol: see StreamConsumer. */
export class HttpExchanges implements StreamConsumer {
  done = false
  unwrapped = false
  readonly #sink: HttpSink
  readonly #client = createDirection()
  readonly #server = createDirection()
  /** Requests without their response yet, oldest first. */
  readonly #waiting: HttpFact[] = []
  /** Client and server were guessed the wrong way round; known from the first head. */
  #swapped = false
  /** Set while the head that is being read is not whole. */
  #partial: HttpFact['partial']
  /** Copy of the last `where` that left a message unfinished. */
  #where: ConnectionFact | undefined

  constructor(sink: HttpSink) {
    this.#sink = sink
  }

  push(fromClient: boolean, bytes: Uint8Array, at: number, endAt: number, where: ConnectionFact): number {
    const direction = fromClient ? this.#client : this.#server
    const startAt = at
    if (direction.state === LOST) {
      at = this.#resume(direction, bytes, at, endAt)
      if (direction.state === IN_HEAD && fromClient === this.#swapped) this.#dropUnanswered()
    }
    if (direction.state === IN_BODY_UNTIL_CLOSE) this.#nextAfterUnbounded(direction, bytes, at, endAt, where)
    while (at < endAt && !this.done) {
      if (direction.state === HELD && !this.#release(direction, bytes, at, endAt)) break
      at = this.#step(fromClient, direction, bytes, at, endAt, where)
    }
    if (direction.message !== undefined || direction.headLen > 0) this.#remember(where)
    return at - startAt
  }

  gap(fromClient: boolean, gapLen: number, cut = false): void {
    const direction = fromClient ? this.#client : this.#server
    const { state } = direction
    if (state === LOST || state === IN_BODY_UNTIL_CLOSE || state === HELD) return
    const counted = state === IN_COUNTED_BODY || state === IN_CHUNK
    const partial = cut ? 'cut' : 'lost'
    if (counted && gapLen < direction.left) {
      direction.left -= gapLen
      direction.message!.partial = partial
      return
    }
    const exact = state === IN_COUNTED_BODY && gapLen === direction.left
    this.#flush(direction, fromClient, partial)
    direction.state = exact ? IN_HEAD : LOST
    direction.lostLineLen = 0
  }

  end(open = false): void {
    if (this.done) return
    this.done = true
    this.#flush(this.#client, true, open || this.#client.state !== IN_BODY_UNTIL_CLOSE ? 'lost' : undefined)
    this.#flush(this.#server, false, open || this.#server.state !== IN_BODY_UNTIL_CLOSE ? 'lost' : undefined)
    for (const request of this.#waiting) this.#sink.httpExchange?.(request, undefined)
    this.#waiting.length = 0
  }

  /** Reads one element of the direction's state; returns where the next one begins. */
  #step(
    fromClient: boolean,
    direction: Direction,
    bytes: Uint8Array,
    at: number,
    endAt: number,
    where: ConnectionFact,
  ): number {
    switch (direction.state) {
      case IN_HEAD:
        return this.#readHead(fromClient, direction, bytes, at, endAt, where)
      case IN_COUNTED_BODY:
      case IN_CHUNK: {
        const bodyLen = Math.min(direction.left, endAt - at)
        direction.left -= bodyLen
        direction.message!.bodyLen! += bodyLen
        if (direction.left === 0) {
          if (direction.state === IN_CHUNK) direction.state = AFTER_CHUNK
          else this.#complete(direction, where)
        }
        return at + bodyLen
      }
      case IN_BODY_UNTIL_CLOSE:
        direction.message!.bodyLen! += endAt - at
        return endAt
      case LOST:
        return endAt
      default:
        return this.#chunkByte(direction, bytes[at]!, where) ? at + 1 : at
    }
  }

  /** The framing around chunks, RFC 9112 7.1. Returns false when the byte makes no sense: reading is lost there. */
  #chunkByte(direction: Direction, byte: number, where: ConnectionFact): boolean {
    switch (direction.state) {
      case IN_CHUNK_SIZE: {
        const digit = hexDigit(byte)
        if (digit >= 0) {
          direction.left = direction.left * 16 + digit
          direction.lineLen++
          return direction.left <= Number.MAX_SAFE_INTEGER || this.#lose(direction, where)
        }
        if (direction.lineLen === 0) return this.#lose(direction, where)
        direction.state = IN_CHUNK_EXTENSION
        return false
      }
      case IN_CHUNK_EXTENSION:
        if (++direction.trailerLen > MAX_HEAD_LEN) return this.#lose(direction, where)
        if (byte !== LF) return true
        direction.state = direction.left > 0 ? IN_CHUNK : IN_TRAILERS
        direction.lineLen = 0
        direction.trailerLen = 0
        return true
      case AFTER_CHUNK:
        if (byte === CR) return true
        if (byte !== LF) return this.#lose(direction, where)
        direction.state = IN_CHUNK_SIZE
        direction.lineLen = 0
        return true
      default:
        if (byte === LF && direction.lineLen === 0) this.#complete(direction, where)
        else if (byte === LF) direction.lineLen = 0
        else if (byte !== CR) direction.lineLen++
        return ++direction.trailerLen <= MAX_HEAD_LEN || this.#lose(direction, where)
    }
  }

  /** Ends the message with what was seen of it and looks for another; always false. */
  #lose(direction: Direction, where: ConnectionFact): false {
    this.#complete(direction, where)
    direction.state = LOST
    direction.lostLineLen = 0
    return false
  }

  #readHead(
    fromClient: boolean,
    direction: Direction,
    bytes: Uint8Array,
    at: number,
    endAt: number,
    where: ConnectionFact,
  ): number {
    if (direction.headLen === 0) {
      // RFC 9112 2.2: empty lines between messages mean nothing.
      while (at < endAt && (bytes[at] === CR || bytes[at] === LF)) at++
      if (at === endAt) return endAt
      const headEndAt = httpHeadEnd(bytes, at, at, endAt)
      if (headEndAt >= 0) return this.#head(fromClient, direction, bytes, at, headEndAt, where) ? headEndAt : endAt
    }
    const headLenBefore = direction.headLen
    collect(direction, bytes, at, Math.min(endAt, at + MAX_HEAD_LEN - headLenBefore))
    const headEndAt = httpHeadEnd(direction.head, 0, direction.scannedLen, direction.headLen)
    if (headEndAt >= 0) {
      const { head } = direction
      dropHead(direction)
      const used = this.#head(fromClient, direction, head, 0, headEndAt, where)
      return used ? at + headEndAt - headLenBefore : endAt
    }
    direction.scannedLen = Math.max(0, direction.headLen - HEAD_END_LEN)
    if (!direction.firstLine && !isFirstLinePossible(direction)) {
      dropHead(direction)
      direction.state = LOST
      direction.lostLineLen = 0
    } else if (direction.headLen >= MAX_HEAD_LEN) {
      this.end()
    }
    return endAt
  }

  /** A whole head in [at, endAt). False when it is none: the direction is lost. */
  #head(
    fromClient: boolean,
    direction: Direction,
    bytes: Uint8Array,
    at: number,
    endAt: number,
    where: ConnectionFact,
  ): boolean {
    const head = endAt - at > MAX_HEAD_LEN ? undefined : readHttpHead(bytes, at, endAt)
    if (head === undefined) {
      direction.state = LOST
      direction.lostLineLen = 0
      return false
    }
    this.#swapped = (head.kind === 'request') !== fromClient
    const message = createMessage(head, connectionOf(where, this.#swapped))
    if (this.#partial !== undefined) message.partial = this.#partial
    direction.message = message
    direction.resumed = false
    if (head.method === 'PRI' && head.protocol === 'HTTP/2.0') {
      this.#http2(message)
      return true
    }
    if (head.kind === 'request') this.#requestBody(direction, head, message, where)
    else this.#responseBody(direction, head, message, where)
    return true
  }

  /** RFC 9113 3.4: the preface of a client that speaks HTTP/2 without asking. Named once, then opaque. */
  #http2(preface: HttpFact): void {
    preface.protocol = 'HTTP/2'
    delete preface.method
    delete preface.url
    this.#client.message = undefined
    this.#server.message = undefined
    this.#sink.http?.(preface)
    this.#waiting.push(preface)
    this.end()
  }

  /** RFC 9112 6.3 for requests. */
  #requestBody(direction: Direction, head: HttpHead, message: HttpFact, where: ConnectionFact): void {
    if (this.#waiting.length >= MAX_WAITING_REQUESTS) this.#sink.httpExchange?.(this.#waiting.shift(), undefined)
    this.#waiting.push(message)
    if (isChunked(head)) startChunks(direction)
    else startCounted(direction, contentLength(head))
    if (direction.left === 0 && direction.state === IN_COUNTED_BODY) this.#complete(direction, where)
    if (head.method === 'CONNECT' || head.fields.has('upgrade')) {
      direction.state = direction.state === IN_HEAD ? HELD : direction.state
    }
  }

  /** RFC 9112 6.3 for responses. */
  #responseBody(direction: Direction, head: HttpHead, message: HttpFact, where: ConnectionFact): void {
    const { status } = head
    const interim = status >= 100 && status < 200 && status !== 101
    const request = interim ? undefined : this.#waiting[0]
    if (request?.method !== undefined) message.requestMethod = request.method
    const tunnel = status === 101 || (request?.method === 'CONNECT' && status >= 200 && status < 300)
    if (tunnel || interim || status === 204 || status === 304 || request?.method === 'HEAD') {
      startCounted(direction, 0)
    } else if (isChunked(head)) {
      startChunks(direction)
    } else if (contentLength(head) >= 0) {
      startCounted(direction, contentLength(head))
    } else {
      direction.state = IN_BODY_UNTIL_CLOSE
    }
    if (direction.state === IN_COUNTED_BODY && direction.left <= 0) this.#complete(direction, where)
    if (tunnel) this.#unwrap()
  }

  /** The message of the direction has ended in this frame. */
  #complete(direction: Direction, where: ConnectionFact): void {
    const { message } = direction
    direction.message = undefined
    direction.state = IN_HEAD
    if (message === undefined) return
    message.timeMicros = where.timeMicros
    message.frameNumber = where.frameNumber
    this.#sink.http?.(message)
    if (message.kind === 'request') return
    const interim = message.status! < 200 && message.status !== 101
    const request = interim ? undefined : this.#waiting.shift()
    this.#sink.httpExchange?.(request, message)
  }

  /**
   * Client bytes behind CONNECT or Upgrade: another request goes on, TLS proves the switch, anything else waits for the
   * answer. False while it waits or when the connection has switched.
   */
  #release(direction: Direction, bytes: Uint8Array, at: number, endAt: number): boolean {
    if (this.#waiting.length === 0 || httpStart(bytes, at, endAt) === HTTP_START_REQUEST) {
      direction.state = IN_HEAD
      return true
    }
    if (tlsStart(bytes, at, endAt) === TLS_START_RECORD || endAt - at > MAX_HELD_LEN) this.#unwrap()
    return false
  }

  /** Another protocol follows; requests that still wait will not be answered here. */
  #unwrap(): void {
    this.end()
    this.unwrapped = true
  }

  #remember(where: ConnectionFact): void {
    if (this.#where === undefined) {
      this.#where = connectionOf(where, false)
    } else {
      this.#where.timeMicros = where.timeMicros
      this.#where.frameNumber = where.frameNumber
    }
  }

  /**
   * Responses were lost: one that is found again answers the last request, for clients that wait for each answer, as all
   * but a few do. The requests before it stay unanswered.
   */
  #dropUnanswered(): void {
    while (this.#waiting.length > 1) this.#sink.httpExchange?.(this.#waiting.shift(), undefined)
  }

  /** A response without a length ends at the close. A server that answers the next request first has ended it before. */
  #nextAfterUnbounded(direction: Direction, bytes: Uint8Array, at: number, endAt: number, where: ConnectionFact): void {
    const another = this.#waiting.length > 1 || this.#waiting.length === 0
    if (another && httpStart(bytes, at, endAt) === HTTP_START_RESPONSE) this.#complete(direction, where)
  }

  /** Looks for a message at the start of what was pushed and after each empty line. */
  #resume(direction: Direction, bytes: Uint8Array, at: number, endAt: number): number {
    if (isMessageStart(bytes, at, endAt)) {
      direction.state = IN_HEAD
      direction.resumed = true
      return at
    }
    for (let i = at; i < endAt; i++) {
      const byte = bytes[i]!
      if (byte === LF) {
        if (direction.lostLineLen === 0 && isMessageStart(bytes, i + 1, endAt)) {
          direction.state = IN_HEAD
          direction.resumed = true
          return i + 1
        }
        direction.lostLineLen = 0
      } else if (byte !== CR) {
        direction.lostLineLen++
      }
    }
    return endAt
  }

  /** Tells what an unfinished message showed so far. */
  #flush(direction: Direction, fromClient: boolean, partial: HttpFact['partial']): void {
    const where = this.#where
    if (where === undefined) return
    if (direction.headLen > 0 && direction.state === IN_HEAD) {
      const { head, headLen } = direction
      dropHead(direction)
      const start = httpStart(head, 0, headLen)
      this.#partial = partial
      if (start !== HTTP_START_NO) this.#head(fromClient, direction, head, 0, headLen, where)
      this.#partial = undefined
    }
    if (direction.message !== undefined) {
      if (partial !== undefined) direction.message.partial = partial
      this.#complete(direction, where)
    }
  }
}

function createMessage(head: HttpHead, connection: ConnectionFact): HttpFact {
  const { fields } = head
  const message: HttpFact = { ...connection, kind: head.kind, headMicros: connection.timeMicros, bodyLen: 0 }
  if (head.method !== undefined) message.method = head.method
  if (head.url !== undefined) message.url = head.url
  if (head.protocol !== undefined) message.protocol = head.protocol
  if (head.kind === 'response') message.status = head.status
  addFields(message, fields)
  return message
}

/** One statement a field: a message is made for every request, and names in variables cost more than all the rest. */
function addFields(message: HttpFact, fields: HttpHead['fields']): void {
  const host = fields.get('host')
  if (host !== undefined) message.host = host
  const userAgent = fields.get('user-agent')
  if (userAgent !== undefined) message.userAgent = userAgent
  const server = fields.get('server')
  if (server !== undefined) message.server = server
  const via = fields.get('via')
  if (via !== undefined) message.via = via
  const proxyStatus = fields.get('proxy-status')
  if (proxyStatus !== undefined) message.proxyStatus = proxyStatus
  const cfRay = fields.get('cf-ray')
  if (cfRay !== undefined) message.cfRay = cfRay
  const xCache = fields.get('x-cache')
  if (xCache !== undefined) message.xCache = xCache
  const contentType = fields.get('content-type')
  if (contentType !== undefined) message.contentType = contentType
  const location = fields.get('location')
  if (location !== undefined) message.location = location
}

function startCounted(direction: Direction, bodyLen: number): void {
  direction.state = IN_COUNTED_BODY
  direction.left = Math.max(0, bodyLen)
}

function startChunks(direction: Direction): void {
  direction.state = IN_CHUNK_SIZE
  direction.left = 0
  direction.lineLen = 0
  direction.trailerLen = 0
}

/** RFC 9112 6.1: chunked is the last coding; peers send it with surplus words. */
function isChunked(head: HttpHead): boolean {
  return /(?:^|[\s,;])chunked\s*$/i.test(head.fields.get('transfer-encoding') ?? '')
}

/** −1 when there is none that is a number. */
function contentLength(head: HttpHead): number {
  const match = /^\d{1,15}(?!\d)/.exec(head.fields.get('content-length') ?? '')
  return match === null ? -1 : Number(match[0])
}

function isMessageStart(bytes: Uint8Array, at: number, endAt: number): boolean {
  if (at >= endAt) return false
  const start = httpStart(bytes, at, endAt)
  return start === HTTP_START_REQUEST || start === HTTP_START_RESPONSE || start === HTTP_START_MORE
}

/** Whether what has been collected can still become a head; notes when its first line is whole and good. */
function isFirstLinePossible(direction: Direction): boolean {
  const { head, headLen } = direction
  if (direction.resumed && httpStart(head, 0, headLen) === HTTP_START_NO) return false
  for (let i = 0; i < headLen; i++) {
    const byte = head[i]!
    if (byte === LF) {
      direction.firstLine = readHttpHead(head, 0, i) !== undefined
      return direction.firstLine
    }
    if (byte < 0x20 && byte !== CR && byte !== 0x09) return false
  }
  return true
}

function dropHead(direction: Direction): void {
  direction.head = EMPTY
  direction.headLen = 0
  direction.scannedLen = 0
  direction.firstLine = false
}

function collect(direction: Direction, bytes: Uint8Array, at: number, endAt: number): void {
  const neededLen = direction.headLen + endAt - at
  if (neededLen > direction.head.length) {
    const larger = new Uint8Array(Math.max(neededLen, direction.head.length * 2, FIRST_BUFFER_LEN))
    larger.set(direction.head.subarray(0, direction.headLen))
    direction.head = larger
  }
  for (let i = at; i < endAt; i++) direction.head[direction.headLen++] = bytes[i]!
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}
