// One direction of a TLS connection that is opened: the keys in use, and the bytes that wait for the rest of their record or
// of their message. All of them together are bounded.
import { MAX_TLS_HELD_TOTAL } from '../../constants/limits.ts'
import { u16 } from '../../decoders/cursor.ts'
import { TLS_RECORD_HEADER_LEN } from '../../decoders/tls.ts'
import type { Ciphers } from '../ciphers.ts'
import type { KeyLog } from '../key-log.ts'
import type { RecordKeys } from './tls-record-keys.ts'

/** What a direction may hold before its keys are known: early data (RFC 8446 4.2.10) in front of all. */
const MAX_WAITING_LEN = 64 * 1024
/** A chain of certificates takes 10 KiB; a longer message would have to be followed only to be thrown away. */
const MAX_MESSAGE_LEN = 64 * 1024
const NO_BYTES = new Uint8Array(0)

/** What all connections opened by one key log share. */
export interface TlsKeyring {
  readonly keyLog: KeyLog
  readonly ciphers: Ciphers
  /** Bytes of records and messages that wait, in all connections together. */
  heldLen: number
}

export interface SealedDirection {
  readonly isClient: boolean
  keys: RecordKeys | undefined
  /** TLS 1.3: the keys that last are in use. */
  established: boolean
  /** Content was sent. */
  hasContent: boolean
  /** No more of it is opened: bytes are missing, or these are not its keys. */
  closed: boolean
  /** Records that may fail to open before the first that does: early data. */
  skippable: number
  /** The start of a record, or records whose keys are not known yet. */
  held: Uint8Array
  heldLen: number
  /** The start of a handshake message. */
  message: Uint8Array
  messageLen: number
}

/** Before its first protected record. */
export function createDirection(isClient: boolean): SealedDirection {
  return {
    isClient,
    keys: undefined,
    established: false,
    hasContent: false,
    closed: false,
    skippable: 0,
    held: NO_BYTES,
    heldLen: 0,
    message: NO_BYTES,
    messageLen: 0,
  }
}

/** Keeps [at, endAt) behind what is held. False when that is too much. */
export function hold(
  keyring: TlsKeyring,
  direction: SealedDirection,
  bytes: Uint8Array,
  at: number,
  endAt: number,
): boolean {
  const wantedLen = direction.heldLen + endAt - at
  if (wantedLen > direction.held.length) {
    const isStart = direction.heldLen === 0 && endAt - at >= TLS_RECORD_HEADER_LEN
    const recordLen = isStart ? TLS_RECORD_HEADER_LEN + u16(bytes, at + 3) : 0
    const roomLen = Math.min(Math.max(recordLen, direction.held.length * 2), MAX_WAITING_LEN)
    const larger = new Uint8Array(Math.max(wantedLen, roomLen))
    keyring.heldLen += larger.length - direction.held.length
    larger.set(direction.held.subarray(0, direction.heldLen))
    direction.held = larger
  }
  direction.held.set(bytes.subarray(at, endAt), direction.heldLen)
  direction.heldLen = wantedLen
  const isTooMuch = direction.keys === undefined && wantedLen > MAX_WAITING_LEN
  return !isTooMuch && keyring.heldLen <= MAX_TLS_HELD_TOTAL
}

/** Gives the memory of what is held back. */
export function release(keyring: TlsKeyring, direction: SealedDirection): void {
  keyring.heldLen -= direction.held.length
  direction.held = NO_BYTES
  direction.heldLen = 0
}

/** Keeps `bytes` behind what there is of a message. False when that is too much. */
export function collect(keyring: TlsKeyring, direction: SealedDirection, bytes: Uint8Array): boolean {
  const { message, messageLen } = direction
  const wantedLen = messageLen + bytes.length
  if (wantedLen > message.length) {
    direction.message = new Uint8Array(Math.max(wantedLen, Math.min(message.length * 2, MAX_MESSAGE_LEN)))
    direction.message.set(message.subarray(0, messageLen))
    keyring.heldLen += direction.message.length - message.length
  }
  direction.message.set(bytes, messageLen)
  direction.messageLen = wantedLen
  return wantedLen <= MAX_MESSAGE_LEN && keyring.heldLen <= MAX_TLS_HELD_TOTAL
}

/** Gives the memory of the message back. */
export function dropMessage(keyring: TlsKeyring, direction: SealedDirection): void {
  keyring.heldLen -= direction.message.length
  direction.message = NO_BYTES
  direction.messageLen = 0
}
