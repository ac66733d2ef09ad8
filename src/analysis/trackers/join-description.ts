// A proven join in words and numbers. The transport is told by the arithmetic of rules.md 2.4, read backwards: a guess by
// lengths alone, which holds for obfuscated transports too.
import { IPPROTO_ESP, IPPROTO_TCP } from '../../constants/wire.ts'
import type { JoinCandidate } from './join-candidate.ts'
import type { Padding } from './join-votes.ts'
import {
  TRANSPORT_ESP,
  TRANSPORT_ESP_NAT_T,
  TRANSPORT_IP_IN_UDP,
  TRANSPORT_NAMES,
  TRANSPORT_OPENVPN_UDP,
  TRANSPORT_OTHER,
  TRANSPORT_STREAM,
  TRANSPORT_WIREGUARD,
} from './vpn-transport.ts'

/** A tunnel as the packets show it. */
export interface TunnelJoin {
  /** Interface of the inner packets, and of the outer ones. */
  readonly innerInterfaceId: number
  readonly outerInterfaceId: number
  /** The far end (E of rules.md) and this machine, as ids of the address table. Ports are 0 where there are none. */
  readonly endpointId: number
  readonly endpointPort: number
  readonly clientId: number
  readonly clientPort: number
  readonly ipProtocol: number
  readonly outerFamily: 4 | 6
  /** In words, as TRANSPORT_NAMES where the lengths are those of a known transport. */
  readonly transport: string
  /** Bytes that the tunnel adds to each inner packet, outer IP header included, padding not. */
  readonly overhead: number
  /** False for streams, which cut and join packets: the overhead is then what single packets show. */
  readonly exact: boolean
  /** Inner packets are padded to a multiple of this, together with `trailer` bytes; 1 = not at all. */
  readonly paddingTo: number
  readonly trailer: number
  /** Whole outer packets, and those that are explained by an inner one. */
  readonly packets: number
  readonly matched: number
  readonly firstMicros: number
  readonly lastMicros: number
  /** This machine's packets that entered, and those for which no outer one left; 0 and 0 under segmentation offload. */
  readonly entered: number
  readonly neverLeft: number
  /** From the inner packet to the outer one, in the classes of latencyBucket. */
  readonly latency: Uint32Array
}

const UDP_HEADER_LEN = 8
/** Type, reserved, receiver index 4, counter 8, tag 16 (WireGuard whitepaper 5.4.6). */
const WIREGUARD_LEN = 32
/** Opcode and peer id 4, packet id 4 or 8 (epoch format), tag 16. */
const OPENVPN_AEAD_LEN = 24
const OPENVPN_AEAD_EPOCH_LEN = 28
/** SPI and sequence number 8, IV 8, ICV 16 (RFC 4303 2, RFC 4106). */
const ESP_GCM_LEN = 32

/** The proven candidates, most packets first. */
export function describeJoins(
  proven: readonly JoinCandidate[],
  isMachineLower: (candidate: JoinCandidate) => boolean,
): TunnelJoin[] {
  return proven.map((one) => describeJoin(one, isMachineLower(one))).sort((a, b) => b.packets - a.packets)
}

/** `machineIsLower`: which end of the proven candidate we are. */
function describeJoin(candidate: JoinCandidate, machineIsLower: boolean): TunnelJoin {
  const traffic = (machineIsLower ? candidate.asLower : candidate.asHigher)!
  const { votes, ipProtocol, outerFamily, packets } = candidate
  const { padding, overhead } = votes
  // Who sends more than it gets inside is this machine.
  const sent = traffic.isOffloaded ? [] : traffic.senders.filter((one) => one.left > one.arrived)
  return {
    innerInterfaceId: candidate.innerInterfaceId,
    outerInterfaceId: candidate.outerInterfaceId,
    endpointId: machineIsLower ? candidate.higherId : candidate.lowerId,
    endpointPort: machineIsLower ? candidate.higherPort : candidate.lowerPort,
    clientId: machineIsLower ? candidate.lowerId : candidate.higherId,
    clientPort: machineIsLower ? candidate.lowerPort : candidate.higherPort,
    ipProtocol,
    outerFamily,
    transport: joinName(ipProtocol, outerFamily, padding, overhead),
    overhead,
    exact: ipProtocol !== IPPROTO_TCP,
    paddingTo: padding.unit,
    trailer: padding.trailer,
    packets,
    matched: Math.min(packets, candidate.explained + traffic.matched),
    firstMicros: candidate.firstMicros,
    lastMicros: candidate.lastMicros,
    entered: sent.reduce((sum, one) => sum + one.left + one.lost, 0),
    neverLeft: sent.reduce((sum, one) => sum + one.lost, 0),
    latency: traffic.latency,
  }
}

/** Words for a transport of which only the protocol is known. */
export function protocolName(ipProtocol: number): string {
  if (ipProtocol === IPPROTO_ESP) return TRANSPORT_NAMES[TRANSPORT_ESP]!
  return TRANSPORT_NAMES[ipProtocol === IPPROTO_TCP ? TRANSPORT_STREAM : TRANSPORT_OTHER]!
}

/** Words for a transport that adds `overhead` bytes, outer IP header included, to inner packets padded so. */
export function joinName(ipProtocol: number, outerFamily: 4 | 6, padding: Padding, overhead: number): string {
  if (ipProtocol === IPPROTO_ESP || ipProtocol === IPPROTO_TCP) return protocolName(ipProtocol)
  const added = overhead - (outerFamily === 6 ? 40 : 20) - UDP_HEADER_LEN
  const { unit, trailer } = padding
  if (unit === 16 && trailer === 0 && added === WIREGUARD_LEN) return TRANSPORT_NAMES[TRANSPORT_WIREGUARD]!
  if (unit === 4 && added === ESP_GCM_LEN) return TRANSPORT_NAMES[TRANSPORT_ESP_NAT_T]!
  if (unit === 1 && added === 0) return TRANSPORT_NAMES[TRANSPORT_IP_IN_UDP]!
  if (unit === 1 && (added === OPENVPN_AEAD_LEN || added === OPENVPN_AEAD_EPOCH_LEN)) {
    return TRANSPORT_NAMES[TRANSPORT_OPENVPN_UDP]!
  }
  if (unit === 16 && trailer === 5) return TRANSPORT_NAMES[TRANSPORT_OPENVPN_UDP]!
  return TRANSPORT_NAMES[TRANSPORT_OTHER]!
}
