// HOT PATH. What is followed of one TCP connection's delivery, as words of a pool: where each field stands.
// The connection's own fields come first, then one block for what the client sends and one for what the server sends.

/** Words before the two blocks. */
export const SLOT_AT = 0
export const PATH_AT = 1
export const STATE_AT = 2
/** TTL and IPv4 identification of the SYN-ACK; TTL 0 = not seen. */
export const HANDSHAKE_TTL_AT = 3
export const HANDSHAKE_ID_AT = 4
/** Low 32 bits of the microseconds of the client's last new data, and of the connection's last packet. */
export const REQUEST_AT = 5
export const LAST_AT = 6
export const CLIENT_SEGMENTS_AT = 7
export const HEAD_WORDS = 8

/** Bits of the state. */
export const SCALE_CLIENT_KNOWN = 1
export const SCALE_SERVER_KNOWN = 2
export const SACK_CLIENT = 4
export const SACK_SERVER = 8
/** The first request waits for its answer; a stall has been told; a reset has been told, or is news no more. */
export const AWAITS_ANSWER = 16
export const STALL_TOLD = 32
export const RESET_TOLD = 64
/** One side's SYN had no window scale: then neither scales (RFC 7323 2.2). */
export const UNSCALED = 128
/** Window scales, four bits each. */
export const SCALE_CLIENT_SHIFT = 8
export const SCALE_SERVER_SHIFT = 12

/** Words of a block: the data of one direction. */
export const BLOCK_FLAGS = 0
/** First sequence number of the data; the highest one acknowledged; the one after the highest seen. */
export const FIRST = 1
export const ACKED = 2
export const NEXT = 3
/** Window the receiver offers, bytes; WINDOW_UNKNOWN when its scale is not known. */
export const WINDOW = 4
/** When ACKED last rose. */
export const PROGRESS = 5
/** The first unacknowledged segment, once it was sent again: sequence, end, IP length, times sent at that length. */
export const HEAD_SEQ = 6
export const HEAD_END = 7
export const HEAD_LEN = 8
export const HEAD_SENT = 9
export const HEAD_SINCE = 10
export const HEAD_LAST = 11
export const HEAD_INTERVAL = 12
export const HEAD_DOUBLINGS = 13
/** IP length at which it was sent again in smaller segments, or MAY_BE_CUT; 0 = never. */
export const HEAD_SMALLER = 14
/** IP length of the largest later segment that arrived although the head did not; 0 = none. */
export const SACKED_LEN = 15
/** A gap in what we see: from, to (the earliest later segment), when seen and when the receiver said it misses it too. */
export const GAP_FROM = 16
export const GAP_TO = 17
export const GAP_OPENED = 18
export const GAP_SINCE = 19
/** IP length of the largest segment that came after the gap. */
export const GAP_LATER = 20
/** Index of the first entry and number of entries of the ring. */
export const RING = 21
/** Of the last data counted as lost: its end, which counter, and how many segments; 0 segments = none to take back. */
export const LOST_END = 22
export const LOST_COUNTER = 23
export const LOST_SEGMENTS = 24
/** Entries of the ring: end of the sequence, IP length. */
export const ENTRIES = 25
export const RING_ENTRIES = 8
export const BLOCK_WORDS = ENTRIES + RING_ENTRIES * 2

export const DELIVERY_WORDS = HEAD_WORDS + 2 * BLOCK_WORDS

/** Bits of a block's flags. */
export const ACKED_KNOWN = 1
export const NEXT_KNOWN = 2
export const HEAD_ACTIVE = 4
export const GAP_OPEN = 8
/** The receiver has said that it misses what is in the gap. */
export const GAP_CONFIRMED = 16
export const LOSS_TOLD = 32
export const LOSS_PROVEN = 64
/** The sender has sent less at a time than before: what offload hands over says nothing of the packets made of it. */
export const SHRUNK = 128
/** The sender has forbidden fragmentation. */
export const SENT_DF = 256

/** Instead of a length: routers were allowed to cut it up, nobody knows into what. */
export const MAY_BE_CUT = 1

export const WINDOW_UNKNOWN = 0xffff_ffff

/** First word of the block of a side's data: 0 client, 1 server. */
export function blockAt(base: number, side: number): number {
  return base + HEAD_WORDS + side * BLOCK_WORDS
}

/** Notes a segment on its way; a full ring keeps what it has. */
export function pushEntry(words: Uint32Array, block: number, end: number, ipLen: number): void {
  const ring = words[block + RING]!
  const count = ring & 0xff
  if (count === RING_ENTRIES) return
  const at = block + ENTRIES + (((ring >>> 8) + count) % RING_ENTRIES) * 2
  words[at] = end
  words[at + 1] = ipLen
  words[block + RING] = ring + 1
}

/** Offset of entry `index`, 0 the oldest. */
export function entryAt(words: Uint32Array, block: number, index: number): number {
  return block + ENTRIES + (((words[block + RING]! >>> 8) + index) % RING_ENTRIES) * 2
}

/** Forgets the oldest entry. */
export function popEntry(words: Uint32Array, block: number): void {
  const ring = words[block + RING]!
  words[block + RING] = ((((ring >>> 8) + 1) % RING_ENTRIES) << 8) | ((ring & 0xff) - 1)
}
