// HOT PATH. The IP protocol registry as far as we follow it: what an IP packet carries.
import {
  IPPROTO_GRE,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_IPIP,
  IPPROTO_IPV6,
  IPPROTO_NONE,
  IPPROTO_TCP,
  IPPROTO_UDP,
} from '../constants/wire.ts'
import type { DecodedBatch } from '../model/decoded-batch.ts'
import {
  LAYER_DONE,
  LAYER_GRE,
  LAYER_ICMPV4,
  LAYER_ICMPV6,
  LAYER_IP_EXTENSION,
  LAYER_IPV4,
  LAYER_IPV6,
  LAYER_TCP,
  LAYER_UDP,
  LAYER_UNKNOWN,
} from '../model/layer.ts'
import type { Cursor } from './cursor.ts'
import { isIpExtension } from './ipv6.ts'

/** The layer for the protocol in `cursor.next`. An unknown one (ESP, SCTP …) keeps its bytes as the row's payload. */
export function ipProtocolLayer(cursor: Cursor, out: DecodedBatch, row: number): number {
  const { at, next } = cursor
  out.transportAt[row] = at
  switch (next) {
    case IPPROTO_TCP:
      return LAYER_TCP
    case IPPROTO_UDP:
      return LAYER_UDP
    case IPPROTO_ICMP:
      return LAYER_ICMPV4
    case IPPROTO_ICMPV6:
      return LAYER_ICMPV6
    case IPPROTO_IPIP:
      return LAYER_IPV4
    case IPPROTO_IPV6:
      return LAYER_IPV6
    case IPPROTO_GRE:
      return LAYER_GRE
    case IPPROTO_NONE:
      return LAYER_DONE
  }
  if (isIpExtension(next, out.ipVersion[row]!)) return LAYER_IP_EXTENSION
  out.payloadAt[row] = at
  out.payloadLen[row] = cursor.endAt - at
  out.payloadWireLen[row] = cursor.wireEndAt - at
  return LAYER_UNKNOWN
}
