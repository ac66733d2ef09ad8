// HOT PATH. UDP, RFC 768.
import type { DecodedBatch } from '../model/decoded-batch.ts'
import { LAYER_UDP } from '../model/layer.ts'
import { FAULT_UDP_LENGTH } from '../model/malformed.ts'
import { type Cursor, fault, short, u16 } from './cursor.ts'
import { datagramLayer } from './datagram.ts'

const SRC_PORT_AT = 0
const DST_PORT_AT = 2
const LENGTH_AT = 4
const HEADER_LEN = 8

/** Reads ports and payload bounds; the next layer is chosen by content, the ports being a hint. */
export function decodeUdp(cursor: Cursor, out: DecodedBatch, row: number): number {
  const { bytes, at } = cursor
  if (cursor.endAt - at < HEADER_LEN) return short(cursor, out, row, LAYER_UDP, HEADER_LEN)
  const udpLen = u16(bytes, at + LENGTH_AT)
  out.layer[row] = LAYER_UDP
  out.srcPort[row] = u16(bytes, at + SRC_PORT_AT)
  out.dstPort[row] = u16(bytes, at + DST_PORT_AT)
  // 0 means "to the end of the IP packet": jumbograms (RFC 2675 4) and segmentation offload.
  if (udpLen !== 0) {
    if (udpLen < HEADER_LEN || at + udpLen > cursor.wireEndAt) return fault(cursor, out, row, LAYER_UDP, FAULT_UDP_LENGTH)
    cursor.wireEndAt = at + udpLen
    if (cursor.endAt > cursor.wireEndAt) cursor.endAt = cursor.wireEndAt
  }
  cursor.at = at + HEADER_LEN
  out.payloadAt[row] = cursor.at
  out.payloadLen[row] = cursor.endAt - cursor.at
  out.payloadWireLen[row] = cursor.wireEndAt - cursor.at
  return datagramLayer(cursor, out, row)
}
