// HOT PATH. ICMP, RFC 792, with the next-hop MTU of RFC 1191.
import {
  ICMP_FRAGMENTATION_NEEDED,
  ICMP_PARAMETER_PROBLEM,
  ICMP_REDIRECT,
  ICMP_SOURCE_QUENCH,
  ICMP_TIME_EXCEEDED,
  ICMP_UNREACHABLE,
} from '../constants/wire.ts'
import { type DecodedBatch, ROW_CUT } from '../model/decoded-batch.ts'
import { LAYER_DONE, LAYER_ICMPV4 } from '../model/layer.ts'
import { FAULT_ICMP_SHORT } from '../model/malformed.ts'
import { type Cursor, noteFault, u16 } from './cursor.ts'

const TYPE_AT = 0
const CODE_AT = 1
/** RFC 1191 4: the low half of the word that RFC 792 calls unused. */
const NEXT_HOP_MTU_AT = 6
const HEADER_LEN = 8
const TYPE_AND_CODE_LEN = 2
const QUOTED_MIN_LEN = 20

/** A message too short for its header still gives type and code, as far as they are there. */
export function decodeIcmpv4(cursor: Cursor, out: DecodedBatch, row: number): number {
  const { bytes, at } = cursor
  const availableLen = cursor.endAt - at
  if (availableLen >= TYPE_AND_CODE_LEN) {
    out.layer[row] = LAYER_ICMPV4
    out.icmpType[row] = bytes[at + TYPE_AT]!
    out.icmpCode[row] = bytes[at + CODE_AT]!
  }
  if (availableLen < HEADER_LEN) {
    if (cursor.wireEndAt - at < HEADER_LEN) noteFault(cursor, out, row, LAYER_ICMPV4, FAULT_ICMP_SHORT)
    else out.flags[row] = out.flags[row]! | ROW_CUT
    return LAYER_DONE
  }
  const quotedAt = at + HEADER_LEN
  out.payloadAt[row] = quotedAt
  out.payloadLen[row] = cursor.endAt - quotedAt
  out.payloadWireLen[row] = cursor.wireEndAt - quotedAt
  const type = bytes[at + TYPE_AT]!
  if (type === ICMP_UNREACHABLE && bytes[at + CODE_AT] === ICMP_FRAGMENTATION_NEEDED) {
    out.icmpMtu[row] = u16(bytes, at + NEXT_HOP_MTU_AT)
  }
  if (isIcmpv4Error(type) && cursor.endAt - quotedAt >= QUOTED_MIN_LEN && bytes[quotedAt]! >> 4 === 4) {
    out.quotedAt[row] = quotedAt
  }
  return LAYER_DONE
}

/** RFC 1122 3.2.2: the messages that carry the packet they are about. */
export function isIcmpv4Error(type: number): boolean {
  switch (type) {
    case ICMP_UNREACHABLE:
    case ICMP_SOURCE_QUENCH:
    case ICMP_REDIRECT:
    case ICMP_TIME_EXCEEDED:
    case ICMP_PARAMETER_PROBLEM:
      return true
    default:
      return false
  }
}
