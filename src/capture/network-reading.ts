// What programs of the system tell of the network where there is no netlink (macOS, Windows), in the shape the rest knows.
import { isIP } from 'node:net'
import type { AddressState, DnsServer, IpFamily, LinkState, RouteState } from '../model/network-context.ts'

/** The network as far as it could be read. */
export interface NetworkReading {
  readonly links: readonly LinkState[]
  readonly addresses: readonly AddressState[]
  readonly routes: readonly RouteState[]
  readonly dnsServers: readonly DnsServer[]
  readonly searchDomains: readonly string[]
  /** What could not be read, and what it means for the verdict; a sentence each. */
  readonly gaps: readonly string[]
}

/** A platform's programs, and how to read what they say. `outputs` lacks what a program did not say. */
export interface NetworkReader {
  readonly commands: Readonly<Record<string, readonly string[]>>
  /** How often the programs are asked. */
  readonly everyMillis: number
  read(outputs: Readonly<Record<string, string | undefined>>): NetworkReading
  /** What libpcap calls the interface, where that is not its name. */
  deviceOf?(outputs: Readonly<Record<string, string | undefined>>, interfaceName: string): string | undefined
}

/** ARPHRD_* and IFF_* of Linux, by which the roles are judged on every platform. */
export const HARDWARE_ETHERNET = 1
export const HARDWARE_PPP = 512
export const HARDWARE_LOOPBACK = 772
export const HARDWARE_NONE = 65534
const FLAG_UP = 1
const SCOPE_UNIVERSE = 0
const SCOPE_LINK = 253
const TABLE_MAIN = 254
const PROTOCOL_STATIC = 4

export const ROUTES_UNKNOWN =
  'The routes could not be read: which way a packet takes, and whether the tunnel carries everything, is not known.'
export const RESOLVERS_UNKNOWN = 'The resolvers that the system is told to use could not be read.'
export const LINKS_UNKNOWN = 'The interfaces could not be read: what each one is, is judged by its packets only.'

/** Without an MTU where nobody tells it. */
export function linkState(
  link: Pick<LinkState, 'index' | 'name' | 'hardwareType' | 'mtu'> & {
    up: boolean
    carrier: boolean
    kind?: string
    tunType?: 'tun' | 'tap'
  },
): LinkState {
  return { ...link, flags: link.up ? FLAG_UP : 0 }
}

/** Undefined for what is no address. A zone (`%en0`) is left out. */
export function addressState(interfaceIndex: number, text: string, prefixLen: number): AddressState | undefined {
  const address = withoutZone(text)
  const family = familyOf(address)
  if (family === undefined) return undefined
  const isLocal = address.startsWith('169.254.') || /^fe[89ab]/i.test(address)
  return { interfaceIndex, family, address, prefixLen, scope: isLocal ? SCOPE_LINK : SCOPE_UNIVERSE }
}

export interface RouteWords {
  readonly destination: string
  readonly prefixLen: number
  readonly interfaceIndex: number
  readonly gateway?: string
  readonly priority: number
  readonly type: 'unicast' | 'blackhole' | 'unreachable'
}

export function routeState({ destination, gateway, interfaceIndex, ...rest }: RouteWords): RouteState | undefined {
  const family = familyOf(destination)
  if (family === undefined) return undefined
  const hop = { interfaceIndex, weight: 1, ...(gateway === undefined ? {} : { gateway: withoutZone(gateway) }) }
  return {
    family,
    destination,
    table: TABLE_MAIN,
    scope: SCOPE_UNIVERSE,
    protocol: PROTOCOL_STATIC,
    ...rest,
    nextHops: rest.type === 'unicast' ? [hop] : [],
  }
}

export function withoutZone(address: string): string {
  return address.replace(/%.*$/, '')
}

export function familyOf(address: string): IpFamily | undefined {
  const version = isIP(address)
  return version === 4 || version === 6 ? version : undefined
}
