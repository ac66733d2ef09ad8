// HOT PATH. One held DNS exchange as 16 words (64 bytes, the size of a cache line): where each field stands, and how it
// is read. Exchanges are held long and come back in no order, so that all of one lie together.

/** Words of a record. */
export const EXCHANGE_WORDS = 16
/** Shift from a slot to its first word. */
export const EXCHANGE_SHIFT = 4

export const NAME_ID_AT = 0
export const CLIENT_AT = 1
export const SERVER_AT = 2
/** The number of the next older exchange of the same hash. */
export const NEXT_AT = 3
/** Index in Float64 units. Microseconds of the first question, and of the answer: −1 until there is one. */
export const QUERY_AT_F64 = 2
export const RESPONSE_AT_F64 = 3
export const QUERY_FRAME_AT = 8
export const RESPONSE_FRAME_AT = 9
/** The addresses of the answer, as an id of the answer table. */
export const ANSWERS_AT = 10
export const IP_ID_AT = 11
/** The client's port in the upper half, the server's in the lower. */
export const PORTS_AT = 12
/** Record type in the upper half, message id in the lower. */
export const QUESTION_AT = 13
/** Interface in the upper half; in the lower the question messages of this exchange: 1 + repetitions, up to 65,535. */
export const INTERFACE_AT = 14
/** State, flags, rcode, layer, IP version and direction, as the functions below read them. */
export const BITS_AT = 15

/** How an exchange ended: the lowest two bits. */
export const EXCHANGE_PENDING = 0
export const EXCHANGE_ANSWERED = 1
/** No answer within the timeout. */
export const EXCHANGE_TIMED_OUT = 2
/** The capture ended, or the table was full, before it was decided. */
export const EXCHANGE_UNDECIDED = 3
const STATE_MASK = 3

/** Flags. */
export const EXCHANGE_OVER_TCP = 1 << 2
export const EXCHANGE_FRAGMENTED = 1 << 3
/** The capturing system marked the question as sent by this machine. */
export const EXCHANGE_SENT = 1 << 4
/** Sent to a multicast or broadcast address. */
export const EXCHANGE_SHOUTED = 1 << 5
/** A second answer came that says something else than the first (RFC 5452 9). */
export const EXCHANGE_CONTRADICTED = 1 << 6
/** The only answer came on another interface than the question left by. */
export const EXCHANGE_STRAYED = 1 << 7

/** The answer's code, four bits (RFC 1035 4.1.1). */
const RCODE_SHIFT = 8
const RCODE_MASK = 0x0f << RCODE_SHIFT
/** LAYER_DNS, LAYER_MDNS, LAYER_LLMNR or LAYER_NBNS. */
export const LAYER_SHIFT = 12
export const IP_VERSION_SHIFT = 20
/** DIRECTION_*. */
export const DIRECTION_SHIFT = 24

/** The records, and the same memory as Float64. Others when the table has grown. */
export interface ExchangeRecords {
  readonly words: Uint32Array
  readonly times: Float64Array
}

/** What a second answer said (RFC 5452 9), or where the only one strayed to. */
export interface OtherAnswerRecord {
  readonly answers: number
  readonly rcode: number
  readonly interfaceId: number
  readonly frame: number
}

/** EXCHANGE_PENDING … EXCHANGE_UNDECIDED. */
export function exchangeState(words: Uint32Array, slot: number): number {
  return words[(slot << EXCHANGE_SHIFT) + BITS_AT]! & STATE_MASK
}

export function setExchangeState(words: Uint32Array, slot: number, state: number): void {
  const at = (slot << EXCHANGE_SHIFT) + BITS_AT
  words[at] = (words[at]! & ~STATE_MASK) | state
}

/** Of an answered one. */
export function rcodeOf(words: Uint32Array, slot: number): number {
  return (words[(slot << EXCHANGE_SHIFT) + BITS_AT]! & RCODE_MASK) >>> RCODE_SHIFT
}

export function setRcode(words: Uint32Array, slot: number, rcode: number): void {
  const at = (slot << EXCHANGE_SHIFT) + BITS_AT
  words[at] = (words[at]! & ~RCODE_MASK) | (rcode << RCODE_SHIFT)
}

/** `flag` is one of EXCHANGE_OVER_TCP … EXCHANGE_STRAYED. */
export function hasExchangeFlag(words: Uint32Array, slot: number, flag: number): boolean {
  return (words[(slot << EXCHANGE_SHIFT) + BITS_AT]! & flag) !== 0
}

/** Microseconds. */
export function queryMicrosOf(times: Float64Array, slot: number): number {
  return times[(slot << (EXCHANGE_SHIFT - 1)) + QUERY_AT_F64]!
}

export function interfaceIdOf(words: Uint32Array, slot: number): number {
  return words[(slot << EXCHANGE_SHIFT) + INTERFACE_AT]! >>> 16
}

/** COLD PATH: once for every doubling. Empty records. */
export function createExchangeRecords(capacity: number): ExchangeRecords {
  const words = new Uint32Array(capacity * EXCHANGE_WORDS)
  return { words, times: new Float64Array(words.buffer) }
}
