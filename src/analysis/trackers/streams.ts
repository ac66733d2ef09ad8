// The bytes of TCP connections in order, handed to whoever reads them (RFC 9293 3.4, 3.10.7.4). In-order segments go
// through without a copy; only what came too early is kept. Where bytes overlap, those that came first count.
import { HELD_PIECE_COST, MAX_STREAM_HELD_LEN, MAX_STREAM_HELD_TOTAL, MAX_STREAMS } from '../../constants/limits.ts'
import { TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN } from '../../constants/wire.ts'
import type { ConnectionFact } from '../../model/connection-facts.ts'
import type { DecodedBatch } from '../../model/decoded-batch.ts'
import type { PacketBatch } from '../../model/packet-batch.ts'
import type { Writable } from '../writable.ts'
import { connectionOf } from './flow-fact.ts'
import {
  addLetter,
  FLOW_SEQ_KNOWN,
  FLOW_SHIFT,
  FLOW_STREAM_OPEN,
  FLOW_STREAM_OVER,
  hasLetter,
  isFinished,
  isReset,
  LETTER_DATA,
  LETTER_GAP,
  LETTER_SYN,
  LETTER_SYN_ACK,
  NEXT_SEQ_AT,
  STATE_AT,
} from './flow-record.ts'
import type { FlowTable } from './flows.ts'
import { type OpenConsumer, StreamContent } from './stream-content.ts'
import { createHalf, dropHeld, type Half, hold, isRead, noteAck } from './stream-half.ts'

/** RFC 7323 2.3: no window is larger; what claims to lie further ahead is not of this connection. */
const MAX_WINDOW_LEN = 2 ** 30
const MAX_HELD_PIECES = 256

export interface StreamTracker {
  /** Takes the TCP segment in `row`, which flows.lookup() has just put into `slot` and flows.record() not counted yet. */
  segment(slot: number, batch: PacketBatch, out: DecodedBatch, row: number): void
  /** The flow in `slot` ended: its reader tells what is complete enough. */
  ended(slot: number): void
  /** Connections being read. */
  readonly count: number
  /** Bytes that wait for missing ones, as they are bounded. */
  readonly heldLen: number
}

interface Stream {
  slot: number
  where: ConnectionFact
  content: StreamContent
  client: Half
  server: Half
}

export function createStreamTracker(flows: FlowTable, openConsumer: OpenConsumer): StreamTracker {
  /** By slot, in the order in which they were opened. */
  const streams = new Map<number, Stream>()

  function segment(slot: number, batch: PacketBatch, out: DecodedBatch, row: number): void {
    const { words } = flows
    const state = words[(slot << FLOW_SHIFT) + STATE_AT]!
    const flags = out.tcpFlags[row]!
    const { fromClient } = flows
    let stream = (state & FLOW_STREAM_OPEN) !== 0 ? streams.get(slot) : undefined
    // Text in a reset is not data of the stream (RFC 9293 3.10.7.4).
    const wireLen = (flags & TCP_RST) !== 0 ? 0 : out.payloadWireLen[row]!
    if (stream === undefined) {
      if (wireLen === 0) return
      // One byte on a connection that nothing is known of may be a keep-alive, whose byte is not data.
      const known = (state & (FLOW_SEQ_KNOWN << (fromClient ? 0 : 1))) !== 0
      if (!known && wireLen === 1 && (flags & TCP_SYN) === 0) return
      stream = open(slot, state, flags)
    }
    stream.where.timeMicros = batch.timeMicros[row]!
    stream.where.frameNumber = batch.frameNumber[row]!
    const own = fromClient ? stream.client : stream.server
    const other = fromClient ? stream.server : stream.client
    if ((flags & TCP_ACK) !== 0) {
      noteAck(other, out.tcpAck[row]!)
      if (other.held.length > 0) advance(stream, other, !fromClient)
      if (stream.content.done) return
    }
    const seq = (out.tcpSeq[row]! + ((flags & TCP_SYN) !== 0 ? 1 : 0)) >>> 0
    if (wireLen > 0) {
      if (!own.known) learnStart(own, slot, fromClient, flags, seq)
      if (wireLen > 1 && isOvertaken(own, state, fromClient, seq)) own.seq = seq
      const at = out.payloadAt[row]!
      take(stream, own, fromClient, seq, batch.bytes, at, at + out.payloadLen[row]!, wireLen)
    }
    if ((flags & TCP_FIN) !== 0) {
      own.hasFin = true
      own.finSeq = (seq + wireLen) >>> 0
    }
    if (isRead(stream.client) && isRead(stream.server)) close(stream)
  }

  function open(slot: number, state: number, flags: number): Stream {
    const { words } = flows
    if (streams.size === MAX_STREAMS) {
      for (const oldest of streams.values()) {
        suspend(oldest)
        break
      }
    }
    const base = slot << FLOW_SHIFT
    const whole = (flags & TCP_SYN) !== 0 || hasLetter(state, LETTER_SYN, 0) || hasLetter(state, LETTER_SYN_ACK, 1)
    const stream: Stream = {
      slot,
      where: connectionOf(flows, slot),
      content: new StreamContent(openConsumer, whole),
      client: createHalf((state & FLOW_SEQ_KNOWN) !== 0, words[base + NEXT_SEQ_AT]!),
      server: createHalf((state & (FLOW_SEQ_KNOWN << 1)) !== 0, words[base + NEXT_SEQ_AT + 1]!),
    }
    streams.set(slot, stream)
    tracker.count = streams.size
    words[base + STATE_AT] = words[base + STATE_AT]! | FLOW_STREAM_OPEN
    return stream
  }

  /** The first data of a direction: the flow knows where it starts when a SYN or an ACK went before. */
  function learnStart(half: Half, slot: number, fromClient: boolean, flags: number, seq: number): void {
    const { words } = flows
    const base = slot << FLOW_SHIFT
    const side = fromClient ? 0 : 1
    const isKnown = (words[base + STATE_AT]! & (FLOW_SEQ_KNOWN << side)) !== 0 && (flags & TCP_SYN) === 0
    half.known = true
    half.seq = isKnown ? words[base + NEXT_SEQ_AT + side]! : seq
  }

  function take(
    stream: Stream,
    half: Half,
    fromClient: boolean,
    seq: number,
    bytes: Uint8Array,
    at: number,
    endAt: number,
    wireLen: number,
  ): void {
    const ahead = (seq - half.seq) | 0
    if (ahead + wireLen <= 0 || ahead > MAX_WINDOW_LEN) return
    if (ahead <= 0 && half.held.length === 0) {
      half.seq = (seq + wireLen) >>> 0
      deliver(stream, fromClient, bytes, at - ahead, endAt, wireLen + ahead)
      return
    }
    tracker.heldLen += hold(half, seq, bytes, at, endAt, wireLen)
    advance(stream, half, fromClient)
  }

  /**
   * Delivers what is in order now. Missing bytes are given up when the receiver has acknowledged what follows them
   * (it has them, the capture has not), or when too much waits for them.
   */
  function advance(stream: Stream, half: Half, fromClient: boolean): void {
    while (half.held.length > 0) {
      const first = half.held[0]!
      const missingLen = (first.seq - half.seq) | 0
      if (missingLen > 0) {
        const isGone = half.hasAcked && ((half.acked - first.seq) | 0) >= 0
        const isTooMuch = half.heldLen > MAX_STREAM_HELD_LEN || half.held.length > MAX_HELD_PIECES
        if (!isGone && !isTooMuch && tracker.heldLen <= MAX_STREAM_HELD_TOTAL) return
        gap(stream, fromClient, missingLen, false)
        if (stream.content.done) return
      }
      half.held.shift()
      half.heldLen -= first.bytes.length + HELD_PIECE_COST
      tracker.heldLen -= first.bytes.length + HELD_PIECE_COST
      half.seq = (first.seq + first.wireLen) >>> 0
      deliver(stream, fromClient, first.bytes, 0, first.bytes.length, first.wireLen)
    }
  }

  /** Hands on `wireLen` bytes of which bytes[at, endAt) were captured; they may be fewer, even none. */
  function deliver(
    stream: Stream,
    fromClient: boolean,
    bytes: Uint8Array,
    at: number,
    endAt: number,
    wireLen: number,
  ): void {
    const cutLen = wireLen - Math.max(0, endAt - at)
    if (at < endAt) stream.content.push(fromClient, bytes, at, endAt, stream.where)
    if (stream.content.done) finish(stream)
    else if (cutLen > 0) gap(stream, fromClient, cutLen, true)
  }

  function gap(stream: Stream, fromClient: boolean, gapLen: number, cut: boolean): void {
    addLetter(flows.words, stream.slot << FLOW_SHIFT, LETTER_GAP, fromClient ? 0 : 1)
    stream.content.gap(fromClient, gapLen, cut)
    if (stream.content.done) finish(stream)
  }

  /** Nothing of this connection is of interest any more. */
  function finish(stream: Stream): void {
    const { words } = flows
    const base = stream.slot << FLOW_SHIFT
    words[base + STATE_AT] = words[base + STATE_AT]! | FLOW_STREAM_OVER
    forget(stream)
  }

  /** Both directions were read to their end. */
  function close(stream: Stream): void {
    stream.content.end()
    finish(stream)
  }

  /** Makes room: a recognised one may be read again as seen from its middle, others would only come back in vain. */
  function suspend(stream: Stream): void {
    const { isRecognised } = stream.content
    stream.content.end(true)
    if (isRecognised) forget(stream)
    else finish(stream)
  }

  function forget(stream: Stream): void {
    const { words } = flows
    const base = stream.slot << FLOW_SHIFT
    words[base + STATE_AT] = words[base + STATE_AT]! & ~FLOW_STREAM_OPEN
    tracker.heldLen -= stream.client.heldLen + stream.server.heldLen
    dropHeld(stream.client)
    dropHeld(stream.server)
    streams.delete(stream.slot)
    tracker.count = streams.size
  }

  const tracker: Writable<StreamTracker> = {
    count: 0,
    heldLen: 0,
    segment,
    ended(slot) {
      const stream = streams.get(slot)
      if (stream === undefined) return
      flush(stream)
      const state = flows.words[(slot << FLOW_SHIFT) + STATE_AT]!
      // Who sent all it had to say may have left the last closing to the other side.
      stream.content.end(!isFinished(state) && !isReset(state) && !isRead(stream.server))
      forget(stream)
    },
  }
  return tracker

  /** The connection is over: what still waits is all there will be. */
  function flush(stream: Stream): void {
    for (const half of [stream.client, stream.server]) {
      const last = half.held[half.held.length - 1]
      if (last === undefined) continue
      noteAck(half, (last.seq + last.wireLen) >>> 0)
      advance(stream, half, half === stream.client)
    }
  }
}

/**
 * The first data that the capture has of a direction whose SYN it has not stands before an acknowledgment that came
 * first: the two changed places, or this is sent again. Either way the stream is read from here.
 */
function isOvertaken(half: Half, state: number, fromClient: boolean, seq: number): boolean {
  const hasStart = fromClient ? hasLetter(state, LETTER_SYN, 0) : hasLetter(state, LETTER_SYN_ACK, 1)
  if (hasStart || hasLetter(state, LETTER_DATA, fromClient ? 0 : 1)) return false
  return ((seq - half.seq) | 0) < 0 && half.held.length === 0
}
