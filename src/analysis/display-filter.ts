// Wireshark display filters that show a finding's packets.
import type { DnsExchange } from '../model/facts.ts'

/** All DNS between the client side of an interface and one server. */
export function dnsFilter(exchange: DnsExchange): string {
  const ip = exchange.ipVersion === 6 ? 'ipv6.addr' : 'ip.addr'
  const port = exchange.transport === 'tcp' ? 'tcp.port' : 'udp.port'
  return `${interfaceFilter(exchange.interfaceName)}${ip} == ${exchange.serverAddress} && ${port} == ${exchange.serverPort}`
}

/** Names from a capture file may hold anything; only plain ones go into a filter. */
function interfaceFilter(name: string): string {
  return /^[\w.-]{1,32}$/.test(name) ? `frame.interface_name == "${name}" && ` : ''
}
