// The parts that all findings about "packet too big" messages share.
import type { TooBigFact } from '../model/connection-facts.ts'
import { protocolName } from '../text/protocol-name.ts'
import type { DetectorContext, RaisedFinding } from './detector.ts'
import { interfaceFilter } from './display-filter.ts'
import { mssOf, type OuterTunnel, outerTunnelTo } from './path-context.ts'

/** The payload length of IPv6 does not count it (RFC 8200 3). */
const IPV6_HEADER_LEN = 40

/** The tunnel whose own packet was too big: then the path to the VPN server is what is narrow. */
export function outerOf(context: DetectorContext, fact: TooBigFact): OuterTunnel | undefined {
  if (context.network.roleOf(fact.interfaceId) === 'tunnel') return undefined
  return outerTunnelTo(context.network, fact.dstAddress, fact.srcAddress)
}

export function tooBigData(fact: TooBigFact): Record<string, unknown> {
  return {
    router: fact.routerAddress,
    server: fact.dstAddress,
    nextHopMtu: fact.mtu,
    toldMtu: fact.nextHopMtu,
    packetLen: fact.packetLen,
    quoted: quotedText(fact),
    suggestedMss: mssOf(fact.mtu, fact.ipVersion),
  }
}

/** The rest of the finding; the key is the path and the router's word. */
export function tooBigFinding(context: DetectorContext, fact: TooBigFact): RaisedFinding {
  const { name, inputName } = context.interfaceOf(fact.interfaceId)
  return {
    key: `${name} ${fact.srcAddress} ${fact.dstAddress} ${fact.mtu}`,
    timeMicros: fact.timeMicros,
    confidence: 'proven',
    interface: name,
    data: tooBigData(fact),
    evidence: { source: inputName, frame: fact.frameNumber },
    filter: `${interfaceFilter(name)}${messageFilter(fact)}`,
  }
}

/** The messages with that number about packets between those two: the quoted header is searched as well. */
function messageFilter({ ipVersion, nextHopMtu, srcAddress, dstAddress }: TooBigFact): string {
  return ipVersion === 6
    ? `icmpv6.type == 2 && icmpv6.mtu == ${nextHopMtu} && ipv6.src == ${srcAddress} && ipv6.dst == ${dstAddress}`
    : `icmp.type == 3 && icmp.code == 4 && icmp.mtu == ${nextHopMtu} && ip.src == ${srcAddress} && ip.dst == ${dstAddress}`
}

/** What one host sent the other that is longer than the message allows. */
export function tooLongFilter(interfaceName: string, fact: TooBigFact): string {
  const { ipVersion, mtu, srcAddress, dstAddress } = fact
  const [ip, icmp, length] =
    ipVersion === 6 ? ['ipv6', 'icmpv6', `ipv6.plen > ${mtu - IPV6_HEADER_LEN}`] : ['ip', 'icmp', `ip.len > ${mtu}`]
  return `${interfaceFilter(interfaceName)}${ip}.src == ${srcAddress} && ${ip}.dst == ${dstAddress} && ${length} && !${icmp}`
}

function quotedText(fact: TooBigFact): string {
  const end = (address: string, port: number): string =>
    port === 0 ? address : address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
  return `${protocolName(fact.ipProtocol)} ${end(fact.srcAddress, fact.srcPort)} > ${end(fact.dstAddress, fact.dstPort)}`
}
