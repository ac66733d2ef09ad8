// What a connection carries, both directions in order: finds who reads it, keeps what the reader leaves, and looks again
// where another protocol begins inside. The same for the bytes of TCP and for those that came out of TLS.
import { MAX_RECOGNITION_TRIES, MAX_STREAM_HELD_LEN, MAX_UNRECOGNISED_LEN } from '../../constants/limits.ts'
import type { ConnectionFact } from '../../model/connection-facts.ts'
import { isProxyHeader } from './prelude.ts'
import { recognise, type StreamConsumer, type StreamKind } from './stream-consumer.ts'

/** PROXY header, CONNECT, SOCKS, STARTTLS and TLS within each other in one segment are already more than one meets. */
const MAX_UNWRAPS = 8
const NO_BYTES = new Uint8Array(0)

/**
 * Makes the reader for content of that kind; undefined when nobody wants it. `whole`: the bytes it will be given begin
 * with the connection's first, so that framing need not be found.
 */
export type OpenConsumer = (kind: Exclude<StreamKind, 'more'>, whole: boolean) => StreamConsumer | undefined

/** Bytes of one direction that nobody took yet. */
interface Rest {
  bytes: Uint8Array
  len: number
}

export class StreamContent {
  /** Nothing of it is of interest any more. */
  done = false
  readonly #open: OpenConsumer
  #consumer: StreamConsumer | undefined
  /** Its beginning was captured and nothing is missing: what is not recognised now will never be. */
  #whole: boolean
  /** Pushes that nobody recognised. */
  #tries = 0
  /** Most connections never have any. */
  #clientRest: Rest | undefined
  #serverRest: Rest | undefined

  /** `kind`: what it is, where that is known without looking. */
  constructor(open: OpenConsumer, whole: boolean, kind?: Exclude<StreamKind, 'more'>) {
    this.#open = open
    this.#whole = whole
    if (kind !== undefined) this.#begin(kind)
  }

  /** Somebody reads it. */
  get isRecognised(): boolean {
    return this.#consumer !== undefined
  }

  /** `where` is the frame that delivered the last of [at, endAt). */
  push(fromClient: boolean, bytes: Uint8Array, at: number, endAt: number, where: ConnectionFact): void {
    if (this.done) return
    const rest = fromClient ? this.#clientRest : this.#serverRest
    if (rest !== undefined && rest.len > 0) {
      append(rest, bytes, at, endAt)
      bytes = rest.bytes
      at = 0
      endAt = rest.len
      rest.len = 0
    }
    for (let unwrapCount = 0; at < endAt; unwrapCount++) {
      if (this.#consumer === undefined && !this.#choose(fromClient, bytes, at, endAt, where)) return
      const consumer = this.#consumer
      if (consumer === undefined) return
      at += consumer.push(fromClient, bytes, at, endAt, where)
      if (!consumer.done) break
      this.#settle()
      // Readers that hand the same bytes to each other will not agree later either.
      if (unwrapCount === MAX_UNWRAPS) this.#finish()
      if (this.done) return
    }
    if (at < endAt) this.#keep(fromClient, bytes, at, endAt)
  }

  /** As StreamConsumer.gap. */
  gap(fromClient: boolean, gapLen: number, cut: boolean): void {
    this.#whole = false
    const rest = fromClient ? this.#clientRest : this.#serverRest
    if (rest !== undefined) rest.len = 0
    if (this.done) return
    this.#consumer?.gap(fromClient, gapLen, cut)
    this.#settle()
  }

  /** As StreamConsumer.end. */
  end(open = false): void {
    if (this.done) return
    this.#consumer?.end(open)
    this.#finish()
  }

  /** Finds the reader for what begins at `at`. False when there is none yet, or never will be. */
  #choose(fromClient: boolean, bytes: Uint8Array, at: number, endAt: number, where: ConnectionFact): boolean {
    const srcPort = fromClient ? where.clientPort : where.serverPort
    const dstPort = fromClient ? where.serverPort : where.clientPort
    const kind = recognise(bytes, at, endAt, fromClient, srcPort, dstPort)
    if (kind === 'more') {
      this.#keep(fromClient, bytes, at, endAt)
      return false
    }
    if (kind === 'other' && !this.#whole && !isProxyHeader(bytes, at, endAt)) {
      // Seen from its middle, any later segment may begin a message.
      if (++this.#tries >= MAX_RECOGNITION_TRIES) this.#finish()
      return false
    }
    if (!this.#begin(kind)) return false
    const other = fromClient ? this.#serverRest : this.#clientRest
    if (other !== undefined && other.len > 0) {
      const waiting = other.bytes.slice(0, other.len)
      other.len = 0
      this.push(!fromClient, waiting, 0, waiting.length, where)
    }
    return !this.done
  }

  #begin(kind: Exclude<StreamKind, 'more'>): boolean {
    this.#consumer = this.#open(kind, this.#whole)
    if (this.#consumer === undefined) this.#finish()
    return !this.done
  }

  #keep(fromClient: boolean, bytes: Uint8Array, at: number, endAt: number): void {
    if (endAt - at > (this.#consumer === undefined ? MAX_UNRECOGNISED_LEN : MAX_STREAM_HELD_LEN)) {
      this.#finish()
      return
    }
    let rest = fromClient ? this.#clientRest : this.#serverRest
    if (rest === undefined) {
      rest = { bytes: NO_BYTES, len: 0 }
      if (fromClient) this.#clientRest = rest
      else this.#serverRest = rest
    }
    if (bytes === rest.bytes) rest.bytes.copyWithin(0, at, endAt)
    else {
      rest.len = 0
      append(rest, bytes, at, endAt)
    }
    rest.len = endAt - at
  }

  /** A reader that wants no more ends the reading, unless another protocol begins inside. */
  #settle(): void {
    const consumer = this.#consumer
    if (consumer === undefined || !consumer.done) return
    if (consumer.unwrapped) this.#consumer = undefined
    else this.#finish()
  }

  #finish(): void {
    this.done = true
    this.#consumer = undefined
    this.#clientRest = undefined
    this.#serverRest = undefined
  }
}

function append(rest: Rest, bytes: Uint8Array, at: number, endAt: number): void {
  const wantedLen = rest.len + endAt - at
  if (wantedLen > rest.bytes.length) {
    const larger = new Uint8Array(Math.max(wantedLen, rest.bytes.length * 2, 64))
    larger.set(rest.bytes.subarray(0, rest.len))
    rest.bytes = larger
  }
  rest.bytes.set(bytes.subarray(at, endAt), rest.len)
  rest.len = wantedLen
}
