// macOS's network by ifconfig(8), netstat(1) and scutil(8), whose forms their manual pages give. Pure.
import type { AddressState, DnsServer, LinkState, RouteState } from '../model/network-context.ts'
import {
  addressState,
  familyOf,
  HARDWARE_ETHERNET,
  HARDWARE_LOOPBACK,
  HARDWARE_NONE,
  HARDWARE_PPP,
  LINKS_UNKNOWN,
  linkState,
  type NetworkReader,
  RESOLVERS_UNKNOWN,
  ROUTES_UNKNOWN,
  routeState,
  withoutZone,
} from './network-reading.ts'

const DNS_PORT = 53

export const MACOS: NetworkReader = Object.freeze({
  commands: Object.freeze({
    ifconfig: ['/sbin/ifconfig', '-a'],
    routes: ['/usr/sbin/netstat', '-rn'],
    resolvers: ['/usr/sbin/scutil', '--dns'],
  }),
  everyMillis: 2000,
  read(outputs: Readonly<Record<string, string | undefined>>) {
    const { links, addresses } = readIfconfig(outputs['ifconfig'] ?? '')
    const indexOf = (name: string) => links.find((one) => one.name === name)?.index
    const gaps = []
    if (links.length === 0) gaps.push(LINKS_UNKNOWN)
    const routes = readNetstat(outputs['routes'] ?? '', indexOf)
    if (routes.length === 0) gaps.push(ROUTES_UNKNOWN)
    const resolvers = readScutil(outputs['resolvers'] ?? '', indexOf)
    if (resolvers.dnsServers.length === 0) gaps.push(RESOLVERS_UNKNOWN)
    return { links, addresses, routes, ...resolvers, gaps }
  },
})

/** `en0: flags=8863<UP,…> mtu 1500`, then a line for each address, indented. */
export function readIfconfig(text: string): { links: LinkState[]; addresses: AddressState[] } {
  const links: LinkState[] = []
  const addresses: AddressState[] = []
  for (const line of text.split('\n')) {
    const head = /^(\S+): flags=[0-9a-f]+<([^>]*)>.* mtu (\d+)/.exec(line)
    if (head !== null) {
      const [, name, flags, mtu] = head as unknown as [string, string, string, string]
      const set = new Set(flags.split(','))
      const [up, carrier] = [set.has('UP'), set.has('RUNNING')]
      links.push(linkState({ index: links.length + 1, name, mtu: Number(mtu), up, carrier, ...kindOf(name, set) }))
      continue
    }
    const link = links.at(-1)
    if (link === undefined) continue
    const status = /^\s+status: (\S+)/.exec(line)
    if (status !== null) links[links.length - 1] = { ...link, carrier: status[1] === 'active' }
    const v4 = /^\s+inet (\S+)(?: --> \S+)? netmask 0x([0-9a-f]{8})/.exec(line)
    const v6 = /^\s+inet6 (\S+)(?: --> \S+)? prefixlen (\d+)/.exec(line)
    if (v4 === null && v6 === null) continue
    const prefixLen = v4 === null ? Number(v6![2]) : maskLen(Number.parseInt(v4[2]!, 16))
    const state = addressState(link.index, (v4 ?? v6)![1]!, prefixLen)
    if (state !== undefined) addresses.push(state)
  }
  return { links, addresses }
}

/** utun and ipsec are the system's tunnel devices; what is neither those nor a card (`en`) joins or serves others. */
function kindOf(name: string, flags: ReadonlySet<string>): { hardwareType: number; kind?: string } {
  if (flags.has('LOOPBACK')) return { hardwareType: HARDWARE_LOOPBACK }
  if (name.startsWith('ppp')) return { hardwareType: HARDWARE_PPP }
  if (flags.has('POINTOPOINT')) return { hardwareType: HARDWARE_NONE }
  if (/^en\d/.test(name)) return { hardwareType: HARDWARE_ETHERNET }
  return { hardwareType: HARDWARE_ETHERNET, kind: name.replace(/\d+$/, '') }
}

/** `Destination Gateway Flags Netif`, IPv4 and IPv6 under their headings. */
export function readNetstat(text: string, indexOf: (name: string) => number | undefined): RouteState[] {
  const routes: RouteState[] = []
  let family: 4 | 6 | undefined
  for (const line of text.split('\n')) {
    if (/^Internet6?:/.test(line)) family = line.startsWith('Internet6') ? 6 : 4
    const [destination, gateway, flags, name] = line.trim().split(/\s+/)
    if (family === undefined || name === undefined || !/^[A-Za-z0-9]+$/.test(flags!) || !flags!.includes('U')) continue
    // `I`: only for sockets that are bound to this interface.
    if (flags!.includes('I')) continue
    const interfaceIndex = indexOf(name)
    const prefix = prefixOf(destination!, family)
    if (interfaceIndex === undefined || prefix === undefined) continue
    const type = flags!.includes('B') ? 'blackhole' : flags!.includes('R') ? 'unreachable' : 'unicast'
    const via = flags!.includes('G') && familyOf(withoutZone(gateway!)) !== undefined ? { gateway: gateway! } : {}
    const route = routeState({ ...prefix, interfaceIndex, priority: 0, type, ...via })
    if (route !== undefined) routes.push(route)
  }
  return routes
}

/** netstat leaves out what is zero: `default`, `10.64/16`, `127` (as many octets as written), `192.0.2.1` (a host). */
function prefixOf(text: string, family: 4 | 6): { destination: string; prefixLen: number } | undefined {
  if (text === 'default') return { destination: family === 4 ? '0.0.0.0' : '::', prefixLen: 0 }
  const [written = '', len] = text.split('/')
  const address = withoutZone(written)
  if (family === 6) {
    return familyOf(address) === 6 ? { destination: address, prefixLen: Number(len ?? 128) } : undefined
  }
  const octets = address.split('.')
  const destination = [...octets, '0', '0', '0'].slice(0, 4).join('.')
  if (familyOf(destination) !== 4) return undefined
  return { destination, prefixLen: Number(len ?? octets.length * 8) }
}

/** The resolvers of every block; those for scoped queries belong to their interface. */
export function readScutil(
  text: string,
  indexOf: (name: string) => number | undefined,
): { dnsServers: DnsServer[]; searchDomains: string[] } {
  const dnsServers: DnsServer[] = []
  const searchDomains = new Set<string>()
  let isScoped = false
  for (const block of text.split(/^(?=resolver #|DNS configuration)/m)) {
    if (block.startsWith('DNS configuration')) isScoped = block.includes('scoped')
    const field = (name: string) => new RegExp(`^\\s+${name}\\s*: (.*)$`, 'm').exec(block)?.[1]
    for (const [, domain] of block.matchAll(/^\s+search domain\[\d+\] : (\S+)/gm)) searchDomains.add(domain!)
    // Asked by multicast, not at a server.
    if (field('options') === 'mdns') continue
    const port = Number(field('port') ?? DNS_PORT)
    const interfaceIndex = isScoped ? indexOf(/\((\S+)\)/.exec(field('if_index') ?? '')?.[1] ?? '') : undefined
    for (const [, written] of block.matchAll(/^\s+nameserver\[\d+\] : (\S+)/gm)) {
      const address = withoutZone(written!)
      if (familyOf(address) === undefined) continue
      if (dnsServers.some((one) => one.address === address && one.interfaceIndex === interfaceIndex)) continue
      dnsServers.push({
        address,
        port,
        source: 'scutil --dns',
        ...(interfaceIndex === undefined ? {} : { interfaceIndex }),
      })
    }
  }
  return { dnsServers, searchDomains: [...searchDomains] }
}

function maskLen(mask: number): number {
  return mask.toString(2).replaceAll('0', '').length
}
