// DHCP acknowledgements, RFC 2131 2 and RFC 2132: the lease and the routes that come with it. Cold path: a lease is rare.
import { u16, u32 } from './cursor.ts'

const OP_AT = 0
const YIADDR_AT = 16
const COOKIE_AT = 236
const OPTIONS_AT = 240
const BOOTREPLY = 2
/** RFC 2131 3. */
const MAGIC_COOKIE = 0x63825363
const MESSAGE_TYPE_ACK = 5

const OPTION_PAD = 0
const OPTION_SUBNET_MASK = 1
const OPTION_DOMAIN_NAME = 15
const OPTION_MESSAGE_TYPE = 53
const OPTION_SERVER_IDENTIFIER = 54
const OPTION_CLASSLESS_ROUTES = 121
/** The same as Microsoft used it before RFC 3442. */
const OPTION_CLASSLESS_ROUTES_OLD = 249
const OPTION_END = 255

/** One route of option 121 (RFC 3442); addresses as numbers. */
export interface LeasedRoute {
  destination: number
  prefixLen: number
  gateway: number
}

/** What an acknowledgement gives the machine; addresses as numbers, 0 = not said. */
export interface Lease {
  address: number
  /** −1 when no mask was given. */
  prefixLen: number
  server: number
  domain: string
  routes: LeasedRoute[]
}

/** The lease in the DHCP message at [at, endAt), or undefined when it is no acknowledgement. Never throws. */
export function readLease(bytes: Uint8Array, at: number, endAt: number): Lease | undefined {
  if (endAt - at < OPTIONS_AT || bytes[at + OP_AT] !== BOOTREPLY || u32(bytes, at + COOKIE_AT) !== MAGIC_COOKIE) {
    return undefined
  }
  const lease: Lease = { address: u32(bytes, at + YIADDR_AT), prefixLen: -1, server: 0, domain: '', routes: [] }
  let messageType = 0
  let optionAt = at + OPTIONS_AT
  while (optionAt < endAt && bytes[optionAt] !== OPTION_END) {
    const code = bytes[optionAt]!
    if (code === OPTION_PAD) {
      optionAt++
      continue
    }
    if (optionAt + 2 > endAt) break
    const valueAt = optionAt + 2
    const valueEndAt = valueAt + bytes[optionAt + 1]!
    if (valueEndAt > endAt) break
    const valueLen = valueEndAt - valueAt
    if (code === OPTION_MESSAGE_TYPE && valueLen === 1) messageType = bytes[valueAt]!
    else if (code === OPTION_SUBNET_MASK && valueLen === 4) lease.prefixLen = maskLen(u32(bytes, valueAt))
    else if (code === OPTION_SERVER_IDENTIFIER && valueLen === 4) lease.server = u32(bytes, valueAt)
    else if (code === OPTION_DOMAIN_NAME) lease.domain = plainText(bytes, valueAt, valueEndAt)
    else if (code === OPTION_CLASSLESS_ROUTES || code === OPTION_CLASSLESS_ROUTES_OLD) {
      readRoutes(bytes, valueAt, valueEndAt, lease.routes)
    }
    optionAt = valueEndAt
  }
  return messageType === MESSAGE_TYPE_ACK ? lease : undefined
}

/** RFC 3442: prefix length, the prefix's significant octets, the gateway; one behind the other. */
function readRoutes(bytes: Uint8Array, at: number, endAt: number, routes: LeasedRoute[]): void {
  while (at < endAt) {
    const prefixLen = bytes[at]!
    const octets = (prefixLen + 7) >> 3
    if (prefixLen > 32 || at + 1 + octets + 4 > endAt) return
    let destination = 0
    for (let i = 0; i < octets; i++) destination |= bytes[at + 1 + i]! << (24 - i * 8)
    const mask = prefixLen === 0 ? 0 : (0xffff_ffff << (32 - prefixLen)) >>> 0
    routes.push({
      destination: (destination & mask) >>> 0,
      prefixLen,
      gateway: (u16(bytes, at + 1 + octets) * 65_536 + u16(bytes, at + 3 + octets)) >>> 0,
    })
    at += 1 + octets + 4
  }
}

/** −1 for a mask with holes. */
function maskLen(mask: number): number {
  const len = Math.clz32(~mask)
  return len === 32 || mask === (0xffff_ffff << (32 - len)) >>> 0 ? len : -1
}

/** Letters, digits, dots and hyphens; anything else makes the name worthless. */
function plainText(bytes: Uint8Array, at: number, endAt: number): string {
  const text = String.fromCharCode(...bytes.subarray(at, endAt)).replace(/\0+$/, '')
  return /^[A-Za-z0-9.-]+$/.test(text) ? text.toLowerCase() : ''
}
