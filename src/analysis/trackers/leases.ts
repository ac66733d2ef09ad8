// Leases that the network gave the machine, as routes and LAN domains (RFC 2131, RFC 3442). Cold: a lease is rare.
import { IPPROTO_UDP, PORT_DHCP_CLIENT, PORT_DHCP_SERVER } from '../../constants/wire.ts'
import { type Lease, readLease } from '../../decoders/dhcp.ts'
import type { DecodedBatch } from '../../model/decoded-batch.ts'
import type { RouteFact } from '../../model/facts.ts'
import type { PacketBatch } from '../../model/packet-batch.ts'
import { isPublicAddress } from '../address-classes.ts'

export interface LeaseTracker {
  /** HOT PATH but for leases. */
  packet(batch: PacketBatch, out: DecodedBatch, row: number): void
  /** Domains of the LANs the machine was on, in lower case. */
  readonly domains: readonly string[]
}

/** More domains than a machine joins in one run. */
const MAX_DOMAINS = 64

/** `told(route)` hears of every route of every acknowledgement, and of a LAN prefix over public space. */
export function createLeaseTracker(
  interfaceOf: (interfaceId: number) => { name: string; inputName: string },
  told: (route: RouteFact) => void,
): LeaseTracker {
  const domains: string[] = []
  return {
    packet(batch, out, row) {
      if (out.dstPort[row] !== PORT_DHCP_CLIENT || out.srcPort[row] !== PORT_DHCP_SERVER) return
      if (out.ipProtocol[row] !== IPPROTO_UDP) return
      const at = out.payloadAt[row]!
      const lease = readLease(batch.bytes, at, at + out.payloadLen[row]!)
      if (lease === undefined) return
      const { domain } = lease
      if (domain !== '' && !domains.includes(domain) && domains.length < MAX_DOMAINS) domains.push(domain)
      const source = interfaceOf(batch.interfaceId[row]!)
      for (const route of routesOf(lease)) {
        const frame = { timeMicros: batch.timeMicros[row]!, frame: batch.frameNumber[row]! }
        told({ ...route, ...frame, interfaceName: source.name, inputName: source.inputName })
      }
    },
    domains,
  }
}

type LeaseRoute = Pick<RouteFact, 'destination' | 'prefixLen' | 'gateway' | 'source' | 'server'>

function routesOf(lease: Lease): LeaseRoute[] {
  const server = ipv4Text(lease.server)
  const routes = lease.routes.map(
    (one): LeaseRoute => ({
      destination: ipv4Text(one.destination),
      prefixLen: one.prefixLen,
      gateway: ipv4Text(one.gateway),
      source: 'option-121',
      server,
    }),
  )
  if (lease.prefixLen > 0 && lease.prefixLen < 31 && isPublicAddress(0, 0, 0xffff, lease.address)) {
    const destination = ipv4Text((lease.address & (0xffff_ffff << (32 - lease.prefixLen))) >>> 0)
    routes.push({ destination, prefixLen: lease.prefixLen, gateway: '0.0.0.0', source: 'lan-prefix', server })
  }
  return routes
}

function ipv4Text(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.')
}
