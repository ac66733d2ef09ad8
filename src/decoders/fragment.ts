// HOT PATH. An IP fragment of either version: decoding stops here, the datagram is decoded when it is whole.
import { IPPROTO_TCP, IPPROTO_UDP } from '../constants/wire.ts'
import { type DecodedBatch, ROW_CUT } from '../model/decoded-batch.ts'
import { LAYER_DONE, LAYER_FRAGMENT } from '../model/layer.ts'
import { FAULT_FRAGMENT_RANGE } from '../model/malformed.ts'
import { type Cursor, noteFault, u16 } from './cursor.ts'

const SRC_PORT_AT = 0
const DST_PORT_AT = 2
const PORTS_LEN = 4
/** What the length field of either version can say. */
const MAX_DATAGRAM_LEN = 65_535

/**
 * The cursor stands on the fragment's data; flags, id and offset are in the row, `cursor.next` is the protocol of the
 * whole datagram. The first fragment shows the ports, all others none.
 */
export function decodeFragment(cursor: Cursor, out: DecodedBatch, row: number): number {
  const { bytes, at } = cursor
  const offset = out.fragmentOffset[row]!
  const wireLen = cursor.wireEndAt - at
  out.layer[row] = LAYER_FRAGMENT
  out.ipProtocol[row] = cursor.next
  out.transportAt[row] = at
  out.payloadAt[row] = at
  out.payloadLen[row] = cursor.endAt - at
  out.payloadWireLen[row] = wireLen
  if (cursor.endAt < cursor.wireEndAt) out.flags[row] = out.flags[row]! | ROW_CUT
  if (offset === 0 && cursor.endAt - at >= PORTS_LEN && (cursor.next === IPPROTO_TCP || cursor.next === IPPROTO_UDP)) {
    out.srcPort[row] = u16(bytes, at + SRC_PORT_AT)
    out.dstPort[row] = u16(bytes, at + DST_PORT_AT)
  }
  // RFC 8200 4.5, RFC 791 3.2: no fragment may reach beyond the longest datagram.
  if (offset + wireLen > MAX_DATAGRAM_LEN) noteFault(cursor, out, row, LAYER_FRAGMENT, FAULT_FRAGMENT_RANGE)
  return LAYER_DONE
}
