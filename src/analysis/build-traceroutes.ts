// The traceroutes of the report: hop by hop, so that the way with the tunnel stands beside the one without. Cold path.
import { IPPROTO_TCP, IPPROTO_UDP } from '../constants/wire.ts'
import type { OwnerLookup } from '../model/address-owner.ts'
import type { CaptureInterface } from '../model/capture-interface.ts'
import type { ReportHopRouter, ReportTraceroute } from '../model/report.ts'
import { utcTime } from '../text/timestamp.ts'
import type { RoleDecision } from './roles.ts'
import type { AddressTable } from './trackers/addresses.ts'
import type { LinkTracker } from './trackers/links.ts'
import type { Timeline } from './trackers/timeline.ts'
import type { HopRouter, Route, TracerouteTracker } from './trackers/traceroutes.ts'

interface Sources {
  traceroutes: TracerouteTracker
  addresses: AddressTable
  interfaces: readonly CaptureInterface[]
  roles: readonly RoleDecision[]
  timeline: Timeline
  links: LinkTracker
  ownerOf: OwnerLookup | undefined
}

/** Towards this machine itself they are somebody else's. */
export function reportTraceroutes(from: Sources): ReportTraceroute[] {
  return from.traceroutes
    .all()
    .filter((one) => !from.links.ownAddresses(one.interfaceId).has(one.addressId))
    .map((one) => reportTraceroute(from, one))
}

function reportTraceroute(from: Sources, one: Route): ReportTraceroute {
  const { interfaceId, ipProtocol, reachedTtl } = one
  const source = from.interfaces[interfaceId]
  const isReached = reachedTtl > 0
  const hops: ReportTraceroute['hops'] = []
  const last = isReached ? reachedTtl : one.hops.length - 1
  for (let ttl = 1; ttl <= last; ttl++) {
    const hop = one.hops[ttl]
    hops.push({
      ttl,
      probes: hop?.probes ?? 0,
      routers: hop?.routers.map((router) => reportRouter(from, router)) ?? [],
    })
  }
  return {
    destination: from.addresses.text(one.addressId),
    interface: source?.name ?? source?.inputName ?? '',
    side: from.roles[interfaceId]?.role === 'tunnel' ? 'tunnel' : 'outside',
    protocol: ipProtocol === IPPROTO_UDP ? 'udp' : ipProtocol === IPPROTO_TCP ? 'tcp' : 'icmp',
    epoch: from.timeline.epochAt(one.firstMicros),
    first: utcTime(one.firstMicros),
    last: utcTime(one.lastMicros),
    reached: isReached,
    hops,
  }
}

function reportRouter(from: Sources, one: HopRouter): ReportHopRouter {
  const address = from.addresses.text(one.addressId)
  return {
    address,
    answers: one.answers,
    rttMs: Number((one.minMicros / 1000).toPrecision(3)),
    ...(one.isUnreachable ? { unreachable: true } : {}),
    ...from.ownerOf?.(address),
  }
}
