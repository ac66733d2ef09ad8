// Wireshark display filters that show a finding's packets.
import { IPPROTO_TCP } from '../constants/wire.ts'
import type { ConnectionFact } from '../model/connection-facts.ts'
import type { DnsExchange } from '../model/dns-facts.ts'

/** All DNS between the client side of an interface and one server. */
export function dnsFilter(
  exchange: Pick<DnsExchange, 'ipVersion' | 'transport' | 'interfaceName' | 'serverAddress' | 'serverPort'>,
): string {
  const ip = exchange.ipVersion === 6 ? 'ipv6.addr' : 'ip.addr'
  const port = exchange.transport === 'tcp' ? 'tcp.port' : 'udp.port'
  return `${interfaceFilter(exchange.interfaceName)}${ip} == ${exchange.serverAddress} && ${port} == ${exchange.serverPort}`
}

/** One TCP or UDP connection on its interface. */
export function connectionFilter(interfaceName: string, fact: ConnectionFact, ipProtocol = IPPROTO_TCP): string {
  const port = ipProtocol === IPPROTO_TCP ? 'tcp.port' : 'udp.port'
  const ends = `${hostFilter(interfaceName, fact.clientAddress)} && ${ipField(fact.serverAddress)} == ${fact.serverAddress}`
  return `${ends} && ${port} == ${fact.clientPort} && ${port} == ${fact.serverPort}`
}

/** All connections to one port of a server. */
export function serverFilter(interfaceName: string, address: string, serverPort: number, ipProtocol: number): string {
  const port = ipProtocol === IPPROTO_TCP ? 'tcp.port' : 'udp.port'
  return `${hostFilter(interfaceName, address)} && ${port} == ${serverPort}`
}

/** Everything with one host on an interface. */
export function hostFilter(interfaceName: string, address: string): string {
  return `${interfaceFilter(interfaceName)}${ipField(address)} == ${address}`
}

/** The fragments that one host sent another. */
export function fragmentFilter(interfaceName: string, source: string, destination: string, ipVersion: number): string {
  const [field, isFragment] =
    ipVersion === 6 ? ['ipv6', 'ipv6.fraghdr.ident'] : ['ip', '(ip.flags.mf == 1 || ip.frag_offset > 0)']
  return `${interfaceFilter(interfaceName)}${field}.src == ${source} && ${field}.dst == ${destination} && ${isFragment}`
}

function ipField(address: string): string {
  return address.includes(':') ? 'ipv6.addr' : 'ip.addr'
}

/** `frame.interface_name == … && `. Names from a capture file may hold anything; only plain ones go into a filter. */
export function interfaceFilter(name: string): string {
  return /^[\w.-]{1,32}$/.test(name) ? `frame.interface_name == "${name}" && ` : ''
}
