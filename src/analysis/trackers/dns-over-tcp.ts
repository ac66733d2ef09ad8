// DNS messages on a connection: two bytes of length, then the message, again and again (RFC 1035 4.2.2, RFC 7766 8).
import { u16 } from '../../decoders/cursor.ts'
import { isPlausibleDnsOverTcp } from '../../decoders/dns-over-tcp.ts'
import type { StreamConsumer } from './stream-consumer.ts'

const LENGTH_LEN = 2
const FIRST_BUFFER_LEN = 1024
/** With no port that speaks for DNS only a complete, unambiguous question is taken for the start of a message. */
const NO_PORT = 0
const NO_BYTES = new Uint8Array(0)

/** A whole message is bytes[at, endAt). False when it is no DNS after all: the framing was lost. */
export type TellDnsMessage = (fromClient: boolean, bytes: Uint8Array, at: number, endAt: number) => boolean

interface Direction {
  /** An unfinished message with its length before it; while lost, what may be the start of one. */
  buffer: Uint8Array
  bufferedLen: number
  /** Where messages begin is not known (any more). */
  lost: boolean
}

/** Never done: connections carry messages for as long as they live (RFC 7766 6.2.1). */
export class DnsOverTcp implements StreamConsumer {
  readonly done = false
  readonly unwrapped = false
  readonly #tell: TellDnsMessage
  readonly #client: Direction
  readonly #server: Direction

  /** `framed`: the first byte begins a message; otherwise the first certain beginning is looked for. */
  constructor(tell: TellDnsMessage, framed: boolean) {
    this.#tell = tell
    this.#client = { buffer: NO_BYTES, bufferedLen: 0, lost: !framed }
    this.#server = { buffer: NO_BYTES, bufferedLen: 0, lost: !framed }
  }

  push(fromClient: boolean, bytes: Uint8Array, at: number, endAt: number): number {
    const direction = fromClient ? this.#client : this.#server
    const offeredLen = endAt - at
    if (direction.lost && direction.bufferedLen > 0) {
      bytes = joined(direction, bytes, at, endAt)
      at = 0
      endAt = bytes.length
    }
    while (at < endAt) {
      if (direction.lost) {
        const startAt = firstPlace(bytes, at, endAt, 'yes')
        if (startAt === endAt) {
          append(direction, bytes, firstPlace(bytes, at, endAt, 'more'), endAt)
          break
        }
        at = startAt
        direction.lost = false
      }
      if (direction.bufferedLen > 0) {
        at += fill(direction, bytes, at, endAt)
        const messageEndAt = frameEnd(direction.buffer, 0, direction.bufferedLen)
        if (messageEndAt < 0) break
        direction.bufferedLen = 0
        direction.lost = !this.#tell(fromClient, direction.buffer, LENGTH_LEN, messageEndAt)
        continue
      }
      const messageEndAt = frameEnd(bytes, at, endAt)
      if (messageEndAt < 0) {
        fill(direction, bytes, at, endAt)
        break
      }
      direction.lost = !this.#tell(fromClient, bytes, at + LENGTH_LEN, messageEndAt)
      // What turned out to be no message may still hold the start of one.
      at = direction.lost ? at + 1 : messageEndAt
    }
    return offeredLen
  }

  gap(fromClient: boolean): void {
    const direction = fromClient ? this.#client : this.#server
    direction.bufferedLen = 0
    direction.lost = true
  }

  end(): void {
    this.#client.buffer = NO_BYTES
    this.#server.buffer = NO_BYTES
  }
}

/** One past the message that begins with its length at `at`; −1 when it is not all there. */
function frameEnd(bytes: Uint8Array, at: number, endAt: number): number {
  if (endAt - at < LENGTH_LEN) return -1
  const messageEndAt = at + LENGTH_LEN + u16(bytes, at)
  return messageEndAt <= endAt ? messageEndAt : -1
}

/** Takes as much as the unfinished message wants, at most; memory grows with what came, not with what was promised. */
function fill(direction: Direction, bytes: Uint8Array, at: number, endAt: number): number {
  let takenLen = 0
  for (;;) {
    const { bufferedLen } = direction
    const wantedLen = bufferedLen < LENGTH_LEN ? LENGTH_LEN : LENGTH_LEN + u16(direction.buffer, 0)
    const partLen = Math.min(wantedLen - bufferedLen, endAt - at)
    if (partLen <= 0) return takenLen
    append(direction, bytes, at, at + partLen)
    takenLen += partLen
    at += partLen
  }
}

function append(direction: Direction, bytes: Uint8Array, at: number, endAt: number): void {
  const wantedLen = direction.bufferedLen + endAt - at
  if (wantedLen > direction.buffer.length) {
    const larger = new Uint8Array(Math.max(wantedLen, direction.buffer.length * 2, FIRST_BUFFER_LEN))
    larger.set(direction.buffer.subarray(0, direction.bufferedLen))
    direction.buffer = larger
  }
  direction.buffer.set(bytes.subarray(at, endAt), direction.bufferedLen)
  direction.bufferedLen = wantedLen
}

/** What was kept, with what follows it; afterwards nothing is kept. */
function joined(direction: Direction, bytes: Uint8Array, at: number, endAt: number): Uint8Array {
  append(direction, bytes, at, endAt)
  const all = direction.buffer.slice(0, direction.bufferedLen)
  direction.bufferedLen = 0
  return all
}

/**
 * The first place that cannot but be a message ('yes'), or that may become one with more bytes ('more'), which lies in
 * the last few hundred: a question is no longer. `endAt` when there is none.
 */
function firstPlace(bytes: Uint8Array, at: number, endAt: number, answer: 'yes' | 'more'): number {
  for (; at < endAt; at++) {
    if (isPlausibleDnsOverTcp(bytes, at, endAt, NO_PORT) === answer) return at
  }
  return endAt
}
