// A multicast DNS message asks many questions at once (RFC 6762 5.3); the columns hold the first one. The others are told
// here, each as a message with one question. Cold path: such messages are rare.
import { DNS_HEADER_LEN } from '../../constants/wire.ts'
import { u16 } from '../../decoders/cursor.ts'
import { decodeDns } from '../../decoders/dns.ts'
import type { DecodedBatch } from '../../model/decoded-batch.ts'
import type { PacketBatch } from '../../model/packet-batch.ts'
import { createScratchRow, fillScratchRow } from './scratch-row.ts'

/** Questions told of one message: a packet of 1,500 bytes holds as many as names are long. */
const MAX_QUESTIONS = 64
/** RFC 1035 2.3.4. */
const MAX_NAME_LEN = 255
const POINTER_LABEL = 0xc0
const MAX_LABEL_LEN = 63
/** Type and class. */
const TAIL_LEN = 4
const QDCOUNT_AT = 4

export interface FurtherQuestions {
  /** Tells the second question of the message and all that follow. */
  message(batch: PacketBatch, out: DecodedBatch, row: number): void
}

export function createFurtherQuestions(
  tell: (batch: PacketBatch, out: DecodedBatch, row: number) => void,
): FurtherQuestions {
  const scratch = createScratchRow()
  const made = new Uint8Array(DNS_HEADER_LEN + MAX_NAME_LEN + TAIL_LEN)

  function tellOne(batch: PacketBatch, out: DecodedBatch, row: number, messageLen: number): void {
    fillScratchRow(scratch, batch, out, row, made, 0, messageLen, messageLen)
    scratch.out.srcPort[0] = out.srcPort[row]!
    scratch.out.dstPort[0] = out.dstPort[row]!
    scratch.out.flags[0] = out.flags[row]!
    decodeDns(scratch.cursor, scratch.out, 0, out.layer[row]!)
    if (scratch.out.dnsQuestions[0] === 1) tell(scratch.batch, scratch.out, 0)
  }

  return {
    message(batch, out, row) {
      const { bytes } = batch
      const messageAt = out.dnsAt[row]!
      const endAt = out.dnsEndAt[row]!
      made.set(bytes.subarray(messageAt, messageAt + QDCOUNT_AT))
      made.fill(0, QDCOUNT_AT, DNS_HEADER_LEN)
      made[QDCOUNT_AT + 1] = 1
      const count = Math.min(out.dnsQuestions[row]!, MAX_QUESTIONS)
      let at = messageAt + DNS_HEADER_LEN
      for (let index = 0; index < count; index++) {
        const nameLen = copyName(bytes, at, messageAt, endAt, made)
        at = nameEnd(bytes, at, endAt)
        if (nameLen === 0 || at === 0 || endAt - at < TAIL_LEN) return
        made.set(bytes.subarray(at, at + TAIL_LEN), DNS_HEADER_LEN + nameLen)
        at += TAIL_LEN
        if (index > 0) tellOne(batch, out, row, DNS_HEADER_LEN + nameLen + TAIL_LEN)
      }
    },
  }
}

/** Copies the name without its pointers behind the header of `into`; its length, 0 when it is none. */
function copyName(bytes: Uint8Array, at: number, messageAt: number, endAt: number, into: Uint8Array): number {
  let len = 0
  let before = at
  while (at < endAt) {
    const labelLen = bytes[at]!
    if (labelLen >= POINTER_LABEL) {
      if (at + 1 >= endAt) return 0
      at = messageAt + (u16(bytes, at) & 0x3fff)
      // RFC 1035 4.1.4: a pointer leads to a prior name, so each goes further back.
      if (at >= before || at < messageAt + DNS_HEADER_LEN) return 0
      before = at
      continue
    }
    if (labelLen > MAX_LABEL_LEN || len + labelLen + 1 > MAX_NAME_LEN || at + labelLen >= endAt) return 0
    into.set(bytes.subarray(at, at + labelLen + 1), DNS_HEADER_LEN + len)
    len += labelLen + 1
    at += labelLen + 1
    if (labelLen === 0) return len
  }
  return 0
}

/** One past the name where it stands; 0 when it does not end. */
function nameEnd(bytes: Uint8Array, at: number, endAt: number): number {
  while (at < endAt) {
    const labelLen = bytes[at]!
    if (labelLen === 0) return at + 1
    if (labelLen >= POINTER_LABEL) return at + 2
    at += labelLen + 1
  }
  return 0
}
