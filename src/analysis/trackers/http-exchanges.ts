// One HTTP/1.x connection, both directions, from its in-order bytes to requests, responses and their pairs (RFC 9112).
// Heads are read, bodies are counted. Where bytes are missing it goes on at the next plausible message.
import {
  HTTP_START_NO,
  HTTP_START_REQUEST,
  HTTP_START_RESPONSE,
  type HttpHead,
  httpHeadEnd,
  httpStart,
  readHttpHead,
} from '../../decoders/http.ts'
import { TLS_START_RECORD, tlsStart } from '../../decoders/tls.ts'
import type { ConnectionFact } from '../../model/connection-facts.ts'
import type { HttpFact } from '../../model/protocol-facts.ts'
import {
  AFTER_CHUNK,
  collect,
  createDirection,
  type Direction,
  dropHead,
  FRAMING_BROKEN,
  FRAMING_ENDS_BODY,
  FRAMING_TAKEN,
  HELD,
  IN_BODY_UNTIL_CLOSE,
  IN_CHUNK,
  IN_COUNTED_BODY,
  IN_HEAD,
  isFirstLinePossible,
  LOST,
  MAX_HEAD_LEN,
  readFraming,
  resume,
  startChunks,
  startCounted,
} from './http-direction.ts'
import { contentLength, createMessage, isChunked, MAX_WAITING_LEN, textLen } from './http-message.ts'
import { connectionOf, type StreamConsumer } from './stream-consumer.ts'

/** What the tracker tells. */
export interface HttpSink {
  http?(message: HttpFact): void
  httpExchange?(request: HttpFact | undefined, response: HttpFact | undefined): void
}

/** Requests that wait for their responses; browsers pipeline fewer than ten. */
const MAX_WAITING_REQUESTS = 256
/** Bytes that may wait for the answer to CONNECT or Upgrade before the connection is taken as switched. */
const MAX_HELD_LEN = 16 * 1024
/** Bytes of line end that httpHeadEnd may need to see again. */
const HEAD_END_LEN = 3

const LF = 0x0a
const CR = 0x0d

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
  /** Bytes of the server are missing. */
  #answersLost = false
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
      at = resume(direction, bytes, at, endAt)
      if (at < endAt && fromClient === this.#swapped) this.#dropUnanswered()
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
    if (fromClient === this.#swapped) this.#answersLost = true
    if (state === LOST || state === HELD) return
    const counted = state === IN_COUNTED_BODY || state === IN_CHUNK
    const partial = cut ? 'cut' : 'lost'
    if (state === IN_BODY_UNTIL_CLOSE) {
      direction.message!.partial = partial
      return
    }
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
    while (this.#waiting.length > 0) this.#tellOldest()
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
        return this.#frame(direction, bytes[at]!, where) ? at + 1 : at
    }
  }

  /** One byte of the framing around chunks; false when it was not taken. */
  #frame(direction: Direction, byte: number, where: ConnectionFact): boolean {
    const outcome = readFraming(direction, byte)
    if (outcome === FRAMING_ENDS_BODY) this.#complete(direction, where)
    if (outcome === FRAMING_BROKEN) this.#lose(direction, where)
    return outcome === FRAMING_TAKEN || outcome === FRAMING_ENDS_BODY
  }

  /** Ends the message with what was seen of it and looks for another. */
  #lose(direction: Direction, where: ConnectionFact): void {
    this.#complete(direction, where)
    direction.state = LOST
    direction.lostLineLen = 0
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
    const message = createMessage(head, where, this.#swapped)
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
    if (this.#waiting.length >= MAX_WAITING_REQUESTS) this.#tellOldest()
    this.#waiting.push(message)
    while (this.#waiting.length > 1 && this.#waitingLen() > MAX_WAITING_LEN) this.#tellOldest()
    if (isChunked(head)) startChunks(direction)
    else startCounted(direction, contentLength(head))
    if (direction.left === 0 && direction.state === IN_COUNTED_BODY) this.#complete(direction, where)
    if (head.method === 'CONNECT' || head.fields.has('upgrade')) {
      direction.state = direction.state === IN_HEAD ? HELD : direction.state
    }
  }

  #waitingLen(): number {
    return this.#waiting.reduce((sum, message) => sum + textLen(message), 0)
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
    while (this.#waiting.length > 1) this.#tellOldest()
  }

  /** The oldest request gets no answer any more. It is taken whether or not anybody listens. */
  #tellOldest(): void {
    const request = this.#waiting.shift()
    if (request !== undefined && this.#answersLost) request.answerLost = true
    this.#sink.httpExchange?.(request, undefined)
  }

  /** A response without a length ends at the close. A server that answers the next request first has ended it before. */
  #nextAfterUnbounded(direction: Direction, bytes: Uint8Array, at: number, endAt: number, where: ConnectionFact): void {
    const another = this.#waiting.length > 1 || this.#waiting.length === 0
    if (another && httpStart(bytes, at, endAt) === HTTP_START_RESPONSE) this.#complete(direction, where)
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
