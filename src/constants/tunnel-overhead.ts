// What a tunnel adds to each inner packet, and the sizes that paths usually have. Sizes are bytes of whole IP packets.

/** The inner packet with its trailer is padded to `unit`; `v4` and `v6` are what else stands before and behind it. */
export interface TunnelOverhead {
  readonly name: string
  readonly v4: number
  readonly v6: number
  readonly unit: number
  /** Bytes that are padded together with the inner packet. */
  readonly trailer: number
  /** What the figures are made of, and what was assumed. */
  readonly note: string
}

/**
 * Outer IP 20 or 40, UDP 8, then the transport's own. WireGuard pads to 16, but never above its MTU (whitepaper 5.4.6);
 * OpenVPN as its data channel version 2 with an AEAD cipher; ESP with AES-GCM (RFC 4303 2, RFC 4106), in UDP RFC 3948 2.1.
 */
export const TUNNEL_OVERHEADS: Readonly<Record<string, TunnelOverhead>> = Object.freeze({
  WireGuard: { name: 'WireGuard', v4: 60, v6: 80, unit: 1, trailer: 0, note: 'IP, UDP 8, header 16, tag 16' },
  'OpenVPN (UDP)': {
    name: 'OpenVPN',
    v4: 52,
    v6: 72,
    unit: 1,
    trailer: 0,
    note: 'IP, UDP 8, opcode 4, packet id 4, tag 16; an AEAD cipher assumed',
  },
  'OpenVPN (TCP)': {
    name: 'OpenVPN over TCP',
    v4: 78,
    v6: 98,
    unit: 1,
    trailer: 0,
    note: 'IP, TCP 32 with timestamps, length 2, opcode 4, packet id 4, tag 16; a stream, so packets may share segments',
  },
  'IP in UDP': { name: 'IP in UDP', v4: 28, v6: 48, unit: 1, trailer: 0, note: 'IP, UDP 8' },
  'IPsec ESP': {
    name: 'ESP',
    v4: 52,
    v6: 72,
    unit: 4,
    trailer: 2,
    note: 'IP, ESP 8, IV 8, ICV 16, padding to 4; AES-GCM assumed',
  },
  'IPsec ESP in UDP': {
    name: 'ESP in UDP',
    v4: 60,
    v6: 80,
    unit: 4,
    trailer: 2,
    note: 'IP, UDP 8, ESP 8, IV 8, ICV 16, padding to 4; AES-GCM assumed',
  },
})

/** Path MTUs that have a cause with a name. */
export const UNDERLAY_NAMES: Readonly<Record<number, string>> = Object.freeze({
  1500: 'Ethernet',
  1492: 'PPPoE',
  1480: '6in4',
  1476: 'GRE',
  1460: 'DS-Lite',
  1450: 'VXLAN',
})

/** RFC 1191 7: sizes at which old routers' links end, when they do not tell their MTU. */
export const MTU_PLATEAUS: readonly number[] = Object.freeze([
  65_535, 32_000, 17_914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68,
])

/** Below these a "too big" message must be thrown away: RFC 791 3.2, RFC 8201 4. */
export const MIN_MTU_V4 = 68
export const MIN_MTU_V6 = 1280

/** IP and TCP headers without options: what lies between an MTU and the MSS that fits it (RFC 6691 2). */
export const TCP_HEADERS_V4 = 40
export const TCP_HEADERS_V6 = 60

/** The MSS of a SYN that names none (RFC 9293 3.7.1). */
export const DEFAULT_MSS_V4 = 536
export const DEFAULT_MSS_V6 = 1220
