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
import {
  TRANSPORT_NAMES,
  TRANSPORT_OTHER,
  type VpnEndpoint,
  type VpnTransportTracker,
} from './trackers/vpn-transport.ts'

/** The servers that `vpn` knows by format together with those that the join found. */
export function withJoins(vpn: VpnTransportTracker, join: TunnelJoinTracker): VpnTransportTracker {
  return {
    packet: vpn.packet,
    endpoints(own) {
      const known = vpn.endpoints(own)
      const isKnown = (one: TunnelJoin): boolean =>
        known.some((other) => other.addressId === one.endpointId && other.port === one.endpointPort)
      return [
        ...known,
        ...join
          .joins()
          .filter((one) => !isKnown(one))
          .map(endpointOf),
      ]
    },
    carried(interfaceId) {
      const byFormat = vpn.carried(interfaceId)
      return byFormat ?? join.joins().find((one) => one.outerInterfaceId === interfaceId)?.transport
    },
  }
}

function endpointOf(one: TunnelJoin): VpnEndpoint {
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

/** An interface whose packets leave in a flow of another one is a tunnel, whatever its name and link type. */
export function joinedRoles(roles: readonly RoleDecision[], joins: readonly TunnelJoin[]): RoleDecision[] {
  return roles.map((decided, id) => {
    const join = joins.find((one) => one.innerInterfaceId === id)
    if (join === undefined) return decided
    const reason = `its packets leave in ${join.transport}, ${join.overhead} bytes longer`
    if (decided.role === 'unknown') return { role: 'tunnel', reasons: [reason, ...decided.reasons] }
    return decided.role === 'tunnel' ? { role: 'tunnel', reasons: [...decided.reasons, reason] } : decided
  })
}

/** The tunnels with what they were measured to add. */
export function measuredTunnels(
  tunnels: readonly OuterTunnel[],
  joins: readonly TunnelJoin[],
  addresses: AddressTable,
): OuterTunnel[] {
  return tunnels.map((tunnel) => {
    const join = joins.find((one) => one.exact && addresses.text(one.endpointId) === tunnel.server)
    if (join === undefined) return tunnel
    const transport = TRANSPORT_NAMES.includes(join.transport) ? join.transport : tunnel.transport
    const measured = { bytes: join.overhead, unit: join.paddingTo, trailer: join.trailer }
    return { ...tunnel, transport, measured }
  })
}

/** The report's `tunnels`. */
export function reportTunnels(
  joins: readonly TunnelJoin[],
  addresses: AddressTable,
  interfaces: readonly CaptureInterface[],
): ReportTunnel[] {
  const nameOf = (id: number): string => interfaces[id]?.name ?? interfaces[id]?.inputName ?? ''
  return joins.map((one) => {
    const made: ReportTunnel = {
      interface: nameOf(one.innerInterfaceId),
      outerInterface: nameOf(one.outerInterfaceId),
      endpoint: addresses.text(one.endpointId),
      port: one.endpointPort,
      transport: one.transport,
      outerFamily: one.outerFamily === 6 ? 'ipv6' : 'ipv4',
      overhead: one.overhead,
      overheadIsExact: one.exact,
      paddingTo: one.paddingTo,
      packets: one.packets,
      explained: one.matched,
      entered: one.entered,
      neverLeft: one.neverLeft,
      first: utcTime(one.firstMicros),
      last: utcTime(one.lastMicros),
    }
    const p50 = latencyQuantile(one.latency, 0.5)
    const p95 = latencyQuantile(one.latency, 0.95)
    if (p50 !== undefined) made.addedP50Ms = Number((p50 / 1000).toPrecision(3))
    if (p95 !== undefined) made.addedP95Ms = Number((p95 / 1000).toPrecision(3))
    return made
  })
}
