// HOT PATH. One flow as 32 words (128 bytes, two cache lines): where each field stands, and how it is read.
// Fields that exist per direction stand as two words, the client's first.

/** Words of a record. */
export const FLOW_WORDS = 32
/** Shift from a slot to its first word. */
export const FLOW_SHIFT = 5

/** Key: the lower endpoint's address, the higher one's, both ports (lower endpoint's in the upper half), and the kind. */
export const LOWER_ADDRESS_AT = 0
export const HIGHER_ADDRESS_AT = 4
export const PORTS_AT = 8
/** Interface << 9 | inner << 8 | protocol. */
export const KIND_AT = 9
export const KIND_INNER = 1 << 8
export const KIND_INTERFACE_SHIFT = 9
/** Index in Float64 units. Microseconds of the first and the last packet. */
export const START_AT_F64 = 5
export const LAST_AT_F64 = 6
export const PACKETS_AT = 14
/** Low 32 bits of the IP bytes; the high 16 bits of both share one word. */
export const BYTES_AT = 16
export const BYTES_HIGH_AT = 18
/** The sequence number after the highest byte seen. */
export const NEXT_SEQ_AT = 19
/** Low 32 bits of the time at which it last rose. */
export const ADVANCED_AT = 21
/** Letters seen and FLOW_*. */
export const STATE_AT = 23
/** Client's MSS in the lower half, the server's in the upper. */
export const MSS_AT = 24
/** Until the handshake is done the last SYN's time after the start, then the round trip; microseconds. */
export const HANDSHAKE_AT = 25
/** 0 when the slot is free. */
export const FLOW_ID_AT = 26
export const FRAME_AT = 27
/** Client's in the lower half, the server's in the upper, each stopping at 65,535. */
export const RETRANSMISSIONS_AT = 28
/** Six letters of five bits a word. */
export const HISTORY_AT = 29

/** Letters of the history, Zeek's alphabet; one bit each in the state for the client, LETTER_COUNT higher for the server. */
export const LETTER_SYN = 0
export const LETTER_SYN_ACK = 1
export const LETTER_ACK = 2
export const LETTER_DATA = 3
export const LETTER_FIN = 4
export const LETTER_RST = 5
export const LETTER_RETRANSMISSION = 6
export const LETTER_ZERO_WINDOW = 7
export const LETTER_GAP = 8
export const LETTER_INCONSISTENT = 9
export const LETTER_MULTI_FLAG = 10
export const LETTER_COUNT = 11
/** Written once, by the packet that was taken for the server's. */
export const LETTER_FLIPPED = 2 * LETTER_COUNT
/** By code − 1 as packed into the history. */
export const LETTERS = 'SHADFRTWGIQshadfrtwgiq^'

/** Bits of the state above the letters. */
export const FLOW_CLIENT_IS_HIGHER = 1 << 22
/** Bytes were skipped in this direction; the server's bit is the next one. */
export const FLOW_HOLE = 1 << 23
/** NEXT_SEQ is known in this direction; the server's bit is the next one. */
export const FLOW_SEQ_KNOWN = 1 << 25
export const FLOW_HANDSHAKE_DONE = 1 << 27
/** Its content is being read. */
export const FLOW_STREAM_OPEN = 1 << 28
/** Its content is of no further interest: bulk data costs nothing more. */
export const FLOW_STREAM_OVER = 1 << 29
/** It carries plain DNS: over soon after its answer, for most clients ask each time from another port (RFC 5452 9.2). */
export const FLOW_DNS = 1 << 30

const BOTH_FIN = (1 << LETTER_FIN) | (1 << (LETTER_FIN + LETTER_COUNT))
const ANY_RST = (1 << LETTER_RST) | (1 << (LETTER_RST + LETTER_COUNT))

/** Both sides sent FIN. */
export function isFinished(state: number): boolean {
  return (state & BOTH_FIN) === BOTH_FIN
}

export function isReset(state: number): boolean {
  return (state & ANY_RST) !== 0
}

/** `side` is 0 for the client, 1 for the server. */
export function hasLetter(state: number, letter: number, side: number): boolean {
  return (state & (1 << (letter + side * LETTER_COUNT))) !== 0
}

/** Notes a letter unless that side has it already. `base` is the record's first word. */
export function addLetter(words: Uint32Array, base: number, letter: number, side: number): void {
  const index = letter + side * LETTER_COUNT
  const state = words[base + STATE_AT]!
  if ((state & (1 << index)) !== 0) return
  words[base + STATE_AT] = state | (1 << index)
  appendLetter(words, base, index)
}

/** `index` into LETTERS. A full history stays as it is. */
export function appendLetter(words: Uint32Array, base: number, index: number): void {
  for (let at = base + HISTORY_AT; at < base + FLOW_WORDS; at++) {
    const packed = words[at]!
    for (let shift = 0; shift < 30; shift += 5) {
      if (((packed >>> shift) & 31) === 0) {
        words[at] = packed | ((index + 1) << shift)
        return
      }
    }
  }
}
