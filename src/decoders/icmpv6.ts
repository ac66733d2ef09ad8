// HOT PATH. ICMPv6, RFC 4443.
import { ICMPV6_PACKET_TOO_BIG, ICMPV6_PARAMETER_PROBLEM, ICMPV6_UNREACHABLE } from '../constants/wire.ts'
import { type DecodedBatch, ROW_CUT } from '../model/decoded-batch.ts'
import { LAYER_DONE, LAYER_ICMPV6 } from '../model/layer.ts'
import { FAULT_ICMP_SHORT } from '../model/malformed.ts'
import { type Cursor, noteFault, u32 } from './cursor.ts'

const TYPE_AT = 0
const CODE_AT = 1
const MTU_AT = 4
const HEADER_LEN = 8
const TYPE_AND_CODE_LEN = 2
const QUOTED_MIN_LEN = 40

/**
 * A message too short for its header still gives type and code, as far as they are there. Some messages of neighbour
 * discovery and MLD are longer than the 8 bytes that all of them have in common: they are the payload.
 */
export function decodeIcmpv6(cursor: Cursor, out: DecodedBatch, row: number): number {
  const { bytes, at } = cursor
  const availableLen = cursor.endAt - at
  if (availableLen >= TYPE_AND_CODE_LEN) {
    out.layer[row] = LAYER_ICMPV6
    out.icmpType[row] = bytes[at + TYPE_AT]!
    out.icmpCode[row] = bytes[at + CODE_AT]!
  }
  if (availableLen < HEADER_LEN) {
    if (cursor.wireEndAt - at < HEADER_LEN) noteFault(cursor, out, row, LAYER_ICMPV6, FAULT_ICMP_SHORT)
    else out.flags[row] = out.flags[row]! | ROW_CUT
    return LAYER_DONE
  }
  const quotedAt = at + HEADER_LEN
  out.payloadAt[row] = quotedAt
  out.payloadLen[row] = cursor.endAt - quotedAt
  out.payloadWireLen[row] = cursor.wireEndAt - quotedAt
  const type = bytes[at + TYPE_AT]!
  if (type === ICMPV6_PACKET_TOO_BIG) out.icmpMtu[row] = u32(bytes, at + MTU_AT)
  if (isIcmpv6Error(type) && cursor.endAt - quotedAt >= QUOTED_MIN_LEN && bytes[quotedAt]! >> 4 === 6) {
    out.quotedAt[row] = quotedAt
  }
  return LAYER_DONE
}

/** The messages that carry the packet they are about, as far as they are assigned (RFC 4443 2.1). */
export function isIcmpv6Error(type: number): boolean {
  return type >= ICMPV6_UNREACHABLE && type <= ICMPV6_PARAMETER_PROBLEM
}
