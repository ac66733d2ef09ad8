// HOT PATH. What one TCP segment says of its connection: history, sequence, retransmission, MSS and round trip.
import { REORDERING_MICROS } from '../../constants/limits.ts'
import { TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN } from '../../constants/wire.ts'
import type { DecodedBatch } from '../../model/decoded-batch.ts'
import type { PacketBatch } from '../../model/packet-batch.ts'
import {
  ADVANCED_AT,
  addLetter,
  FLOW_HANDSHAKE_DONE,
  FLOW_HOLE,
  FLOW_SEQ_KNOWN,
  HANDSHAKE_AT,
  hasLetter,
  LETTER_ACK,
  LETTER_DATA,
  LETTER_FIN,
  LETTER_INCONSISTENT,
  LETTER_MULTI_FLAG,
  LETTER_RETRANSMISSION,
  LETTER_RST,
  LETTER_SYN,
  LETTER_SYN_ACK,
  LETTER_ZERO_WINDOW,
  MSS_AT,
  NEXT_SEQ_AT,
  RETRANSMISSIONS_AT,
  START_AT_F64,
  STATE_AT,
} from './flow-record.ts'

const CONTROL = TCP_SYN | TCP_FIN | TCP_RST

/**
 * Notes the segment in `row`, sent by `side` (0 client, 1 server), in the record at `base`. Times and sequence numbers
 * are read where they are needed: numbers above 2^31 become objects when they are handed on.
 */
export function countTcp(
  words: Uint32Array,
  doubles: Float64Array,
  base: number,
  side: number,
  batch: PacketBatch,
  out: DecodedBatch,
  row: number,
): void {
  const flags = out.tcpFlags[row]!
  noteFlags(words, base, side, flags, out.payloadWireLen[row]!, out.tcpWindow[row]!)
  if ((flags & TCP_SYN) !== 0) noteSyn(words, doubles, base, side, batch, out, row)
  else if ((words[base + STATE_AT]! & FLOW_HANDSHAKE_DONE) === 0 && side === 0)
    noteRoundTrip(words, doubles, base, batch, row)
  // The sequence number of a reset need not be one of the connection's (RFC 9293 3.5.2).
  if ((flags & TCP_RST) === 0) noteSequence(words, base, side, batch, out, row)
}

/** Zeek's letters: a segment with one control flag shows that, one with none shows data or a pure ACK. */
function noteFlags(
  words: Uint32Array,
  base: number,
  side: number,
  flags: number,
  dataLen: number,
  window: number,
): void {
  const control = flags & CONTROL
  if (control === 0) {
    if (dataLen > 0) addLetter(words, base, LETTER_DATA, side)
    else if ((flags & TCP_ACK) !== 0) addLetter(words, base, LETTER_ACK, side)
    if (window === 0) addLetter(words, base, LETTER_ZERO_WINDOW, side)
  } else if (control === TCP_SYN) {
    addLetter(words, base, (flags & TCP_ACK) !== 0 ? LETTER_SYN_ACK : LETTER_SYN, side)
  } else if (control === TCP_FIN) addLetter(words, base, LETTER_FIN, side)
  else if (control === TCP_RST) addLetter(words, base, LETTER_RST, side)
  else addLetter(words, base, control === (TCP_FIN | TCP_RST) ? LETTER_INCONSISTENT : LETTER_MULTI_FLAG, side)
}

function noteSyn(
  words: Uint32Array,
  doubles: Float64Array,
  base: number,
  side: number,
  batch: PacketBatch,
  out: DecodedBatch,
  row: number,
): void {
  const mss = out.tcpMss[row]!
  if (mss !== 0) {
    const known = words[base + MSS_AT]!
    words[base + MSS_AT] = side === 0 ? (known & 0xffff_0000) | mss : (known & 0xffff) | (mss << 16)
  }
  if ((out.tcpFlags[row]! & TCP_ACK) === 0 && side === 0)
    words[base + HANDSHAKE_AT] = batch.timeMicros[row]! - doubles[(base >> 1) + START_AT_F64]!
}

/** The client's answer to the SYN-ACK closes the round trip that its last SYN began, wherever the capture was taken. */
function noteRoundTrip(words: Uint32Array, doubles: Float64Array, base: number, batch: PacketBatch, row: number): void {
  const state = words[base + STATE_AT]!
  if (!hasLetter(state, LETTER_SYN, 0) || !hasLetter(state, LETTER_SYN_ACK, 1)) return
  const micros = batch.timeMicros[row]! - doubles[(base >> 1) + START_AT_F64]! - words[base + HANDSHAKE_AT]!
  words[base + HANDSHAKE_AT] = Math.max(micros, 0)
  words[base + STATE_AT] = state | FLOW_HANDSHAKE_DONE
}

function noteSequence(
  words: Uint32Array,
  base: number,
  side: number,
  batch: PacketBatch,
  out: DecodedBatch,
  row: number,
): void {
  const flags = out.tcpFlags[row]!
  const seq = out.tcpSeq[row]!
  const dataLen = out.payloadWireLen[row]!
  const state = words[base + STATE_AT]!
  const segmentLen = dataLen + ((flags & TCP_SYN) !== 0 ? 1 : 0) + ((flags & TCP_FIN) !== 0 ? 1 : 0)
  const end = (seq + segmentLen) >>> 0
  const known = FLOW_SEQ_KNOWN << side
  if ((state & known) === 0) {
    words[base + STATE_AT] = state | known
    words[base + NEXT_SEQ_AT + side] = end
    words[base + ADVANCED_AT + side] = batch.timeMicros[row]! % 0x1_0000_0000
    return
  }
  const next = words[base + NEXT_SEQ_AT + side]!
  const ahead = (seq - next) | 0
  const isOld = segmentLen > 0 && ahead < 0 && !isProbe(flags, ahead, dataLen)
  if (isOld) noteOld(words, base, side, batch, row, dataLen, end === next)
  if (((end - next) | 0) > 0) {
    if (ahead > 0) words[base + STATE_AT] = words[base + STATE_AT]! | (FLOW_HOLE << side)
    words[base + NEXT_SEQ_AT + side] = end
    words[base + ADVANCED_AT + side] = batch.timeMicros[row]! % 0x1_0000_0000
  }
}

/**
 * A keep-alive repeats one byte at most (RFC 9293 3.8.4); after a zero-window probe the probed byte comes again with
 * others. Neither says that anything was lost.
 */
function isProbe(flags: number, ahead: number, dataLen: number): boolean {
  return ahead === -1 && dataLen > 0 && (flags & (TCP_SYN | TCP_FIN)) === 0
}

/**
 * The segment begins with what was sent before. Where bytes were skipped earlier and less than a round trip has passed
 * since, nobody can have asked for it again: it is late. Everything else was sent again.
 */
function noteOld(
  words: Uint32Array,
  base: number,
  side: number,
  batch: PacketBatch,
  row: number,
  dataLen: number,
  repeatsLast: boolean,
): void {
  const state = words[base + STATE_AT]!
  if ((state & (FLOW_HOLE << side)) !== 0 && !repeatsLast) {
    const since = ((batch.timeMicros[row]! % 0x1_0000_0000) - words[base + ADVANCED_AT + side]!) >>> 0
    const roundTrip = (state & FLOW_HANDSHAKE_DONE) !== 0 ? words[base + HANDSHAKE_AT]! : 0
    if (since < (roundTrip > 0 ? roundTrip : REORDERING_MICROS)) return
  }
  if (dataLen > 0) addLetter(words, base, LETTER_RETRANSMISSION, side)
  const counts = words[base + RETRANSMISSIONS_AT]!
  const own = side === 0 ? counts & 0xffff : counts >>> 16
  if (own < 0xffff) words[base + RETRANSMISSIONS_AT] = counts + (side === 0 ? 1 : 1 << 16)
}
