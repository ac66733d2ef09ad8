// A batch of one row for what we put together ourselves: a datagram from its fragments, a message from a stream.
import { LINKTYPE_RAW } from '../../constants/wire.ts'
import { type Cursor, createCursor } from '../../decoders/cursor.ts'
import {
  clearDecodedBatch,
  createDecodedBatch,
  type DecodedBatch,
  ROW_GROUP_ADDRESSED,
  ROW_INNER,
} from '../../model/decoded-batch.ts'
import { createPacketBatch, type PacketBatch } from '../../model/packet-batch.ts'

/** The made row is row 0 of `batch` and `out`; it is good until the next one is made here. */
export interface ScratchRow {
  readonly batch: PacketBatch
  readonly out: DecodedBatch
  /** Stands at the first of the bytes, as if they were a packet. */
  readonly cursor: Cursor
}

export function createScratchRow(): ScratchRow {
  const batch = createPacketBatch(1)
  batch.count = 1
  return { batch, out: createDecodedBatch(1), cursor: createCursor() }
}

/**
 * Makes the row out of bytes[at, endAt): time, frame, interface and addresses are those of the packet that completed
 * it. `wireLen` is what the bytes would be had none been cut.
 */
export function fillScratchRow(
  scratch: ScratchRow,
  from: PacketBatch,
  decoded: DecodedBatch,
  row: number,
  bytes: Uint8Array,
  at: number,
  endAt: number,
  wireLen: number,
): void {
  const { batch, out, cursor } = scratch
  batch.bytes = bytes
  batch.timeMicros[0] = from.timeMicros[row]!
  batch.startAt[0] = at
  batch.capturedLen[0] = endAt - at
  batch.wireLen[0] = wireLen
  batch.linkType[0] = LINKTYPE_RAW
  batch.interfaceId[0] = from.interfaceId[row]!
  batch.direction[0] = from.direction[row]!
  batch.frameNumber[0] = from.frameNumber[row]!

  clearDecodedBatch(out, 1)
  for (let word = 0; word < 8; word++) out.addresses[word] = decoded.addresses[(row << 3) + word]!
  out.flags[0] = decoded.flags[row]! & (ROW_INNER | ROW_GROUP_ADDRESSED)
  out.vlanId[0] = decoded.vlanId[row]!
  out.ipVersion[0] = decoded.ipVersion[row]!
  out.ttl[0] = decoded.ttl[row]!
  out.ipProtocol[0] = decoded.ipProtocol[row]!
  out.ipId[0] = decoded.ipId[row]!
  out.depth[0] = decoded.depth[row]!
  out.outerLayer[0] = decoded.outerLayer[row]!
  out.transportAt[0] = at

  cursor.bytes = bytes
  cursor.startAt = at
  cursor.at = at
  cursor.endAt = endAt
  cursor.wireEndAt = at + wireLen
  cursor.next = decoded.ipProtocol[row]!
  cursor.wrapper = 0
}
