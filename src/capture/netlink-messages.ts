// Netlink messages of rtnetlink (RFC 3549, linux/rtnetlink.h, if_link.h, fib_rules.h) become plain values. Little-endian
// machines only, as the addon's loader insists. What does not fit its own length fields is left out, never read past.
import ipaddr from 'ipaddr.js'
import type {
  AddressState,
  IpFamily,
  LinkState,
  NextHop,
  RouteState,
  RouteType,
  RuleAction,
  RuleState,
} from '../model/network-context.ts'

/** One thing that came (or was changed) or went. */
export type NetworkEvent =
  | { readonly what: 'link'; readonly gone: boolean; readonly value: LinkState }
  | { readonly what: 'address'; readonly gone: boolean; readonly value: AddressState }
  | { readonly what: 'route'; readonly gone: boolean; readonly replaces: boolean; readonly value: RouteState }
  | { readonly what: 'rule'; readonly gone: boolean; readonly value: RuleState }

const NLMSG_HEADER_LEN = 16
const NLM_F_REPLACE = 0x100
const RTM_NEWLINK = 16
const RTM_DELLINK = 17
const RTM_NEWADDR = 20
const RTM_DELADDR = 21
const RTM_NEWROUTE = 24
const RTM_DELROUTE = 25
const RTM_NEWRULE = 32
const RTM_DELRULE = 33

const AF_UNSPEC = 0
const AF_INET = 2
const AF_INET6 = 10

const IFINFOMSG_LEN = 16
const IFLA_IFNAME = 3
const IFLA_MTU = 4
const IFLA_LINK = 5
const IFLA_MASTER = 10
const IFLA_LINKINFO = 18
const IFLA_LINK_NETNSID = 37
const IFLA_INFO_KIND = 1
const IFLA_INFO_DATA = 2
const IFLA_TUN_TYPE = 3
const IFF_UP = 0x1
const IFF_LOWER_UP = 0x10000

const IFADDRMSG_LEN = 8
const IFA_ADDRESS = 1
const IFA_LOCAL = 2

const RTMSG_LEN = 12
const RTM_F_CLONED = 0x200
const RTNH_F_DEAD = 1
const RTNEXTHOP_LEN = 8
const RTA_DST = 1
const RTA_SRC = 2
const RTA_OIF = 4
const RTA_GATEWAY = 5
const RTA_PRIORITY = 6
const RTA_MULTIPATH = 9
const RTA_TABLE = 15
const RTA_VIA = 18

const FIB_RULE_HDR_LEN = 12
const FIB_RULE_INVERT = 2
const FRA_DST = 1
const FRA_SRC = 2
const FRA_IIFNAME = 3
const FRA_GOTO = 4
const FRA_PRIORITY = 6
const FRA_FWMARK = 10
const FRA_SUPPRESS_PREFIXLEN = 14
const FRA_TABLE = 15
const FRA_FWMASK = 16
const FRA_OIFNAME = 17
const FRA_L3MDEV = 19
const FRA_UID_RANGE = 20
const FRA_IP_PROTO = 22
const FRA_SPORT_RANGE = 23
const FRA_DPORT_RANGE = 24
const NO_SUPPRESSION = 0xffffffff

const ROUTE_TYPES: readonly RouteType[] = [
  'other',
  'unicast',
  'local',
  'broadcast',
  'anycast',
  'multicast',
  'blackhole',
  'unreachable',
  'prohibit',
  'throw',
]

const RULE_ACTIONS: Readonly<Record<number, RuleAction>> = {
  1: 'table',
  2: 'goto',
  3: 'nop',
  6: 'blackhole',
  7: 'unreachable',
  8: 'prohibit',
}

/** Attributes of one message by type: where the value stands and how long it is. */
type Attributes = Map<number, { at: number; len: number }>

/** All events in `data`, which holds whole messages one after the other. Messages of other kinds are passed over. */
export function parseNetworkEvents(data: Uint8Array): NetworkEvent[] {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const events: NetworkEvent[] = []
  let at = 0
  while (at + NLMSG_HEADER_LEN <= data.length) {
    const len = view.getUint32(at, true)
    if (len < NLMSG_HEADER_LEN || at + len > data.length) break
    const event = parseMessage(view, view.getUint16(at + 4, true), view.getUint16(at + 6, true), at, at + len)
    if (event !== undefined) events.push(event)
    at += (len + 3) & ~3
  }
  return events
}

function parseMessage(
  view: DataView,
  type: number,
  flags: number,
  messageAt: number,
  endAt: number,
): NetworkEvent | undefined {
  const at = messageAt + NLMSG_HEADER_LEN
  switch (type) {
    case RTM_NEWLINK:
    case RTM_DELLINK: {
      const value = parseLink(view, at, endAt)
      return value && { what: 'link', gone: type === RTM_DELLINK, value }
    }
    case RTM_NEWADDR:
    case RTM_DELADDR: {
      const value = parseAddress(view, at, endAt)
      return value && { what: 'address', gone: type === RTM_DELADDR, value }
    }
    case RTM_NEWROUTE:
    case RTM_DELROUTE: {
      const value = parseRoute(view, at, endAt)
      return value && { what: 'route', gone: type === RTM_DELROUTE, replaces: (flags & NLM_F_REPLACE) !== 0, value }
    }
    case RTM_NEWRULE:
    case RTM_DELRULE: {
      const value = parseRule(view, at, endAt)
      return value && { what: 'rule', gone: type === RTM_DELRULE, value }
    }
    default:
      return undefined
  }
}

function parseLink(view: DataView, at: number, endAt: number): LinkState | undefined {
  if (at + IFINFOMSG_LEN > endAt) return undefined
  // A bridge announces its ports in its own family: not the link, only its place in the bridge.
  if (view.getUint8(at) !== AF_UNSPEC) return undefined
  const attributes = readAttributes(view, at + IFINFOMSG_LEN, endAt)
  const name = textOf(view, attributes, IFLA_IFNAME)
  if (name === undefined) return undefined
  const flags = view.getUint32(at + 8, true)
  const master = wordOf(view, attributes, IFLA_MASTER)
  const lower = wordOf(view, attributes, IFLA_LINK)
  const lowerNamespace = wordOf(view, attributes, IFLA_LINK_NETNSID)
  const info = nested(view, attributes, IFLA_LINKINFO)
  const kind = textOf(view, info, IFLA_INFO_KIND)
  const tunType = kind === 'tun' ? byteOf(view, nested(view, info, IFLA_INFO_DATA), IFLA_TUN_TYPE) : undefined
  return {
    index: view.getInt32(at + 4, true),
    name,
    ...(kind === undefined ? {} : { kind }),
    hardwareType: view.getUint16(at + 2, true),
    flags,
    mtu: wordOf(view, attributes, IFLA_MTU) ?? 0,
    up: (flags & IFF_UP) !== 0,
    carrier: (flags & IFF_LOWER_UP) !== 0,
    ...(master === undefined || master === 0 ? {} : { master }),
    ...(lower === undefined || lower === 0 ? {} : { lower }),
    ...(lowerNamespace === undefined ? {} : { lowerNamespace }),
    ...(tunType === undefined ? {} : { tunType: tunType === 1 ? 'tun' : 'tap' }),
  }
}

function parseAddress(view: DataView, at: number, endAt: number): AddressState | undefined {
  if (at + IFADDRMSG_LEN > endAt) return undefined
  const family = familyOf(view.getUint8(at))
  if (family === undefined) return undefined
  const attributes = readAttributes(view, at + IFADDRMSG_LEN, endAt)
  const far = addressOf(view, attributes, IFA_ADDRESS, family)
  // IFA_LOCAL is ours where both are there; IFA_ADDRESS is then the peer's.
  const own = addressOf(view, attributes, IFA_LOCAL, family) ?? far
  if (own === undefined) return undefined
  return {
    interfaceIndex: view.getUint32(at + 4, true),
    family,
    address: own,
    prefixLen: view.getUint8(at + 1),
    scope: view.getUint8(at + 3),
    ...(far === undefined || far === own ? {} : { peer: far }),
  }
}

function parseRoute(view: DataView, at: number, endAt: number): RouteState | undefined {
  if (at + RTMSG_LEN > endAt) return undefined
  const family = familyOf(view.getUint8(at))
  // Cloned routes are the kernel's notes about single destinations, not anybody's will.
  if (family === undefined || (view.getUint32(at + 8, true) & RTM_F_CLONED) !== 0) return undefined
  const attributes = readAttributes(view, at + RTMSG_LEN, endAt)
  const sourceLen = view.getUint8(at + 2)
  const source = addressOf(view, attributes, RTA_SRC, family)
  return {
    family,
    destination: addressOf(view, attributes, RTA_DST, family) ?? (family === 4 ? '0.0.0.0' : '::'),
    prefixLen: view.getUint8(at + 1),
    table: wordOf(view, attributes, RTA_TABLE) ?? view.getUint8(at + 4),
    priority: wordOf(view, attributes, RTA_PRIORITY) ?? 0,
    type: ROUTE_TYPES[view.getUint8(at + 7)] ?? 'other',
    scope: view.getUint8(at + 6),
    protocol: view.getUint8(at + 5),
    ...(source === undefined || sourceLen === 0 ? {} : { source, sourceLen }),
    nextHops: parseNextHops(view, attributes, family, view.getUint32(at + 8, true)),
  }
}

function parseNextHops(view: DataView, attributes: Attributes, family: IpFamily, routeFlags: number): NextHop[] {
  const many = attributes.get(RTA_MULTIPATH)
  const hops: NextHop[] = []
  if (many === undefined) {
    const interfaceIndex = wordOf(view, attributes, RTA_OIF)
    if (interfaceIndex !== undefined && !isDead(routeFlags)) {
      hops.push(nextHop(view, attributes, family, interfaceIndex, 1))
    }
    return hops
  }
  const endAt = many.at + many.len
  let at = many.at
  while (at + RTNEXTHOP_LEN <= endAt) {
    const len = view.getUint16(at, true)
    if (len < RTNEXTHOP_LEN || at + len > endAt) break
    if (!isDead(view.getUint8(at + 2))) {
      const own = readAttributes(view, at + RTNEXTHOP_LEN, at + len)
      hops.push(nextHop(view, own, family, view.getInt32(at + 4, true), view.getUint8(at + 3) + 1))
    }
    at += (len + 3) & ~3
  }
  return hops
}

/** The kernel passes such a next hop over; one whose link has merely no carrier is still used. */
function isDead(flags: number): boolean {
  return (flags & RTNH_F_DEAD) !== 0
}

function nextHop(view: DataView, attributes: Attributes, family: IpFamily, interfaceIndex: number, weight: number) {
  let gateway = addressOf(view, attributes, RTA_GATEWAY, family)
  // An IPv4 route by an IPv6 neighbour (RFC 5549) has its gateway with the family in front.
  const via = attributes.get(RTA_VIA)
  if (via !== undefined && via.len === 18) gateway = addressText(view, via.at + 2, 16)
  return { interfaceIndex, ...(gateway === undefined ? {} : { gateway }), weight }
}

function parseRule(view: DataView, at: number, endAt: number): RuleState | undefined {
  if (at + FIB_RULE_HDR_LEN > endAt) return undefined
  const family = familyOf(view.getUint8(at))
  const action = RULE_ACTIONS[view.getUint8(at + 7)]
  if (family === undefined || action === undefined) return undefined
  const attributes = readAttributes(view, at + FIB_RULE_HDR_LEN, endAt)
  const destination = addressOf(view, attributes, FRA_DST, family)
  const source = addressOf(view, attributes, FRA_SRC, family)
  const mark = wordOf(view, attributes, FRA_FWMARK)
  const suppress = wordOf(view, attributes, FRA_SUPPRESS_PREFIXLEN)
  const uids = attributes.get(FRA_UID_RANGE)
  const everybody = uids === undefined || uids.len < 8 || view.getUint32(uids.at + 4, true) === 0xffffffff
  const rule: { -readonly [K in keyof RuleState]: RuleState[K] } = {
    family,
    priority: wordOf(view, attributes, FRA_PRIORITY) ?? 0,
    action,
    table: wordOf(view, attributes, FRA_TABLE) ?? view.getUint8(at + 4),
    invert: (view.getUint32(at + 8, true) & FIB_RULE_INVERT) !== 0,
    vrf: byteOf(view, attributes, FRA_L3MDEV) === 1,
  }
  if (destination !== undefined) {
    rule.destination = destination
    rule.destinationLen = view.getUint8(at + 1)
  }
  if (source !== undefined) {
    rule.source = source
    rule.sourceLen = view.getUint8(at + 2)
  }
  if (mark !== undefined) {
    rule.mark = mark
    rule.markMask = wordOf(view, attributes, FRA_FWMASK) ?? 0xffffffff
  }
  if (suppress !== undefined && suppress !== NO_SUPPRESSION) rule.suppressPrefixLen = suppress
  if (!everybody) {
    rule.uidFirst = view.getUint32(uids.at, true)
    rule.uidLast = view.getUint32(uids.at + 4, true)
  }
  const target = wordOf(view, attributes, FRA_GOTO)
  if (target !== undefined) rule.target = target
  const input = textOf(view, attributes, FRA_IIFNAME)
  if (input !== undefined) rule.inputInterface = input
  const output = textOf(view, attributes, FRA_OIFNAME)
  if (output !== undefined) rule.outputInterface = output
  const ipProtocol = byteOf(view, attributes, FRA_IP_PROTO)
  if (ipProtocol !== undefined && ipProtocol !== 0) rule.ipProtocol = ipProtocol
  const sourcePorts = attributes.get(FRA_SPORT_RANGE)
  if (sourcePorts !== undefined && sourcePorts.len >= 4) {
    rule.sourcePortFirst = view.getUint16(sourcePorts.at, true)
    rule.sourcePortLast = view.getUint16(sourcePorts.at + 2, true)
  }
  const destinationPorts = attributes.get(FRA_DPORT_RANGE)
  if (destinationPorts !== undefined && destinationPorts.len >= 4) {
    rule.destinationPortFirst = view.getUint16(destinationPorts.at, true)
    rule.destinationPortLast = view.getUint16(destinationPorts.at + 2, true)
  }
  return rule
}

/** rtattr: length (with its own four bytes), type, value, padding to four. */
function readAttributes(view: DataView, at: number, endAt: number): Attributes {
  const attributes: Attributes = new Map()
  while (at + 4 <= endAt) {
    const len = view.getUint16(at, true)
    if (len < 4 || at + len > endAt) break
    // The two upper bits are flags (NLA_F_NESTED, NLA_F_NET_BYTEORDER).
    attributes.set(view.getUint16(at + 2, true) & 0x3fff, { at: at + 4, len: len - 4 })
    at += (len + 3) & ~3
  }
  return attributes
}

function nested(view: DataView, attributes: Attributes, type: number): Attributes {
  const found = attributes.get(type)
  return found === undefined ? new Map() : readAttributes(view, found.at, found.at + found.len)
}

function byteOf(view: DataView, attributes: Attributes, type: number): number | undefined {
  const found = attributes.get(type)
  return found === undefined || found.len < 1 ? undefined : view.getUint8(found.at)
}

function wordOf(view: DataView, attributes: Attributes, type: number): number | undefined {
  const found = attributes.get(type)
  return found === undefined || found.len < 4 ? undefined : view.getUint32(found.at, true)
}

function textOf(view: DataView, attributes: Attributes, type: number): string | undefined {
  const found = attributes.get(type)
  if (found === undefined) return undefined
  let len = 0
  while (len < found.len && view.getUint8(found.at + len) !== 0) len++
  return new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + found.at, len))
}

function familyOf(number: number): IpFamily | undefined {
  if (number === AF_INET) return 4
  return number === AF_INET6 ? 6 : undefined
}

function addressOf(view: DataView, attributes: Attributes, type: number, family: IpFamily): string | undefined {
  const found = attributes.get(type)
  const len = family === 4 ? 4 : 16
  return found === undefined || found.len !== len ? undefined : addressText(view, found.at, len)
}

function addressText(view: DataView, at: number, len: number): string {
  return ipaddr.fromByteArray([...new Uint8Array(view.buffer, view.byteOffset + at, len)]).toString()
}
