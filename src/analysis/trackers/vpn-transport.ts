// HOT PATH. VPN transports seen on the wire, known by their message format: WireGuard, OpenVPN over UDP and TCP, ESP and
// IPsec NAT-T, and IP packets put into UDP as they are.
import { IPPROTO_ESP, IPPROTO_TCP, IPPROTO_UDP, PORT_IPSEC_NAT_T } from '../../constants/wire.ts'
import { type DecodedBatch, ROW_FRAGMENT } from '../../model/decoded-batch.ts'
import { LAYER_DNS, LAYER_NBNS } from '../../model/layer.ts'
import type { PacketBatch } from '../../model/packet-batch.ts'
import type { AddressTable } from './addresses.ts'

export const TRANSPORT_NONE = 0
export const TRANSPORT_WIREGUARD = 1
export const TRANSPORT_OPENVPN_UDP = 2
export const TRANSPORT_ESP = 3
export const TRANSPORT_ESP_NAT_T = 4
export const TRANSPORT_OPENVPN_TCP = 5
export const TRANSPORT_IP_IN_UDP = 6
/** Known by its lengths alone. */
export const TRANSPORT_OTHER = 7
export const TRANSPORT_STREAM = 8

export const TRANSPORT_NAMES: readonly string[] = Object.freeze([
  '',
  'WireGuard',
  'OpenVPN (UDP)',
  'IPsec ESP',
  'IPsec ESP in UDP',
  'OpenVPN (TCP)',
  'IP in UDP',
  'an unknown transport over UDP',
  'a TCP stream',
])

/** One VPN server as seen from the packets. */
export interface VpnEndpoint {
  interfaceId: number
  addressId: number
  /** 0 for protocols without ports. */
  port: number
  transport: number
  /** Who talks to the server. */
  clientId: number
  packets: number
  firstMicros: number
  lastMicros: number
  /** Times in which it was talked to; another server was between them. STINT_FIELDS each: start, end, packets. */
  stints: readonly number[]
  /** Packets went both ways, or so many one way that chance is ruled out: a tunnel, not an attempt. */
  isUsed: boolean
  /** The client opened a session; whether it was answered is `isUsed`. */
  isDialled: boolean
}

export interface VpnTransportTracker {
  packet(batch: PacketBatch, out: DecodedBatch, row: number): void
  /** The servers, most packets first. `own` tells this machine's addresses, where no handshake showed who is who. */
  endpoints(own: (interfaceId: number) => ReadonlySet<number>): VpnEndpoint[]
  /** TRANSPORT_* of the messages to and from that server, as their format says; TRANSPORT_NONE when it says too little. */
  transportOf(addressId: number, port: number): number
  /** The transport an interface carries, in words, or undefined. */
  carried(interfaceId: number): string | undefined
}

/** Numbers that a stint takes. */
export const STINT_FIELDS = 3

/** Pairs of peers remembered; a machine has one or two. */
const MAX_PEERS = 64
/** Stints remembered of one pair; somebody who changes servers more often sees the last one grow. */
const MAX_STINTS = 256
/** A server that another one relieved is back when it was silent for so long; what is on its way comes sooner. */
const STINT_GAP_MICROS = 1_000_000
/** Data packets alone prove nothing after fewer than these: four header bytes can come about by chance. */
const MIN_DATA_PACKETS = 8

/** Who of a pair is the server. */
const SERVER_UNKNOWN = 0
const SERVER_IS_SOURCE = 1
const SERVER_IS_DESTINATION = 2
/** Counts for a pair whose handshake was seen, and opens none: the packet alone proves too little. */
const SERVER_KNOWN_PAIR = 3

interface Peers {
  interfaceId: number
  transport: number
  addressA: number
  portA: number
  addressB: number
  portB: number
  /** Of a handshake: 1 = A, 2 = B, 0 = none was seen. */
  server: number
  /** Handshake messages seen, by who is the server in them: bit 0 and bit 1. */
  handshake: number
  packets: number
  /** Packets from A, the sender of the first one. */
  packetsFromA: number
  firstMicros: number
  lastMicros: number
  readonly stints: number[]
}

export function createVpnTransportTracker(addresses: AddressTable): VpnTransportTracker {
  const peers: Peers[] = []

  /** The pair that the last packet belonged to. */
  let latest: Peers | undefined

  /** By transport: a session was opened, so that its data packets count. */
  const isOpened = new Uint8Array(TRANSPORT_NAMES.length)

  function note(batch: PacketBatch, out: DecodedBatch, row: number, transport: number, server: number): void {
    if (server === SERVER_KNOWN_PAIR) {
      if (isOpened[transport] === 0) return
    } else isOpened[transport] = 1
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
      if (forward) pair.packetsFromA++
      noteStint(pair, time)
      if (server === SERVER_UNKNOWN || server === SERVER_KNOWN_PAIR) return
      pair.server = forward ? server : 3 - server
      pair.handshake |= server
      return
    }
    if (peers.length < MAX_PEERS && server !== SERVER_KNOWN_PAIR) {
      addPeers(peers, batch.interfaceId[row]!, transport, source, srcPort, destination, dstPort, server, time)
    }
  }

  function noteStint(pair: Peers, timeMicros: number): void {
    const { stints } = pair
    const isBack = latest !== pair && timeMicros - pair.lastMicros > STINT_GAP_MICROS
    if (isBack && stints.length < MAX_STINTS * STINT_FIELDS) stints.push(timeMicros, timeMicros, 0)
    stints[stints.length - 1]!++
    if (timeMicros <= pair.lastMicros) return
    stints[stints.length - 2] = timeMicros
    pair.lastMicros = timeMicros
    latest = pair
  }

  /** COLD PATH: for the report. */
  function endpointOf(pair: Peers, own: (interfaceId: number) => ReadonlySet<number>): VpnEndpoint {
    const isOwn = (addressId: number) => own(pair.interfaceId).has(addressId)
    const isA =
      pair.server !== SERVER_UNKNOWN ? pair.server === SERVER_IS_SOURCE : isOwn(pair.addressB) && !isOwn(pair.addressA)
    return {
      interfaceId: pair.interfaceId,
      addressId: isA ? pair.addressA : pair.addressB,
      port: isA ? pair.portA : pair.portB,
      transport: pair.transport,
      clientId: isA ? pair.addressB : pair.addressA,
      isUsed: isUsed(pair),
      isDialled: pair.transport !== TRANSPORT_ESP_NAT_T && (pair.handshake & SERVER_IS_DESTINATION) !== 0,
      packets: pair.packets,
      firstMicros: pair.firstMicros,
      lastMicros: pair.lastMicros,
      stints: pair.stints,
    }
  }

  return {
    packet(batch, out, row) {
      // A first fragment knows its ports, but its payload is the transport's header.
      if ((out.flags[row]! & ROW_FRAGMENT) !== 0) return
      const protocol = out.ipProtocol[row]
      const layer = out.layer[row]!
      if (protocol === IPPROTO_UDP) {
        // What reads as DNS is DNS: its first bytes are a random id.
        if (layer >= LAYER_DNS && layer <= LAYER_NBNS) return
        const kind = udpTransport(
          batch.bytes,
          out.payloadAt[row]!,
          out.payloadLen[row]!,
          out.payloadWireLen[row]!,
          out.srcPort[row]!,
          out.dstPort[row]!,
        )
        if (kind > 0) note(batch, out, row, kind >> 2, kind & 3)
      } else if (protocol === IPPROTO_TCP) {
        const kind = tcpTransport(batch.bytes, out.payloadAt[row]!, out.payloadLen[row]!, out.payloadWireLen[row]!)
        if (kind > 0) note(batch, out, row, kind >> 2, kind & 3)
      } else if (protocol === IPPROTO_ESP && out.ipVersion[row] !== 0) {
        note(batch, out, row, TRANSPORT_ESP, SERVER_UNKNOWN)
      }
    },
    /** COLD PATH: for the report. */
    endpoints: (own) =>
      peers
        .filter((pair) => pair.server !== SERVER_UNKNOWN || pair.packets >= MIN_DATA_PACKETS || isEspBothWays(pair))
        .map((pair) => endpointOf(pair, own))
        .sort((a, b) => b.packets - a.packets),
    /** COLD PATH: for the report. What is on port 4500 and known by nothing else says no more than that. */
    transportOf(addressId, port) {
      const pair = peers.find(
        (one) =>
          one.packets >= MIN_DATA_PACKETS &&
          one.transport !== TRANSPORT_ESP_NAT_T &&
          ((one.addressA === addressId && one.portA === port) || (one.addressB === addressId && one.portB === port)),
      )
      return pair?.transport ?? TRANSPORT_NONE
    },
    /** COLD PATH: for the report. */
    carried(interfaceId) {
      const pair = peers.find(
        (one) =>
          one.interfaceId === interfaceId && ((one.packets >= MIN_DATA_PACKETS && isUsed(one)) || isEspBothWays(one)),
      )
      return pair === undefined ? undefined : TRANSPORT_NAMES[pair.transport]
    },
  }
}

/** OpenVPN's opcode alone is too little: both resets of a handshake must have been seen. */
function isUsed(pair: Peers): boolean {
  if (pair.transport === TRANSPORT_OPENVPN_UDP || pair.transport === TRANSPORT_OPENVPN_TCP) {
    return pair.handshake === (SERVER_IS_SOURCE | SERVER_IS_DESTINATION)
  }
  return pair.packets >= MIN_DATA_PACKETS || (pair.packetsFromA > 0 && pair.packetsFromA < pair.packets)
}

/** ESP has a protocol number of its own: no chance, and both sides have keys. */
function isEspBothWays(pair: Peers): boolean {
  return pair.transport === TRANSPORT_ESP && pair.packetsFromA > 0 && pair.packetsFromA < pair.packets
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
  const times = { firstMicros: timeMicros, lastMicros: timeMicros, stints: [timeMicros, timeMicros, 1] }
  const once = { handshake: server, packets: 1, packetsFromA: 1 }
  peers.push({ interfaceId, transport, addressA, portA, addressB, portB, server, ...once, ...times })
}

/** The transport of a UDP payload times four, plus SERVER_*; 0 when it is none we know. */
function udpTransport(
  bytes: Uint8Array,
  at: number,
  len: number,
  wireLen: number,
  srcPort: number,
  dstPort: number,
): number {
  if (len < 14) return 0
  const first = bytes[at]!
  // WireGuard: type 1-4, three reserved zero bytes, and the exact or padded length of that type (whitepaper 5.4).
  if (first >= 1 && first <= 4 && bytes[at + 1] === 0 && bytes[at + 2] === 0 && bytes[at + 3] === 0) {
    if (first === 1 && len === 148) return (TRANSPORT_WIREGUARD << 2) | SERVER_IS_DESTINATION
    if (first === 2 && len === 92) return (TRANSPORT_WIREGUARD << 2) | SERVER_IS_SOURCE
    return first === 4 && len >= 32 && (len & 15) === 0 ? TRANSPORT_WIREGUARD << 2 : 0
  }
  // OpenVPN: opcode in the upper five bits, key id in the lower three: hard resets (7, 8) open a session.
  if (first === 0x38 && isResetLen(wireLen)) return (TRANSPORT_OPENVPN_UDP << 2) | SERVER_IS_DESTINATION
  if (first === 0x40 && isResetLen(wireLen - RESET_ACK_LEN)) return (TRANSPORT_OPENVPN_UDP << 2) | SERVER_IS_SOURCE
  if (isOpenVpnSession(first)) return (TRANSPORT_OPENVPN_UDP << 2) | SERVER_KNOWN_PAIR
  if (isWholeIpPacket(bytes, at, len, wireLen)) return TRANSPORT_IP_IN_UDP << 2
  if ((srcPort === PORT_IPSEC_NAT_T || dstPort === PORT_IPSEC_NAT_T) && !isNonEspMarker(bytes, at)) {
    return (TRANSPORT_ESP_NAT_T << 2) | (dstPort === PORT_IPSEC_NAT_T ? SERVER_IS_DESTINATION : SERVER_IS_SOURCE)
  }
  return 0
}

/** The server's reset also acknowledges the client's: one packet id and the client's session id. */
const RESET_ACK_LEN = 12

/** A reset is 14 bytes, and with tls-auth or tls-crypt 8 more and a digest of MD5, SHA-1, SHA-2 of any length. */
function isResetLen(len: number): boolean {
  switch (len - 22) {
    case -8:
    case 16:
    case 20:
    case 28:
    case 32:
    case 48:
    case 64:
      return true
    default:
      return false
  }
}

/** OpenVPN's packets between the resets: control, acknowledgement and data, opcodes 3 to 6 and 9, key 0. */
function isOpenVpnSession(first: number): boolean {
  const opcode = first >> 3
  return (opcode >= 3 && opcode <= 6) || opcode === 9
}

/** Over TCP each packet stands behind its length; a segment that holds just one reset opens the session. */
function tcpTransport(bytes: Uint8Array, at: number, len: number, wireLen: number): number {
  if (len < 16) return 0
  const first = bytes[at + 2]!
  const packetLen = (bytes[at]! << 8) | bytes[at + 1]!
  if (packetLen === wireLen - 2) {
    if (first === 0x38 && isResetLen(packetLen)) return (TRANSPORT_OPENVPN_TCP << 2) | SERVER_IS_DESTINATION
    if (first === 0x40 && isResetLen(packetLen - RESET_ACK_LEN)) return (TRANSPORT_OPENVPN_TCP << 2) | SERVER_IS_SOURCE
  }
  return packetLen >= 14 && isOpenVpnSession(first) ? (TRANSPORT_OPENVPN_TCP << 2) | SERVER_KNOWN_PAIR : 0
}

/** The payload is one IP packet and nothing else: version, header length and total length say so. */
function isWholeIpPacket(bytes: Uint8Array, at: number, len: number, wireLen: number): boolean {
  const first = bytes[at]!
  if (len < 20) return false
  if (first === 0x45) {
    const protocol = bytes[at + 9]
    return ((bytes[at + 2]! << 8) | bytes[at + 3]!) === wireLen && (protocol === 1 || protocol === 6 || protocol === 17)
  }
  if (len < 40 || first >> 4 !== 6 || ((bytes[at + 4]! << 8) | bytes[at + 5]!) !== wireLen - 40) return false
  const next = bytes[at + 6]
  return next === 6 || next === 17 || next === 58
}

/** Four zero bytes mark IKE on port 4500 (RFC 3948 2.2). */
function isNonEspMarker(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0 && bytes[at + 1] === 0 && bytes[at + 2] === 0 && bytes[at + 3] === 0
}
