// What is known of the network at this moment, gathered anew when it may have changed: roles, the tunnels beneath, and the
// context that questions and connections are judged in.
import type { CaptureInterface } from '../model/capture-interface.ts'
import { joinedRoles, measuredTunnels } from './joined-tunnels.ts'
import type { ConnectionContext } from './judgement/connections.ts'
import { createKnownNetwork, type JudgementOptions, type NetworkSources } from './known-network.ts'
import type { OuterTunnel } from './path-context.ts'
import { decideRoles, type RoleDecision, type RoleOptions } from './roles.ts'
import type { NetworkHistory } from './trackers/network-history.ts'
import type { TunnelJoinTracker } from './trackers/tunnel-join.ts'
import type { VolumeJoinTracker } from './trackers/volume-join.ts'
import { TRANSPORT_ESP_NAT_T, TRANSPORT_NAMES } from './trackers/vpn-transport.ts'

/** Packet time, microseconds: of the first packet (−1 before it) and as of now. */
export interface PacketClock {
  startMicros: number
  nowMicros: number
}

export interface NetworkNow {
  /** No older than so many microseconds; a second unless told. Offline it stays until forget(). */
  context(maxAgeMicros?: number): ConnectionContext
  /** Of the last context. */
  roles(): readonly RoleDecision[]
  /** The tunnels as seen from outside; as of the last tick, for detectors ask for every flow. */
  outerTunnels(): readonly OuterTunnel[]
  /** Packet time went on. */
  tick(): void
  /** Whatever was gathered is asked for again. */
  forget(): void
}

/** What the packets show of the network (endpoints, own addresses) is looked at again so often; the kernel's word at once. */
const CONTEXT_MICROS = 1_000_000

/** What the network is read from. */
type Sources = Omit<NetworkSources, 'interfaces' | 'roles' | 'timeline' | 'options' | 'startMicros' | 'nowMicros'>

/** `sources` is asked when the context is gathered: some of it is made later than this. */
export function createNetworkNow(
  interfaces: readonly CaptureInterface[],
  options: RoleOptions & JudgementOptions,
  network: NetworkHistory,
  joins: { join: TunnelJoinTracker; volume: VolumeJoinTracker },
  clock: Readonly<PacketClock>,
  sources: () => Sources,
): NetworkNow {
  const { join, volume } = joins
  let judgedVersion = -1
  let judgedInterfaces = -1
  let judgedMicros = 0
  let judgement: ConnectionContext | undefined
  let tunnels: OuterTunnel[] | undefined
  let roles: readonly RoleDecision[] = []

  function context(maxAgeMicros = CONTEXT_MICROS): ConnectionContext {
    const isCurrent =
      judgedVersion === network.version &&
      judgedInterfaces === interfaces.length &&
      (!network.isKnown || clock.nowMicros - judgedMicros < maxAgeMicros)
    if (judgement !== undefined && isCurrent) return judgement
    judgedVersion = network.version
    judgedInterfaces = interfaces.length
    judgedMicros = clock.nowMicros
    const from = sources()
    roles = joinedRoles(
      decideRoles(interfaces, options, from.vpn.carried, network.role),
      join.joins(),
      volume.joins(),
      from.vpn,
    )
    judgement = createKnownNetwork({
      ...from,
      interfaces,
      roles,
      timeline: network.isKnown ? network : undefined,
      options,
      startMicros: clock.startMicros,
      nowMicros: clock.nowMicros,
    })
    return judgement
  }

  function outerTunnels(): OuterTunnel[] {
    const { vpn, addresses } = sources()
    const used = vpn.endpoints(context().ownAddresses).filter((one) => one.isUsed)
    // On port 4500 anything that is not known better looks like ESP.
    used.sort((a, b) => Number(a.transport === TRANSPORT_ESP_NAT_T) - Number(b.transport === TRANSPORT_ESP_NAT_T))
    return used.map((one) => ({
      server: addresses.text(one.addressId),
      transport: TRANSPORT_NAMES[one.transport] ?? '',
      ipVersion: addresses.isIpv4(one.addressId) ? 4 : 6,
      firstMicros: one.firstMicros,
      lastMicros: one.lastMicros,
    }))
  }

  return {
    context,
    roles: () => roles,
    outerTunnels() {
      tunnels ??= measuredTunnels(outerTunnels(), join.joins(), sources().addresses, sources().vpn)
      return tunnels
    },
    tick() {
      tunnels = undefined
    },
    forget() {
      tunnels = undefined
      judgement = undefined
    },
  }
}
