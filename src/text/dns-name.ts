// Cold path. Domain names from wire form into presentation form (RFC 1035 5.1), with RFC 1035's sentences beside the checks.
import { DNS_HEADER_LEN } from '../constants/wire.ts'
import {
  FAULT_DNS_LABEL_TYPE,
  FAULT_DNS_NAME_LENGTH,
  FAULT_DNS_NAME_POINTER,
  FAULT_DNS_SHORT,
} from '../model/malformed.ts'

/** RFC 1035 2.3.4: "names 255 octets or less", length octets and root included. */
const MAX_NAME_LEN = 255
/** RFC 1035 2.3.4: "labels 63 octets or less". */
const MAX_LABEL_LEN = 63
const POINTER_LABEL = 0xc0

/** Where readName() stopped and what it found; one may be used for any number of names. */
export interface NameReading {
  /** Presentation form without the final dot; '' is the root. Also what was readable before a fault. */
  text: string
  /** One past the name where it stands (behind the first pointer). */
  nextAt: number
  /** FAULT_DNS_* or 0. */
  fault: number
}

/** The names of one message that were read already, and how much work the message may still cost. */
export interface NameMemo {
  /** By offset: the text from that label on and its length in uncompressed wire form. */
  readonly known: Map<number, { text: string; wireLen: number }>
  /** Labels and pointers that may still be visited. */
  stepsLeft: number
}

/** Every label of an honest message is visited once and every pointer twice; a hostile one repeats the same detours. */
export function createNameMemo(messageLen: number): NameMemo {
  return { known: new Map(), stepsLeft: messageLen * 2 + MAX_NAME_LEN }
}

/** How one byte of a label is written: printable ASCII as it is, `.` and `\` escaped, the rest as \DDD (RFC 1035 5.1). */
const LABEL_BYTES: readonly string[] = Object.freeze(
  Array.from({ length: 256 }, (_, byte) => {
    if (byte === 0x2e || byte === 0x5c) return `\\${String.fromCharCode(byte)}`
    if (byte > 0x20 && byte < 0x7f) return String.fromCharCode(byte)
    return `\\${byte.toString().padStart(3, '0')}`
  }),
)

export function labelText(bytes: Uint8Array, at: number, endAt: number): string {
  let text = ''
  for (let i = at; i < endAt; i++) text += LABEL_BYTES[bytes[i]!]!
  return text
}

/**
 * The text of the uncompressed name in [at, endAt): pure ASCII, no control characters, case kept, no final dot, '' for
 * the root. A name that breaks off gives what is there. Never throws.
 */
export function dnsNameText(bytes: Uint8Array, at: number, endAt: number): string {
  let text = ''
  while (at < endAt) {
    const labelLen = bytes[at]!
    if (labelLen === 0 || labelLen > MAX_LABEL_LEN) break
    const labelEndAt = Math.min(at + 1 + labelLen, endAt)
    text += (text === '' ? '' : '.') + labelText(bytes, at + 1, labelEndAt)
    at = labelEndAt
  }
  return text
}

/**
 * Reads the name at `at` of the message in [messageAt, endAt), following compression pointers, which lead strictly
 * backwards. The work of all names of one memo is linear in the message. Never throws.
 */
export function readName(
  bytes: Uint8Array,
  messageAt: number,
  endAt: number,
  at: number,
  memo: NameMemo,
  into: NameReading,
): void {
  /** Offsets of the labels and pointers on the way. */
  const visited: number[] = []
  let text = ''
  let textLen = 1
  let wireLen = 1
  let segmentAt = at
  into.fault = 0
  into.nextAt = 0
  for (;;) {
    if (--memo.stepsLeft < 0) {
      into.fault = FAULT_DNS_NAME_POINTER
      break
    }
    const known = memo.known.get(at)
    if (known !== undefined && into.nextAt !== 0) {
      if (wireLen + known.wireLen - 1 > MAX_NAME_LEN) into.fault = FAULT_DNS_NAME_LENGTH
      else {
        text = known.text
        textLen = known.wireLen
      }
      break
    }
    if (at >= endAt) {
      into.fault = FAULT_DNS_SHORT
      break
    }
    const labelLen = bytes[at]!
    if (labelLen === 0) {
      if (into.nextAt === 0) into.nextAt = at + 1
      break
    }
    if (labelLen >= POINTER_LABEL) {
      if (at + 2 > endAt) {
        into.fault = FAULT_DNS_SHORT
        break
      }
      // RFC 1035 4.1.4: "a pointer to a prior occurance of the same name": before this run of labels, or it could loop.
      const target = messageAt + (((labelLen & 0x3f) << 8) | bytes[at + 1]!)
      if (into.nextAt === 0) into.nextAt = at + 2
      if (target >= segmentAt || target < messageAt + DNS_HEADER_LEN) {
        into.fault = FAULT_DNS_NAME_POINTER
        break
      }
      visited.push(at)
      segmentAt = target
      at = target
      continue
    }
    // RFC 1035 4.1.4: "The 10 and 01 combinations are reserved for future use."
    if (labelLen > MAX_LABEL_LEN) {
      into.fault = FAULT_DNS_LABEL_TYPE
      break
    }
    if (at + 1 + labelLen > endAt) {
      into.fault = FAULT_DNS_SHORT
      break
    }
    wireLen += labelLen + 1
    if (wireLen > MAX_NAME_LEN) {
      into.fault = FAULT_DNS_NAME_LENGTH
      break
    }
    visited.push(at)
    at += labelLen + 1
  }
  for (let i = visited.length - 1; i >= 0; i--) {
    const labelAt = visited[i]!
    const labelLen = bytes[labelAt]!
    if (labelLen <= MAX_LABEL_LEN) {
      const label = labelText(bytes, labelAt + 1, labelAt + 1 + labelLen)
      text = text === '' ? label : `${label}.${text}`
      textLen += labelLen + 1
    }
    if (into.fault === 0) memo.known.set(labelAt, { text, wireLen: textLen })
  }
  into.text = text
}

/**
 * The wire form of a name in presentation form (the inverse of dnsNameText), or undefined when it is none: empty
 * label, label over 63 bytes, name over 255, a broken escape, a character beyond ASCII.
 */
export function dnsNameWire(text: string): Uint8Array | undefined {
  const wire: number[] = []
  let lengthAt = 0
  wire.push(0)
  for (let i = 0; i < text.length; i++) {
    let byte = text.charCodeAt(i)
    if (byte > 0x7f) return undefined
    if (byte === 0x2e) {
      if (wire.length - lengthAt === 1) return undefined
      if (i === text.length - 1) break
      lengthAt = wire.length
      wire.push(0)
      continue
    }
    if (byte === 0x5c) {
      const decimal = text.slice(i + 1, i + 4)
      if (/^[0-9]{3}$/.test(decimal)) {
        byte = Number(decimal)
        i += 3
      } else {
        byte = text.charCodeAt(++i)
        // RFC 1035 5.1: "\X where X is any character other than a digit".
        if (byte >= 0x30 && byte <= 0x39) return undefined
      }
      // Also NaN, where the text ends with a backslash.
      if (!(byte <= 255)) return undefined
    }
    wire.push(byte)
    if (++wire[lengthAt]! > MAX_LABEL_LEN) return undefined
  }
  if (wire.length > 1) wire.push(0)
  return wire.length > MAX_NAME_LEN ? undefined : Uint8Array.from(wire)
}
