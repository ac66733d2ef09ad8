// Packets as columns: what a capture source hands on. One typed array per capture fact, one row per packet.
import { BATCH_ROWS } from '../constants/limits.ts'

/** Direction of a packet as the capturing system marked it. */
export const DIRECTION_UNKNOWN = 0
export const DIRECTION_IN = 1
export const DIRECTION_OUT = 2

/**
 * A run of packets. Row `i` of every column belongs to the same packet, whose bytes are
 * `bytes[startAt[i] .. startAt[i] + capturedLen[i])`. The memory belongs to the source: bytes and columns are
 * valid until release() and are then used again.
 */
export interface PacketBatch {
  /** Kernel ring, file chunk or child's buffer. May be another array in the next batch. */
  bytes: Uint8Array
  /** Rows in use, 0 … capacity. */
  count: number
  /** Microseconds since 1970-01-01 UTC, whole numbers; finer clocks are floored. */
  readonly timeMicros: Float64Array
  /** Offset of the packet's first byte in `bytes`. */
  readonly startAt: Uint32Array
  /** Bytes of the packet that are there. */
  readonly capturedLen: Uint32Array
  /** Bytes the packet had on the wire; larger than capturedLen when it was cut. */
  readonly wireLen: Uint32Array
  /** LINKTYPE_* of the packet's first byte. */
  readonly linkType: Uint16Array
  /** Index into the source's `interfaces`. */
  readonly interfaceId: Uint16Array
  /** DIRECTION_*. */
  readonly direction: Uint8Array
  /** Frame number within its input, from 1, as tshark and `pcap_cnt` count; goes on where the input continues another one. */
  readonly frameNumber: Uint32Array
  /** Gives the memory back to the source. No column may be read afterwards. */
  release(): void
}

/** Allocates the columns of a batch once; the source fills them again and again. */
export function createPacketBatch(rows: number = BATCH_ROWS): PacketBatch {
  return {
    bytes: new Uint8Array(0),
    count: 0,
    timeMicros: new Float64Array(rows),
    startAt: new Uint32Array(rows),
    capturedLen: new Uint32Array(rows),
    wireLen: new Uint32Array(rows),
    linkType: new Uint16Array(rows),
    interfaceId: new Uint16Array(rows),
    direction: new Uint8Array(rows),
    frameNumber: new Uint32Array(rows),
    release() {},
  }
}
