// What detectors of sizes may ask: roles of interfaces, the VPN servers beneath the tunnel, and arithmetic with overheads.
import {
  TCP_HEADERS_V4,
  TCP_HEADERS_V6,
  TUNNEL_OVERHEADS,
  type TunnelOverhead,
  UNDERLAY_NAMES,
} from '../constants/tunnel-overhead.ts'
import type { TcpMtuProbing } from '../model/network-context.ts'
import type { InterfaceRole } from '../model/report.ts'
import type { AddressTable } from './trackers/addresses.ts'
import type { PathTable } from './trackers/path-table.ts'

/** A tunnel as it looks from outside: its server, what carries it and over which IP version. */
export interface OuterTunnel {
  server: string
  /** In words, as TRANSPORT_NAMES. */
  transport: string
  ipVersion: 4 | 6
  /** What the tunnel adds, where inner and outer packets showed it (rules.md 5); otherwise the table is asked. */
  measured?: MeasuredOverhead
  firstMicros: number
  lastMicros: number
}

/** Bytes added to each inner packet, which is padded to `unit` together with `trailer` bytes. */
export interface MeasuredOverhead {
  bytes: number
  unit: number
  trailer: number
}

export interface PathContext {
  readonly paths: PathTable
  readonly addresses: AddressTable
  roleOf(interfaceId: number): InterfaceRole
  /** Most packets first. */
  outerTunnels(): readonly OuterTunnel[]
  /** The MTU that the system tells of an interface; live only. */
  mtuOf(interfaceId: number): number | undefined
  /** The system's own setting; live only. */
  tcpMtuProbing(): TcpMtuProbing | undefined
}

/** The tunnel whose server has that address. */
export function outerTunnelTo(context: PathContext, ...addresses: readonly string[]): OuterTunnel | undefined {
  return context.outerTunnels().find((one) => addresses.includes(one.server))
}

/** The tunnel in use at that time: there is mostly one. */
export function outerTunnelAt(context: PathContext, timeMicros: number): OuterTunnel | undefined {
  const known = context.outerTunnels()
  return known.find((one) => one.firstMicros <= timeMicros && timeMicros <= one.lastMicros) ?? known[0]
}

export function overheadOf(outer: OuterTunnel): TunnelOverhead | undefined {
  return TUNNEL_OVERHEADS[outer.transport]
}

/** The largest inner packet that fits a path of `pathMtu` unfragmented; undefined when the transport is not known. */
export function innerMtuOf(outer: OuterTunnel, pathMtu: number): number | undefined {
  const { measured } = outer
  const table = overheadOf(outer)
  // WireGuard never pads above its MTU: with the right MTU its padding costs nothing (whitepaper 5.4.6).
  const unit = table?.unit ?? measured?.unit
  if (unit === undefined) return undefined
  const room = pathMtu - (measured?.bytes ?? (outer.ipVersion === 6 ? table!.v6 : table!.v4))
  return Math.floor(room / unit) * unit - (table?.trailer ?? measured?.trailer ?? 0)
}

/** MSS that fits an MTU (RFC 6691 2). */
export function mssOf(mtu: number, ipVersion: number): number {
  return mtu - (ipVersion === 6 ? TCP_HEADERS_V6 : TCP_HEADERS_V4)
}

/** `1412 = PPPoE 1492 - 80 for WireGuard over IPv6`. */
export function sumText(outer: OuterTunnel, pathMtu: number, tunnelMtu: number): string {
  const underlay = UNDERLAY_NAMES[pathMtu]
  const name = overheadOf(outer)?.name ?? outer.transport
  const left = underlay === undefined ? `${pathMtu}` : `${underlay} ${pathMtu}`
  return `${tunnelMtu} = ${left} - ${pathMtu - tunnelMtu} for ${name} over IPv${outer.ipVersion}`
}

/** How sure the overhead is: what the table had to assume, or nothing. */
export function assumptionOf(outer: OuterTunnel): string {
  if (outer.measured !== undefined) return ''
  const note = overheadOf(outer)?.note ?? ''
  return note.includes('assumed') ? note.slice(note.lastIndexOf(';') + 2) : ''
}

/** Of so many servers outside the tunnel at least half must agree, or it is their own MSS and not a router's. */
const MIN_AGREEING_SHARE = 0.5

/**
 * The MTU of the path below the tunnel as the MSS in SYN-ACKs on physical interfaces gives it away: a router on the way
 * has clamped it (rules.md 2.4). Undefined when the MSS is as large as this machine's own or the servers disagree.
 */
export function underlayMtuByMss(context: PathContext): number | undefined {
  const { paths, addresses } = context
  const counts = new Map<number, number>()
  let total = 0
  for (let path = 1; path < paths.count; path++) {
    const server = paths.mss[path * 2 + 1]!
    const own = paths.mss[path * 2]!
    if (server === 0 || own === 0 || context.roleOf(paths.interfaceId[path]!) !== 'physical') continue
    total++
    if (server >= own) continue
    const mtu = server + (addresses.isIpv4(paths.addressId[path]!) ? TCP_HEADERS_V4 : TCP_HEADERS_V6)
    counts.set(mtu, (counts.get(mtu) ?? 0) + 1)
  }
  const [best] = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0])
  return best !== undefined && best[1] >= total * MIN_AGREEING_SHARE ? best[0] : undefined
}
