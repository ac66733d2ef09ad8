// HOT PATH. UDP, RFC 768.
import { type DecodedBatch, ROW_OFFLOAD_LENGTH } from '../model/decoded-batch.ts'
import { LAYER_UDP } from '../model/layer.ts'
import { FAULT_UDP_LENGTH } from '../model/malformed.ts'
import { type Cursor, fault, limit, noteFault, short, u16 } from './cursor.ts'
import { datagramLayer } from './datagram.ts'

const SRC_PORT_AT = 0
const DST_PORT_AT = 2
const LENGTH_AT = 4
const HEADER_LEN = 8
const PORTS_LEN = 4
const MAX_UDP_LEN = 65_535

/**
 * Reads ports and payload bounds; the next layer is chosen by content, the ports being a hint. A length beyond the IP
 * packet is a fault, yet what is there is decoded.
 */
export function decodeUdp(cursor: Cursor, out: DecodedBatch, row: number): number {
  const { bytes, at } = cursor
  const availableLen = cursor.endAt - at
  if (availableLen >= PORTS_LEN) {
    out.srcPort[row] = u16(bytes, at + SRC_PORT_AT)
    out.dstPort[row] = u16(bytes, at + DST_PORT_AT)
  }
  if (availableLen < HEADER_LEN) return short(cursor, out, row, LAYER_UDP, HEADER_LEN)
  out.layer[row] = LAYER_UDP
  const udpLen = u16(bytes, at + LENGTH_AT)
  if (udpLen >= HEADER_LEN) {
    if (at + udpLen > cursor.wireEndAt) noteFault(cursor, out, row, LAYER_UDP, FAULT_UDP_LENGTH)
    limit(cursor, at + udpLen)
  } else if (udpLen !== 0 || !isLengthOmitted(cursor, out, row)) {
    return fault(cursor, out, row, LAYER_UDP, FAULT_UDP_LENGTH)
  }
  cursor.at = at + HEADER_LEN
  out.payloadAt[row] = cursor.at
  out.payloadLen[row] = cursor.endAt - cursor.at
  out.payloadWireLen[row] = cursor.wireEndAt - cursor.at
  return datagramLayer(cursor, out, row)
}

/** 0 means "to the end of the IP packet" in jumbograms (RFC 2675 4) and before segmentation offload, nowhere else. */
function isLengthOmitted(cursor: Cursor, out: DecodedBatch, row: number): boolean {
  return (out.flags[row]! & ROW_OFFLOAD_LENGTH) !== 0 || cursor.wireEndAt - cursor.at > MAX_UDP_LEN
}
