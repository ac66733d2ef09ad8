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
  /** Address of the side that answered the handshake or was first sent to. */
  addressId: number
  port: number
  transport: number
  packets: number
  firstMicros: number
  lastMicros: number
}

export interface VpnTransportTracker {
  packet(batch: PacketBatch, out: DecodedBatch, row: number): void
  readonly endpoints: readonly VpnEndpoint[]
  /** The transport an interface carries, in words, or undefined. */
  carried(interfaceId: number): string | undefined
}

/** Endpoints remembered; a machine has one or two. */
const MAX_ENDPOINTS = 64
/** Data packets alone prove nothing after fewer than these: four header bytes can come about by chance. */
const MIN_DATA_PACKETS = 8

export function createVpnTransportTracker(addresses: AddressTable): VpnTransportTracker {
  const endpoints: VpnEndpoint[] = []

  function note(batch: PacketBatch, out: DecodedBatch, row: number, transport: number, toServer: boolean): void {
    const addressId = addresses.intern(out.addresses, (row << 3) + (toServer ? 4 : 0))
    const port = toServer ? out.dstPort[row]! : out.srcPort[row]!
    const time = batch.timeMicros[row]!
    for (let i = 0; i < endpoints.length; i++) {
      const known = endpoints[i]!
      if (known.addressId === addressId && known.port === port && known.transport === transport) {
        known.packets++
        if (time > known.lastMicros) known.lastMicros = time
        return
      }
    }
    if (endpoints.length < MAX_ENDPOINTS)
      addEndpoint(endpoints, batch.interfaceId[row]!, addressId, port, transport, time)
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
        if (kind > 0) note(batch, out, row, kind >> 1, (kind & 1) === 1)
      } else if (protocol === IPPROTO_ESP && out.ipVersion[row] !== 0) {
        note(batch, out, row, TRANSPORT_ESP, true)
      }
    },
    endpoints,
    carried(interfaceId) {
      const seen = endpoints.find((one) => one.interfaceId === interfaceId && one.packets >= MIN_DATA_PACKETS)
      if (seen === undefined) return undefined
      const port = seen.port === 0 ? '' : ` port ${seen.port}`
      return `${TRANSPORT_NAMES[seen.transport]} with ${addresses.text(seen.addressId)}${port}`
    },
  }
}

function addEndpoint(
  endpoints: VpnEndpoint[],
  interfaceId: number,
  addressId: number,
  port: number,
  transport: number,
  timeMicros: number,
): void {
  endpoints.push({
    interfaceId,
    addressId,
    port,
    transport,
    packets: 1,
    firstMicros: timeMicros,
    lastMicros: timeMicros,
  })
}

/** The transport of a UDP payload times two, plus one when it goes to the server; 0 when it is none we know. */
function udpTransport(bytes: Uint8Array, at: number, len: number, srcPort: number, dstPort: number): number {
  if (len < 14) return 0
  const first = bytes[at]!
  // WireGuard: type 1-4, three reserved zero bytes, and the exact or padded length of that type (whitepaper 5.4).
  if (first >= 1 && first <= 4 && bytes[at + 1] === 0 && bytes[at + 2] === 0 && bytes[at + 3] === 0) {
    if (first === 1 && len === 148) return (TRANSPORT_WIREGUARD << 1) | 1
    if (first === 2 && len === 92) return TRANSPORT_WIREGUARD << 1
    if (first === 4 && len >= 32 && (len & 15) === 0)
      return (TRANSPORT_WIREGUARD << 1) | lowerPortIsServer(srcPort, dstPort)
    return 0
  }
  // OpenVPN: opcode in the upper five bits, key id in the lower three: hard resets (7, 8) open a session.
  if (first === 0x38 && len >= 14 && len <= 200) return (TRANSPORT_OPENVPN_UDP << 1) | 1
  if (first === 0x40 && len >= 22 && len <= 200) return TRANSPORT_OPENVPN_UDP << 1
  if ((srcPort === PORT_IPSEC_NAT_T || dstPort === PORT_IPSEC_NAT_T) && !isNonEspMarker(bytes, at)) {
    return (TRANSPORT_ESP_NAT_T << 1) | (dstPort === PORT_IPSEC_NAT_T ? 1 : 0)
  }
  return 0
}

function lowerPortIsServer(srcPort: number, dstPort: number): number {
  return dstPort <= srcPort ? 1 : 0
}

/** Four zero bytes mark IKE on port 4500 (RFC 3948 2.2). */
function isNonEspMarker(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0 && bytes[at + 1] === 0 && bytes[at + 2] === 0 && bytes[at + 3] === 0
}
