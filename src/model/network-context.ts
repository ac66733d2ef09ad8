// What a machine's network looks like at one moment: links, addresses, routes, policy rules and resolvers as the kernel
// and the system tell them, and what follows from them. Plain values: it is written into captures and reports as JSON.

/** What an interface is for us. */
export type InterfaceRole = 'physical' | 'tunnel' | 'loopback' | 'virtual' | 'unknown'

export type IpFamily = 4 | 6

/** One network interface (RTM_NEWLINK). */
export interface LinkState {
  readonly index: number
  readonly name: string
  /** IFLA_INFO_KIND: `wireguard`, `tun`, `bridge`, `veth` …; absent for hardware. */
  readonly kind?: string
  /** ARPHRD_* of linux/if_arp.h: 1 Ethernet, 512 PPP, 772 loopback, 65534 none (a tunnel). */
  readonly hardwareType: number
  /** IFF_* of linux/if.h. */
  readonly flags: number
  readonly mtu: number
  /** IFF_UP: somebody switched it on. */
  readonly up: boolean
  /** IFF_LOWER_UP: it can carry packets. */
  readonly carrier: boolean
  /** Index of the bridge, bond, team or VRF it belongs to. */
  readonly master?: number
  /** Index of the link below it (VLAN, macvlan) or of a veth's other end. */
  readonly lower?: number
  /** Set when `lower` is in another network namespace. */
  readonly lowerNamespace?: number
  /** Kind `tun`: packets (tun) or frames (tap). */
  readonly tunType?: 'tun' | 'tap'
}

/** One address of an interface (RTM_NEWADDR). */
export interface AddressState {
  readonly interfaceIndex: number
  readonly family: IpFamily
  readonly address: string
  readonly prefixLen: number
  /** RT_SCOPE_*: 0 universe, 253 link, 254 host. */
  readonly scope: number
  /** The other end of a point-to-point address. */
  readonly peer?: string
}

/** Where a route leads, one of several when it is multipath. */
export interface NextHop {
  readonly interfaceIndex: number
  readonly gateway?: string
  readonly weight: number
}

export type RouteType =
  | 'unicast'
  | 'local'
  | 'broadcast'
  | 'anycast'
  | 'multicast'
  | 'blackhole'
  | 'unreachable'
  | 'prohibit'
  | 'throw'
  | 'other'

/** One route of one table (RTM_NEWROUTE). */
export interface RouteState {
  readonly family: IpFamily
  /** The prefix; `0.0.0.0` or `::` with length 0 is a default route. */
  readonly destination: string
  readonly prefixLen: number
  /** 254 main, 253 default, 255 local; others belong to policy rules. */
  readonly table: number
  /** The metric; a smaller one wins among equal prefixes. */
  readonly priority: number
  readonly type: RouteType
  readonly scope: number
  /** RTPROT_*: who made it (2 kernel, 3 boot, 4 static, 9 router advertisement, 16 DHCP). */
  readonly protocol: number
  /** Set for a route that holds only for packets from this prefix. */
  readonly source?: string
  readonly sourceLen?: number
  /** Empty for blackhole and the like. */
  readonly nextHops: readonly NextHop[]
}

export type RuleAction = 'table' | 'goto' | 'nop' | 'blackhole' | 'unreachable' | 'prohibit'

/** One policy rule (RTM_NEWRULE); a field that is absent matches everything. */
export interface RuleState {
  readonly family: IpFamily
  /** Rules are asked in this order, smallest first. */
  readonly priority: number
  readonly action: RuleAction
  /** Action `table`: the table that is asked. */
  readonly table: number
  /** Action `goto`: the priority to go on with. */
  readonly target?: number
  /** The rule holds when its conditions do not. */
  readonly invert: boolean
  readonly source?: string
  readonly sourceLen?: number
  readonly destination?: string
  readonly destinationLen?: number
  readonly mark?: number
  readonly markMask?: number
  readonly inputInterface?: string
  readonly outputInterface?: string
  readonly uidFirst?: number
  readonly uidLast?: number
  readonly ipProtocol?: number
  readonly destinationPortFirst?: number
  readonly destinationPortLast?: number
  readonly sourcePortFirst?: number
  readonly sourcePortLast?: number
  /** An answer with a prefix this short or shorter is thrown away (`suppress_prefixlength`). */
  readonly suppressPrefixLen?: number
  /** The rule asks the table of the interface's VRF. */
  readonly vrf: boolean
}

/** A resolver that the system is told to use. */
export interface DnsServer {
  readonly address: string
  /** 53 unless the system says otherwise. */
  readonly port: number
  /** Index of the link it belongs to, for resolvers per link. */
  readonly interfaceIndex?: number
  /** Which file says so. */
  readonly source: string
}

/** An interface with what it is for us, and why. */
export interface InterfaceState {
  readonly link: LinkState
  readonly role: InterfaceRole
  /** Words for a person: "kind wireguard". */
  readonly reason: string
  readonly addresses: readonly AddressState[]
}

/** How much of the public internet leaves by a tunnel. */
export type TunnelMode = 'full' | 'split' | 'none'

/** Where public addresses of one family leave the machine, asked of the rules and routes (without a packet mark). */
export interface EgressState {
  readonly family: IpFamily
  /** Interface of most public addresses; absent when they have no route. */
  readonly interfaceIndex?: number
  readonly gateway?: string
  /** The table that answered. */
  readonly table?: number
  /** `default` 0/0, `halves` 0/1 and 128/1, `prefixes` anything finer. */
  readonly shape?: 'default' | 'halves' | 'prefixes'
  readonly mode: TunnelMode
  /** The way out below the tunnel: the best default route that is not a tunnel's. */
  readonly physicalIndex?: number
}

/** Of one tunnel interface and family: `up` with an address and a link that is up; `absent` has no address of the family. */
export interface TunnelState {
  readonly interfaceIndex: number
  readonly name: string
  readonly family: IpFamily
  readonly state: 'up' | 'down' | 'absent'
}

/** A VPN server as the routes give it away: one address that is kept out of the tunnel. */
export interface EndpointHint {
  readonly address: string
  readonly interfaceIndex: number
  readonly basis: 'host-route'
}

/** Linux's net.ipv4.tcp_mtu_probing (RFC 4821): 0 never, 1 after a black hole, 2 always. */
export type TcpMtuProbing = 0 | 1 | 2

/** Everything, at one moment. A new object for each change; never altered. */
export interface NetworkContext {
  /** When it came to be: microseconds since 1970, the clock of packets. */
  readonly timeMicros: number
  /** What changed since the context before, in words; "start" for the first. */
  readonly changes: readonly string[]
  readonly interfaces: readonly InterfaceState[]
  readonly routes: readonly RouteState[]
  /** Ordered by priority. */
  readonly rules: readonly RuleState[]
  readonly dnsServers: readonly DnsServer[]
  readonly searchDomains: readonly string[]
  readonly egress: readonly EgressState[]
  readonly tunnels: readonly TunnelState[]
  readonly endpoints: readonly EndpointHint[]
  /** True when there are more routes than we keep. */
  readonly routesCut: boolean
  /** As it was when this context came to be; absent where it is not known. */
  readonly tcpMtuProbing?: TcpMtuProbing
  /** What of the network could not be known here, a sentence each; absent = nothing. */
  readonly gaps?: readonly string[]
  /** Names of the interfaces that are captured; absent = every one. */
  readonly watched?: readonly string[]
}
