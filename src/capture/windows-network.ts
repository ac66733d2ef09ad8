// Windows's network by PowerShell's NetAdapter, NetTCPIP and DnsClient modules, asked for as one JSON object. Pure.
import type { LinkState } from '../model/network-context.ts'
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
  type NetworkReading,
  RESOLVERS_UNKNOWN,
  ROUTES_UNKNOWN,
  routeState,
  withoutZone,
} from './network-reading.ts'

const SCRIPT = `
$ErrorActionPreference = 'SilentlyContinue'
@{
  adapters = @(Get-NetAdapter -IncludeHidden | Select-Object ifIndex, Name, InterfaceDescription, InterfaceGuid, InterfaceType, Virtual, Status, MtuSize)
  addresses = @(Get-NetIPAddress | Select-Object InterfaceIndex, IPAddress, PrefixLength)
  routes = @(Get-NetRoute | Select-Object InterfaceIndex, DestinationPrefix, NextHop, RouteMetric, InterfaceMetric)
  resolvers = @(Get-DnsClientServerAddress | Select-Object InterfaceIndex, ServerAddresses)
  suffixes = @((Get-DnsClientGlobalSetting).SuffixSearchList)
} | ConvertTo-Json -Depth 4 -Compress`

/** ifType, IANA's registry. */
const IF_PPP = 23
const IF_LOOPBACK = 24
/** Wintun and WireGuard. */
const IF_VIRTUAL = 53
const IF_TUNNEL = 131
const DNS_PORT = 53
/** Left on every interface by the system; nobody is asked there (RFC 4291's site-local, from a withdrawn draft). */
const PLACEHOLDER_RESOLVER = /^fec0:0:0:ffff::[123]$/

interface Told {
  adapters?: Adapter[]
  addresses?: { InterfaceIndex: number; IPAddress: string; PrefixLength: number }[]
  routes?: {
    InterfaceIndex: number
    DestinationPrefix: string
    NextHop: string
    RouteMetric: number
    InterfaceMetric?: number
  }[]
  resolvers?: { InterfaceIndex: number; ServerAddresses: string[] | string }[]
  suffixes?: (string | null)[]
}

interface Adapter {
  ifIndex: number
  Name: string
  InterfaceDescription: string
  InterfaceGuid: string
  InterfaceType: number
  Virtual: boolean | null
  Status: string
  MtuSize: number | null
}

export const WINDOWS: NetworkReader = Object.freeze({
  commands: Object.freeze({
    all: ['powershell.exe', '-NoProfile', '-NonInteractive', '-Command', SCRIPT],
  }),
  // Starting it takes a second of a core.
  everyMillis: 15_000,
  read: (outputs: Readonly<Record<string, string | undefined>>) => readPowershell(outputs['all'] ?? ''),
  deviceOf(outputs: Readonly<Record<string, string | undefined>>, interfaceName: string) {
    const adapter = parsed(outputs['all'] ?? '').adapters?.find((one) => one.Name === interfaceName)
    return adapter === undefined ? undefined : `\\Device\\NPF_${adapter.InterfaceGuid}`
  },
})

export function readPowershell(text: string): NetworkReading {
  const told = parsed(text)
  const gaps = []
  const links = (told.adapters ?? []).map(linkOf)
  if (links.length === 0) gaps.push(LINKS_UNKNOWN)
  const addresses = (told.addresses ?? []).flatMap(
    (one) => addressState(one.InterfaceIndex, `${one.IPAddress}`, one.PrefixLength) ?? [],
  )
  const routes = (told.routes ?? []).flatMap((one) => {
    const [destination = '', len] = `${one.DestinationPrefix}`.split('/')
    const gateway = /^(0\.0\.0\.0|::)$/.test(one.NextHop) ? {} : { gateway: one.NextHop }
    const priority = one.RouteMetric + (one.InterfaceMetric ?? 0)
    const words = { destination, prefixLen: Number(len), interfaceIndex: one.InterfaceIndex, priority, ...gateway }
    return routeState({ ...words, type: 'unicast' }) ?? []
  })
  if (routes.length === 0) gaps.push(ROUTES_UNKNOWN)
  const dnsServers = (told.resolvers ?? []).flatMap(({ InterfaceIndex, ServerAddresses }) =>
    [ServerAddresses].flat().flatMap((written) => {
      const address = withoutZone(`${written}`)
      if (familyOf(address) === undefined || PLACEHOLDER_RESOLVER.test(address)) return []
      return [{ address, port: DNS_PORT, interfaceIndex: InterfaceIndex, source: 'Get-DnsClientServerAddress' }]
    }),
  )
  if (dnsServers.length === 0) gaps.push(RESOLVERS_UNKNOWN)
  const searchDomains = (told.suffixes ?? []).filter((one) => one !== null)
  return { links, addresses, routes, dnsServers, searchDomains, gaps }
}

function linkOf(one: Adapter): LinkState {
  const up = one.Status === 'Up'
  return linkState({ index: one.ifIndex, name: one.Name, mtu: one.MtuSize ?? 0, up, carrier: up, ...kindOf(one) })
}

function kindOf(one: Adapter): { hardwareType: number; kind?: string; tunType?: 'tap' } {
  switch (one.InterfaceType) {
    case IF_LOOPBACK:
      return { hardwareType: HARDWARE_LOOPBACK }
    case IF_PPP:
      return { hardwareType: HARDWARE_PPP }
    case IF_TUNNEL:
    case IF_VIRTUAL:
      return { hardwareType: HARDWARE_NONE }
  }
  // OpenVPN's driver passes for a card.
  if (`${one.InterfaceDescription}`.startsWith('TAP-'))
    return { hardwareType: HARDWARE_ETHERNET, kind: 'tun', tunType: 'tap' }
  return { hardwareType: HARDWARE_ETHERNET, ...(one.Virtual === true ? { kind: 'virtual adapter' } : {}) }
}

function parsed(text: string): Told {
  try {
    const value = JSON.parse(text.replace(/^\uFEFF/, '')) as unknown
    return typeof value === 'object' && value !== null ? (value as Told) : {}
  } catch {
    return {}
  }
}
