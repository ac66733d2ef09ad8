// HOT PATH. How a flow begins: ICMP echo is one by its identifier (RFC 792, RFC 4443 4), and the first packet seen tells
// who asked whom.
import {
  ICMP_ECHO_REPLY,
  ICMP_ECHO_REQUEST,
  ICMPV6_ECHO_REPLY,
  ICMPV6_ECHO_REQUEST,
  TCP_ACK,
  TCP_SYN,
} from '../../constants/wire.ts'
import type { DecodedBatch } from '../../model/decoded-batch.ts'
import { LAYER_ICMPV4, LAYER_ICMPV6, LAYER_TCP } from '../../model/layer.ts'
import type { PacketBatch } from '../../model/packet-batch.ts'

export const ECHO_IDENTIFIER_AT = 4
const ECHO_HEADER_LEN = 8
/** RFC 6335 6: ports below are assigned to services. */
const FIRST_USER_PORT = 1024

export const SENDER_IS_CLIENT = 0
const SENDER_IS_SERVER = 1
/** Its port says so, nothing else. */
export const SENDER_SEEMS_SERVER = 2

/** What the first packet seen says of who asked whom. */
export function senderRole(out: DecodedBatch, row: number, srcPort: number, dstPort: number): number {
  const layer = out.layer[row]!
  if (layer === LAYER_ICMPV4) return out.icmpType[row] === ICMP_ECHO_REPLY ? SENDER_IS_SERVER : SENDER_IS_CLIENT
  if (layer === LAYER_ICMPV6) return out.icmpType[row] === ICMPV6_ECHO_REPLY ? SENDER_IS_SERVER : SENDER_IS_CLIENT
  if (layer === LAYER_TCP && (out.tcpFlags[row]! & TCP_SYN) !== 0) {
    return (out.tcpFlags[row]! & TCP_ACK) === 0 ? SENDER_IS_CLIENT : SENDER_IS_SERVER
  }
  return srcPort < FIRST_USER_PORT && dstPort >= FIRST_USER_PORT ? SENDER_SEEMS_SERVER : SENDER_IS_CLIENT
}

export function isEcho(layer: number, icmpType: number): boolean {
  if (layer === LAYER_ICMPV4) return icmpType === ICMP_ECHO_REQUEST || icmpType === ICMP_ECHO_REPLY
  return layer === LAYER_ICMPV6 && (icmpType === ICMPV6_ECHO_REQUEST || icmpType === ICMPV6_ECHO_REPLY)
}

export function hasEchoHeader(batch: PacketBatch, out: DecodedBatch, row: number): boolean {
  return out.transportAt[row]! + ECHO_HEADER_LEN <= batch.startAt[row]! + batch.capturedLen[row]!
}
