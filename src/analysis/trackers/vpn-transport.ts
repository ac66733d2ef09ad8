// HOT PATH. VPN transports seen on the wire: WireGuard, OpenVPN over UDP, ESP and IPsec NAT-T, known by their message format.
import { IPPROTO_ESP, IPPROTO_UDP, PORT_IPSEC_NAT_T } from '../../constants/wire.ts'
import type { DecodedBatch } from '../../model/decoded-batch.ts'
import type { PacketBatch } from '../../model/packet-batch.ts'
import type { AddressTable } from './addresses.ts'

export const TRANSPORT_NONE = 0
export const TRANSPORT_WIREGUARD = 1
export const TRANSPORT_OPENVPN_UDP = 2
export const TRANSPORT_ESP = 3
export const TRANSPORT_ESP_NAT_T = 4

export const TRANSPORT_NAMES: readonly string[] = Object.freeze([
  '',
  'WireGuard',
  'OpenVPN (UDP)',
  'IPsec ESP',
  'IPsec ESP in UDP',
])

/** One VPN server as seen from the packets. */
export interface VpnEndpoint {
  interfaceId: number
  addressId: number
  /** 0 for protocols without ports. */
  port: number
  transport: number
  packets: number
  firstMicros: number
  lastMicros: number
}

export interface VpnTransportTracker {
  packet(batch: PacketBatch, out: DecodedBatch, row: number): void
  /** The servers, most packets first. `own` tells this machine's addresses, where no handshake showed who is who. */
  endpoints(own: (interfaceId: number) => ReadonlySet<number>): VpnEndpoint[]
  /** The transport an interface carries, in words, or undefined. */
  carried(interfaceId: number): string | undefined
}

/** Pairs of peers remembered; a machine has one or two. */
const MAX_PEERS = 64
/** Data packets alone prove nothing after fewer than these: four header bytes can come about by chance. */
const MIN_DATA_PACKETS = 8

/** Who of a pair is the server. */
const SERVER_UNKNOWN = 0
const SERVER_IS_SOURCE = 1
const SERVER_IS_DESTINATION = 2

interface Peers {
  interfaceId: number
  transport: number
  addressA: number
  portA: number
  addressB: number
  portB: number
  /** Of a handshake: 1 = A, 2 = B, 0 = none was seen. */
  server: number
  packets: number
  firstMicros: number
  lastMicros: number
}

export function createVpnTransportTracker(addresses: AddressTable): VpnTransportTracker {
  const peers: Peers[] = []

  function note(batch: PacketBatch, out: DecodedBatch, row: number, transport: number, server: number): void {
    const source = addresses.intern(out.addresses, row << 3)
    const destination = addresses.intern(out.addresses, (row << 3) + 4)
    const srcPort = out.srcPort[row]!
    const dstPort = out.dstPort[row]!
    const time = batch.timeMicros[row]!
    for (let i = 0; i < peers.length; i++) {
      const pair = peers[i]!
      if (pair.transport !== transport) continue
      const forward =
        pair.addressA === source && pair.portA === srcPort && pair.addressB === destination && pair.portB === dstPort
      const backward =
        pair.addressA === destination && pair.portA === dstPort && pair.addressB === source && pair.portB === srcPort
      if (!forward && !backward) continue
      pair.packets++
      if (time > pair.lastMicros) pair.lastMicros = time
      if (server !== SERVER_UNKNOWN) pair.server = forward ? server : 3 - server
      return
    }
    if (peers.length < MAX_PEERS) {
      addPeers(peers, batch.interfaceId[row]!, transport, source, srcPort, destination, dstPort, server, time)
    }
  }

  /** COLD PATH: for the report. */
  function endpointOf(pair: Peers, own: ReadonlySet<number>): VpnEndpoint {
    const isA =
      pair.server !== SERVER_UNKNOWN
        ? pair.server === SERVER_IS_SOURCE
        : own.has(pair.addressB) && !own.has(pair.addressA)
    return {
      interfaceId: pair.interfaceId,
      addressId: isA ? pair.addressA : pair.addressB,
      port: isA ? pair.portA : pair.portB,
      transport: pair.transport,
      packets: pair.packets,
      firstMicros: pair.firstMicros,
      lastMicros: pair.lastMicros,
    }
  }

  return {
    packet(batch, out, row) {
      const protocol = out.ipProtocol[row]
      if (protocol === IPPROTO_UDP) {
        const kind = udpTransport(
          batch.bytes,
          out.payloadAt[row]!,
          out.payloadLen[row]!,
          out.srcPort[row]!,
          out.dstPort[row]!,
        )
        if (kind > 0) note(batch, out, row, kind >> 2, kind & 3)
      } else if (protocol === IPPROTO_ESP && out.ipVersion[row] !== 0) {
        note(batch, out, row, TRANSPORT_ESP, SERVER_UNKNOWN)
      }
    },
    /** COLD PATH: for the report. */
    endpoints: (own) =>
      peers
        .filter((pair) => pair.server !== SERVER_UNKNOWN || pair.packets >= MIN_DATA_PACKETS)
        .map((pair) => endpointOf(pair, own(pair.interfaceId)))
        .sort((a, b) => b.packets - a.packets),
    /** COLD PATH: for the report. */
    carried(interfaceId) {
      const pair = peers.find((one) => one.interfaceId === interfaceId && one.packets >= MIN_DATA_PACKETS)
      return pair === undefined ? undefined : TRANSPORT_NAMES[pair.transport]
    },
  }
}

/** COLD PATH: once for every pair. */
function addPeers(
  peers: Peers[],
  interfaceId: number,
  transport: number,
  addressA: number,
  portA: number,
  addressB: number,
  portB: number,
  server: number,
  timeMicros: number,
): void {
  const times = { firstMicros: timeMicros, lastMicros: timeMicros }
  peers.push({ interfaceId, transport, addressA, portA, addressB, portB, server, packets: 1, ...times })
}

/** The transport of a UDP payload times four, plus SERVER_*; 0 when it is none we know. */
function udpTransport(bytes: Uint8Array, at: number, len: number, srcPort: number, dstPort: number): number {
  if (len < 14) return 0
  const first = bytes[at]!
  // WireGuard: type 1-4, three reserved zero bytes, and the exact or padded length of that type (whitepaper 5.4).
  if (first >= 1 && first <= 4 && bytes[at + 1] === 0 && bytes[at + 2] === 0 && bytes[at + 3] === 0) {
    if (first === 1 && len === 148) return (TRANSPORT_WIREGUARD << 2) | SERVER_IS_DESTINATION
    if (first === 2 && len === 92) return (TRANSPORT_WIREGUARD << 2) | SERVER_IS_SOURCE
    return first === 4 && len >= 32 && (len & 15) === 0 ? TRANSPORT_WIREGUARD << 2 : 0
  }
  // OpenVPN: opcode in the upper five bits, key id in the lower three: hard resets (7, 8) open a session.
  if (first === 0x38 && len <= 200) return (TRANSPORT_OPENVPN_UDP << 2) | SERVER_IS_DESTINATION
  if (first === 0x40 && len >= 22 && len <= 200) return (TRANSPORT_OPENVPN_UDP << 2) | SERVER_IS_SOURCE
  if ((srcPort === PORT_IPSEC_NAT_T || dstPort === PORT_IPSEC_NAT_T) && !isNonEspMarker(bytes, at)) {
    return (TRANSPORT_ESP_NAT_T << 2) | (dstPort === PORT_IPSEC_NAT_T ? SERVER_IS_DESTINATION : SERVER_IS_SOURCE)
  }
  return 0
}

/** Four zero bytes mark IKE on port 4500 (RFC 3948 2.2). */
function isNonEspMarker(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0 && bytes[at + 1] === 0 && bytes[at + 2] === 0 && bytes[at + 3] === 0
}
