// HOT PATH. Bytes to columns: the protocol graph in one loop and one switch.
import { MAX_ENCAPSULATION_DEPTH } from '../constants/limits.ts'
import { LINKTYPE_ETHERNET, LINKTYPE_RAW } from '../constants/wire.ts'
import { clearDecodedBatch, type DecodedBatch } from '../model/decoded-batch.ts'
import {
  LAYER_DNS,
  LAYER_DONE,
  LAYER_ETHERNET,
  LAYER_IPV4,
  LAYER_LLMNR,
  LAYER_MDNS,
  LAYER_NBNS,
  LAYER_RAW_IP,
  LAYER_UDP,
  LAYER_UNKNOWN,
} from '../model/layer.ts'
import type { PacketBatch } from '../model/packet-batch.ts'
import { type Cursor, createCursor } from './cursor.ts'
import { decodeDns } from './dns.ts'
import { decodeEthernet } from './ethernet.ts'
import { decodeIpv4 } from './ipv4.ts'
import { decodeUdp } from './udp.ts'

/** Decodes every packet of `batch` into the same row of `out`. Never throws; keeps nothing between calls. */
export function decodeBatch(batch: PacketBatch, out: DecodedBatch): void {
  const cursor = sharedCursor
  clearDecodedBatch(out, batch.count)
  cursor.bytes = batch.bytes
  for (let row = 0; row < batch.count; row++) {
    const startAt = batch.startAt[row]!
    cursor.startAt = startAt
    cursor.at = startAt
    cursor.endAt = startAt + batch.capturedLen[row]!
    cursor.wireEndAt = startAt + batch.wireLen[row]!
    decodeFrom(firstLayer(batch.linkType[row]!), cursor, out, row)
  }
}

/** Follows the graph from `layer` to its end. Also the way in for what was reassembled. */
export function decodeFrom(layer: number, cursor: Cursor, out: DecodedBatch, row: number): void {
  while (layer !== LAYER_DONE) {
    switch (layer) {
      case LAYER_ETHERNET:
        layer = decodeEthernet(cursor, out, row)
        break
      case LAYER_IPV4:
        layer = decodeIpv4(cursor, out, row)
        break
      case LAYER_UDP:
        layer = decodeUdp(cursor, out, row)
        break
      case LAYER_DNS:
      case LAYER_MDNS:
      case LAYER_LLMNR:
      case LAYER_NBNS:
        layer = decodeDns(cursor, out, row, layer)
        break
      default:
        out.unknown[row] = 1
        out.unknownNumber[row] = cursor.next
        layer = LAYER_DONE
    }
  }
}

function firstLayer(linkType: number): number {
  switch (linkType) {
    case LINKTYPE_ETHERNET:
      return LAYER_ETHERNET
    case LINKTYPE_RAW:
      return LAYER_RAW_IP
    default:
      return LAYER_UNKNOWN
  }
}

const sharedCursor = createCursor()
void MAX_ENCAPSULATION_DEPTH
