// HOT PATH. IP within IP: a row describes the innermost packet; here it leaves the outer one behind.
import { MAX_ENCAPSULATION_DEPTH } from '../constants/limits.ts'
import {
  type DecodedBatch,
  ROW_ATOMIC_FRAGMENT,
  ROW_DF,
  ROW_FRAGMENT,
  ROW_INNER,
  ROW_MF,
  ROW_OFFLOAD_LENGTH,
} from '../model/decoded-batch.ts'
import { LAYER_IPV4, LAYER_IPV6 } from '../model/layer.ts'
import { FAULT_ENCAPSULATION_DEPTH } from '../model/malformed.ts'
import { type Cursor, noteFault } from './cursor.ts'

/** Flags that belong to one IP packet and not to the frame. */
const PACKET_FLAGS = ROW_DF | ROW_MF | ROW_FRAGMENT | ROW_ATOMIC_FRAGMENT | ROW_OFFLOAD_LENGTH

/**
 * Called by an IP decoder that found its header whole, before it writes the row. When the row already holds an IP
 * packet, the new one is inside it: counts it and clears what only the outer packet had. False when it is nested
 * deeper than we follow; the row then stays with the packet around it.
 */
export function enterIpPacket(cursor: Cursor, out: DecodedBatch, row: number, layer: number): boolean {
  const outerVersion = out.ipVersion[row]!
  if (outerVersion === 0) return true
  const depth = out.depth[row]!
  if (depth === MAX_ENCAPSULATION_DEPTH) {
    noteFault(cursor, out, row, layer, FAULT_ENCAPSULATION_DEPTH)
    return false
  }
  if (depth === 0) {
    out.outerIpAt[row] = out.ipAt[row]!
    out.outerLayer[row] = cursor.wrapper !== 0 ? cursor.wrapper : outerVersion === 4 ? LAYER_IPV4 : LAYER_IPV6
  }
  out.depth[row] = depth + 1
  out.flags[row] = (out.flags[row]! & ~PACKET_FLAGS) | ROW_INNER
  out.ipId[row] = 0
  out.fragmentOffset[row] = 0
  out.transportAt[row] = 0
  out.srcPort[row] = 0
  out.dstPort[row] = 0
  out.payloadAt[row] = 0
  out.payloadLen[row] = 0
  out.payloadWireLen[row] = 0
  cursor.wrapper = 0
  return true
}
