// One direction of an HTTP/1.x connection: where it stands, the head it collects, the framing of its body.
import {
  HTTP_START_MORE,
  HTTP_START_NO,
  HTTP_START_REQUEST,
  HTTP_START_RESPONSE,
  httpStart,
  readHttpHead,
} from '../../decoders/http.ts'
import type { HttpFact } from '../../model/protocol-facts.ts'

/** Apache and nginx refuse heads above 8-32 KiB; a connection with a longer one is given up. */
export const MAX_HEAD_LEN = 64 * 1024
const FIRST_BUFFER_LEN = 1024
const EMPTY = new Uint8Array(0)
const LF = 0x0a
const CR = 0x0d

/** What the next byte of a direction belongs to. */
export const IN_HEAD = 0
export const IN_COUNTED_BODY = 1
export const IN_BODY_UNTIL_CLOSE = 2
export const IN_CHUNK_SIZE = 3
export const IN_CHUNK_EXTENSION = 4
export const IN_CHUNK = 5
export const AFTER_CHUNK = 6
export const IN_TRAILERS = 7
/** Bytes are missing or make no sense: the next plausible start is looked for. */
export const LOST = 8
/** After CONNECT or Upgrade, before the answer. */
export const HELD = 9

export interface Direction {
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

/** At the start of a message. */
export function createDirection(): Direction {
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

/** A body of so many bytes; fewer than none are none. */
export function startCounted(direction: Direction, bodyLen: number): void {
  direction.state = IN_COUNTED_BODY
  direction.left = Math.max(0, bodyLen)
}

/** A chunked body, at the size of its first chunk. */
export function startChunks(direction: Direction): void {
  direction.state = IN_CHUNK_SIZE
  direction.left = 0
  direction.lineLen = 0
  direction.trailerLen = 0
}

/** What a byte of the framing around chunks was. */
export const FRAMING_TAKEN = 0
/** It belongs to what follows, whose state has been set. */
export const FRAMING_KEPT = 1
export const FRAMING_ENDS_BODY = 2
export const FRAMING_BROKEN = 3

/** The framing around chunks, RFC 9112 7.1: one byte of it. */
export function readFraming(direction: Direction, byte: number): number {
  switch (direction.state) {
    case IN_CHUNK_SIZE: {
      const digit = hexDigit(byte)
      if (digit >= 0) {
        direction.left = direction.left * 16 + digit
        direction.lineLen++
        return direction.left <= Number.MAX_SAFE_INTEGER ? FRAMING_TAKEN : FRAMING_BROKEN
      }
      if (direction.lineLen === 0) return FRAMING_BROKEN
      direction.state = IN_CHUNK_EXTENSION
      return FRAMING_KEPT
    }
    case IN_CHUNK_EXTENSION:
      if (++direction.trailerLen > MAX_HEAD_LEN) return FRAMING_BROKEN
      if (byte !== LF) return FRAMING_TAKEN
      direction.state = direction.left > 0 ? IN_CHUNK : IN_TRAILERS
      direction.lineLen = 0
      direction.trailerLen = 0
      return FRAMING_TAKEN
    case AFTER_CHUNK:
      if (byte === CR) return FRAMING_TAKEN
      if (byte !== LF) return FRAMING_BROKEN
      direction.state = IN_CHUNK_SIZE
      direction.lineLen = 0
      return FRAMING_TAKEN
    default:
      if (byte === LF && direction.lineLen === 0) return FRAMING_ENDS_BODY
      if (byte === LF) direction.lineLen = 0
      else if (byte !== CR) direction.lineLen++
      return ++direction.trailerLen <= MAX_HEAD_LEN ? FRAMING_TAKEN : FRAMING_BROKEN
  }
}

/** Looks for a message at the start of what was pushed and after each empty line. */
export function resume(direction: Direction, bytes: Uint8Array, at: number, endAt: number): number {
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

function isMessageStart(bytes: Uint8Array, at: number, endAt: number): boolean {
  if (at >= endAt) return false
  const start = httpStart(bytes, at, endAt)
  return start === HTTP_START_REQUEST || start === HTTP_START_RESPONSE || start === HTTP_START_MORE
}

/** Whether what has been collected can still become a head; notes when its first line is whole and good. */
export function isFirstLinePossible(direction: Direction): boolean {
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

/** Gives the memory of the head back. */
export function dropHead(direction: Direction): void {
  direction.head = EMPTY
  direction.headLen = 0
  direction.scannedLen = 0
  direction.firstLine = false
}

/** Appends [at, endAt) to the head. */
export function collect(direction: Direction, bytes: Uint8Array, at: number, endAt: number): void {
  const neededLen = direction.headLen + endAt - at
  if (neededLen > direction.head.length) {
    const larger = new Uint8Array(Math.max(neededLen, direction.head.length * 2, FIRST_BUFFER_LEN))
    larger.set(direction.head.subarray(0, direction.headLen))
    direction.head = larger
  }
  direction.head.set(bytes.subarray(at, endAt), direction.headLen)
  direction.headLen = neededLen
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}
