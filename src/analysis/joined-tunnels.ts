// What the inner/outer join adds to the rest of the analysis: servers that no message format gave away, interfaces that
// are tunnels because their packets leave in another flow, measured overheads, and the report's `tunnels`.
import type { CaptureInterface } from '../model/capture-interface.ts'
import type { ReportTunnel } from '../model/report.ts'
import { utcTime } from '../text/timestamp.ts'
import type { OuterTunnel } from './path-context.ts'
import type { RoleDecision } from './roles.ts'
import type { AddressTable } from './trackers/addresses.ts'
import type { TunnelJoin } from './trackers/join-description.ts'
import { latencyQuantile } from './trackers/resolvers.ts'
import type { TunnelJoinTracker } from './trackers/tunnel-join.ts'
import type { VolumeJoin } from './trackers/volume-description.ts'
import type { VolumeJoinTracker } from './trackers/volume-join.ts'
import {
  TRANSPORT_NAMES,
  TRANSPORT_OTHER,
  TRANSPORT_STREAM,
  type VpnEndpoint,
  type VpnTransportTracker,
} from './trackers/vpn-transport.ts'

/** Transports of which the join knows no more than the protocol. */
const UNSPECIFIC = [TRANSPORT_NAMES[TRANSPORT_OTHER], TRANSPORT_NAMES[TRANSPORT_STREAM]]

/** What both kinds of join tell. */
type Join = TunnelJoin | VolumeJoin

/** The servers that `vpn` knows by format together with those that the join found. */
export function withJoins(
  vpn: VpnTransportTracker,
  join: TunnelJoinTracker,
  volume: VolumeJoinTracker,
): VpnTransportTracker {
  const all = (): Join[] => [...join.joins(), ...volume.joins()]
  return {
    packet: vpn.packet,
    transportOf: vpn.transportOf,
    endpoints(own) {
      const known = vpn.endpoints(own)
      const isKnown = (one: Join): boolean =>
        known.some((other) => other.addressId === one.endpointId && other.port === one.endpointPort)
      return [
        ...known,
        ...all()
          .filter((one) => !isKnown(one))
          .map(endpointOf),
      ]
    },
    carried(interfaceId) {
      const byFormat = vpn.carried(interfaceId)
      return byFormat ?? all().find((one) => one.outerInterfaceId === interfaceId)?.transport
    },
  }
}

function endpointOf(one: Join): VpnEndpoint {
  const transport = TRANSPORT_NAMES.indexOf(one.transport)
  return {
    interfaceId: one.outerInterfaceId,
    addressId: one.endpointId,
    port: one.endpointPort,
    transport: transport > 0 ? transport : TRANSPORT_OTHER,
    clientId: one.clientId,
    packets: one.packets,
    firstMicros: one.firstMicros,
    lastMicros: one.lastMicros,
    stints: [one.firstMicros, one.lastMicros, one.packets],
    isUsed: true,
    isDialled: false,
  }
}

/** The format of the messages says more of a transport than what their lengths suggest. */
function transportOf(one: Join, vpn: Pick<VpnTransportTracker, 'transportOf'>): string {
  return TRANSPORT_NAMES[vpn.transportOf(one.endpointId, one.endpointPort)] || one.transport
}

/** An interface whose packets leave in a flow of another one is a tunnel, whatever its name and link type. */
export function joinedRoles(
  roles: readonly RoleDecision[],
  joins: readonly TunnelJoin[],
  volumes: readonly VolumeJoin[],
  vpn: Pick<VpnTransportTracker, 'transportOf'>,
): RoleDecision[] {
  return roles.map((decided, id) => {
    const volume = volumes.find((one) => one.innerInterfaceId === id)
    if (volume !== undefined) {
      return {
        ...decided,
        reasons: [...decided.reasons, `${transportOf(volume, vpn)} carries as much at the same moments`],
      }
    }
    const join = joins.find((one) => one.innerInterfaceId === id)
    if (join === undefined) return decided
    const reason = `its packets leave in ${transportOf(join, vpn)}, ${join.overhead} bytes longer`
    if (decided.role === 'unknown') return { role: 'tunnel', reasons: [reason, ...decided.reasons] }
    return decided.role === 'tunnel' ? { role: 'tunnel', reasons: [...decided.reasons, reason] } : decided
  })
}

/** The tunnels with what they were measured to add. */
export function measuredTunnels(
  tunnels: readonly OuterTunnel[],
  joins: readonly TunnelJoin[],
  addresses: AddressTable,
  vpn: Pick<VpnTransportTracker, 'transportOf'>,
): OuterTunnel[] {
  return tunnels.map((tunnel) => {
    const join = joins.find((one) => one.exact && addresses.text(one.endpointId) === tunnel.server)
    if (join === undefined) return tunnel
    const told = transportOf(join, vpn)
    const transport = TRANSPORT_NAMES.includes(told) ? told : tunnel.transport
    const measured = { bytes: join.overhead, unit: join.paddingTo, trailer: join.trailer }
    return { ...tunnel, transport, measured }
  })
}

/** The report's `tunnels`; `known`: all servers, those that a message format gave away first. */
export function reportTunnels(
  joins: readonly TunnelJoin[],
  volumes: readonly VolumeJoin[],
  known: readonly VpnEndpoint[],
  vpn: Pick<VpnTransportTracker, 'transportOf'>,
  addresses: AddressTable,
  interfaces: readonly CaptureInterface[],
): ReportTunnel[] {
  /** The format of the messages says more than that it is a stream. */
  const wordsOf = (one: Join): string => {
    const told = transportOf(one, vpn)
    const server = known.find((other) => other.addressId === one.endpointId && other.port === one.endpointPort)
    return UNSPECIFIC.includes(told) ? TRANSPORT_NAMES[server?.transport ?? 0] || told : told
  }
  const common = (one: Join) => ({
    interface: nameOf(interfaces[one.innerInterfaceId]),
    outerInterface: nameOf(interfaces[one.outerInterfaceId]),
    endpoint: addresses.text(one.endpointId),
    port: one.endpointPort,
    transport: wordsOf(one),
    outerFamily: one.outerFamily === 6 ? ('ipv6' as const) : ('ipv4' as const),
  })
  const times = (one: Join) => ({ first: utcTime(one.firstMicros), last: utcTime(one.lastMicros) })
  const byPackets = joins.map((one): ReportTunnel => {
    const p50 = latencyQuantile(one.latency, 0.5)
    const p95 = latencyQuantile(one.latency, 0.95)
    return {
      ...common(one),
      matchedBy: 'packets',
      confidence: one.exact ? 'strong' : 'probable',
      overhead: one.overhead,
      overheadIsExact: one.exact,
      paddingTo: one.paddingTo,
      packets: one.packets,
      explained: one.matched,
      entered: one.entered,
      neverLeft: one.neverLeft,
      ...times(one),
      ...(p50 === undefined ? {} : { addedP50Ms: Number((p50 / 1000).toPrecision(3)) }),
      ...(p95 === undefined ? {} : { addedP95Ms: Number((p95 / 1000).toPrecision(3)) }),
    }
  })
  const byVolume = volumes.map((one): ReportTunnel => {
    return {
      ...common(one),
      matchedBy: 'volume',
      confidence: 'probable',
      overheadIsExact: false,
      packets: one.packets,
      correlation: Number(one.correlation.toFixed(3)),
      moments: one.moments,
      addedShare: Number(one.growth.toFixed(3)),
      ...times(one),
    }
  })
  return [...byPackets, ...byVolume]
}

function nameOf(one: CaptureInterface | undefined): string {
  return one?.name ?? one?.inputName ?? ''
}
