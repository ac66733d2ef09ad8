// Traceroutes: probes whose TTL rises, and the routers that report its end (RFC 792, RFC 4443 3.3). Whatever sends
// them (UDP, TCP or ICMP; traceroute, tracert, mtr), an answer quotes the first 8 bytes behind the probe's IP header.
import {
  ICMP_ECHO_REPLY,
  ICMP_ECHO_REQUEST,
  ICMP_PORT_UNREACHABLE,
  ICMP_TIME_EXCEEDED,
  ICMP_UNREACHABLE,
  ICMPV6_ECHO_REPLY,
  ICMPV6_ECHO_REQUEST,
  ICMPV6_PORT_UNREACHABLE,
  ICMPV6_TIME_EXCEEDED,
  ICMPV6_UNREACHABLE,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_TCP,
  IPPROTO_UDP,
  TCP_ACK,
  TCP_RST,
  TCP_SYN,
} from '../../constants/wire.ts'
import { u16, u32 } from '../../decoders/cursor.ts'
import { createQuotedPacket, readQuoted } from '../../decoders/quoted.ts'
import { type DecodedBatch, ROW_FRAGMENT } from '../../model/decoded-batch.ts'
import { DIRECTION_IN, type PacketBatch } from '../../model/packet-batch.ts'
import type { AddressTable } from './addresses.ts'

/** Hosts send with 64 and more: a packet that leaves with less is meant to die. Programs stop at 30 hops. */
export const MAX_PROBE_TTL = 32
/** Probes that may still be answered: traceroute has 16 on their way, mtr 30 a second. */
const MAX_PROBES = 1024
/** Routes kept; packets of a low TTL that are none of a traceroute make room first, then the oldest. */
const MAX_ROUTES = 64
/** A power of two, well above MAX_ROUTES: a cell nobody is traced in tells most answers at once that they are none. */
const TRACED_CELLS = 1024
/** Different routers listed of one hop: paths in parallel have a few. */
const MAX_ROUTERS = 8
/** Programs wait 5 s for an answer at most. */
const ANSWER_MICROS = 5_000_000
/** A destination probed again after such a pause is another run. */
const PAUSE_MICROS = 60_000_000
/** Bytes of the header behind IP's that every error quotes. */
const KEY_LEN = 8

/** One router that answered at a hop. */
export interface HopRouter {
  addressId: number
  answers: number
  minMicros: number
  /** It reported the destination unreachable instead of the TTL's end. */
  isUnreachable: boolean
}

export interface Hop {
  probes: number
  readonly routers: HopRouter[]
}

/** One run towards one destination over one interface. */
export interface Route {
  readonly interfaceId: number
  readonly addressId: number
  readonly ipProtocol: number
  readonly firstMicros: number
  lastMicros: number
  /** By TTL; [0] is never used. */
  readonly hops: (Hop | undefined)[]
  /** The smallest TTL that brought a probe to the destination; 0 = none did. */
  reachedTtl: number
  /** A router reported the end of a probe's TTL. */
  hasExpired: boolean
}

export interface TracerouteTracker {
  /** Probes are on their way: their answers are among the packets to come. */
  isWaiting(timeMicros: number): boolean
  /** Takes a row with a TTL up to MAX_PROBE_TTL, and every row while an answer is waited for. */
  packet(batch: PacketBatch, out: DecodedBatch, row: number): void
  /** Takes a row with an ICMP error. */
  icmpError(batch: PacketBatch, out: DecodedBatch, row: number): void
  /** What turned out to be traceroutes, in order of time. */
  all(): Route[]
}

export function createTracerouteTracker(addresses: AddressTable): TracerouteTracker {
  const routes: Route[] = []
  /** How many routes lead to the destinations of each cell. */
  const traced = new Uint16Array(TRACED_CELLS)
  const quoted = createQuotedPacket()
  // The probes in a ring, columns; `route` is undefined where there is none.
  const route: (Route | undefined)[] = new Array(MAX_PROBES).fill(undefined)
  const sentMicros = new Float64Array(MAX_PROBES)
  const ttl = new Uint8Array(MAX_PROBES)
  const isAnswered = new Uint8Array(MAX_PROBES)
  const ipId = new Uint32Array(MAX_PROBES)
  /** Ports, or an echo's id and number. */
  const key = new Uint32Array(MAX_PROBES)
  /** TCP's sequence number, UDP's length and checksum. */
  const second = new Uint32Array(MAX_PROBES)
  let next = 0
  let latestMicros = Number.NEGATIVE_INFINITY

  function findRoute(interfaceId: number, addressId: number, ipProtocol: number, timeMicros: number) {
    return routes.findLast(
      (one) =>
        one.addressId === addressId &&
        one.interfaceId === interfaceId &&
        one.ipProtocol === ipProtocol &&
        Math.abs(timeMicros - one.lastMicros) <= PAUSE_MICROS,
    )
  }

  function openRoute(interfaceId: number, addressId: number, ipProtocol: number, timeMicros: number) {
    if (routes.length === MAX_ROUTES) {
      const idle = routes.findIndex((one) => !isTraceroute(one))
      const [dropped] = routes.splice(Math.max(0, idle), 1) as [Route]
      const cell = cellOf(dropped.addressId, dropped.ipProtocol)
      traced[cell] = traced[cell]! - 1
    }
    const cell = cellOf(addressId, ipProtocol)
    traced[cell] = traced[cell]! + 1
    const made: Route = {
      interfaceId,
      addressId,
      ipProtocol,
      firstMicros: timeMicros,
      lastMicros: timeMicros,
      hops: [],
      reachedTtl: 0,
      hasExpired: false,
    }
    routes.push(made)
    return made
  }

  function probe(batch: PacketBatch, out: DecodedBatch, row: number): void {
    const { bytes } = batch
    const at = out.transportAt[row]!
    const timeMicros = batch.timeMicros[row]!
    const addressId = addresses.intern(out.addresses, row * 8 + 4)
    if (addressId === 0) return
    const interfaceId = batch.interfaceId[row]!
    const ipProtocol = out.ipProtocol[row]!
    const to =
      findRoute(interfaceId, addressId, ipProtocol, timeMicros) ??
      openRoute(interfaceId, addressId, ipProtocol, timeMicros)
    const isEcho = ipProtocol === IPPROTO_ICMP || ipProtocol === IPPROTO_ICMPV6
    const slot = next
    next = (next + 1) % MAX_PROBES
    route[slot] = to
    sentMicros[slot] = timeMicros
    ttl[slot] = out.ttl[row]!
    isAnswered[slot] = 0
    ipId[slot] = out.ipId[row]!
    key[slot] = u32(bytes, isEcho ? at + 4 : at)
    second[slot] = isEcho ? 0 : u32(bytes, at + 4)
    to.lastMicros = timeMicros
    latestMicros = timeMicros
    hopOf(to, ttl[slot]!).probes++
  }

  /**
   * The probe that such an answer is about, or −1. Of several with the same key (all of a run may share their ports)
   * the one with the quoted identification or checksum, else the one that waits longest.
   */
  function findProbe(from: ProbeWords, addressId: number, timeMicros: number): number {
    let best = -1
    let bestScore = 0
    for (let age = 1; age <= MAX_PROBES; age++) {
      const slot = (next + MAX_PROBES - age) % MAX_PROBES
      const waited = timeMicros - sentMicros[slot]!
      // Those before it wait even longer.
      if (route[slot] === undefined || waited > ANSWER_MICROS) break
      if (key[slot] !== from.key || isAnswered[slot] !== 0) continue
      const to = route[slot]!
      if (to.addressId !== addressId || to.ipProtocol !== from.ipProtocol || waited < 0) continue
      if (from.ipProtocol === IPPROTO_TCP && from.second !== undefined && from.second !== second[slot]) continue
      let score = 1
      if (to.interfaceId === from.interfaceId) score += 4
      if (from.ipId !== 0 && from.ipId === ipId[slot]) score += 2
      if (from.second !== undefined && from.second === second[slot]) score += 1
      if (score < bestScore || (score === bestScore && sentMicros[slot]! >= sentMicros[best]!)) continue
      best = slot
      bestScore = score
    }
    return best
  }

  function answered(slot: number, addressId: number, timeMicros: number, how: 'passing' | 'reached' | 'unreachable') {
    isAnswered[slot] = 1
    const to = route[slot]!
    const { routers } = hopOf(to, ttl[slot]!)
    const tookMicros = timeMicros - sentMicros[slot]!
    const known = routers.find((one) => one.addressId === addressId)
    if (known !== undefined) {
      known.answers++
      known.minMicros = Math.min(known.minMicros, tookMicros)
      known.isUnreachable ||= how === 'unreachable'
    } else if (routers.length < MAX_ROUTERS) {
      routers.push({ addressId, answers: 1, minMicros: tookMicros, isUnreachable: how === 'unreachable' })
    }
    if (how === 'passing') to.hasExpired = true
    if (how !== 'reached') return
    if (to.reachedTtl === 0 || ttl[slot]! < to.reachedTtl) to.reachedTtl = ttl[slot]!
  }

  /** What the destination itself says: an echo, a SYN's answer, a datagram from the probed port. */
  function reply(batch: PacketBatch, out: DecodedBatch, row: number): void {
    const words = answerKey(batch, out, row)
    if (words === undefined) return
    const addressId = addresses.idOf(out.addresses, row * 8)
    const ipProtocol = out.ipProtocol[row]!
    if (addressId < 0 || !isTraced(addressId, ipProtocol)) return
    const timeMicros = batch.timeMicros[row]!
    const slot = findProbe(
      { interfaceId: batch.interfaceId[row]!, ipProtocol, key: words, second: undefined, ipId: 0 },
      addressId,
      timeMicros,
    )
    if (slot >= 0) answered(slot, addressId, timeMicros, 'reached')
  }

  /** While a route is followed this is asked of every answer: most are somebody else's. */
  function isTraced(addressId: number, ipProtocol: number): boolean {
    if (traced[cellOf(addressId, ipProtocol)] === 0) return false
    for (let index = 0; index < routes.length; index++) {
      const one = routes[index]!
      if (one.addressId === addressId && one.ipProtocol === ipProtocol) return true
    }
    return false
  }

  function isWaiting(timeMicros: number): boolean {
    return timeMicros - latestMicros < ANSWER_MICROS
  }

  return {
    isWaiting,
    packet(batch, out, row) {
      if (!hasKey(batch, out, row)) return
      if (isProbe(batch, out, row)) probe(batch, out, row)
      else if (isWaiting(batch.timeMicros[row]!)) reply(batch, out, row)
    },
    icmpError(batch, out, row) {
      if (!isWaiting(batch.timeMicros[row]!)) return
      const type = out.icmpType[row]!
      const isV4 = out.ipVersion[row] === 4
      const isPassing = type === (isV4 ? ICMP_TIME_EXCEEDED : ICMPV6_TIME_EXCEEDED) && out.icmpCode[row] === 0
      if (!isPassing && type !== (isV4 ? ICMP_UNREACHABLE : ICMPV6_UNREACHABLE)) return
      const { bytes } = batch
      const endAt = out.payloadAt[row]! + out.payloadLen[row]!
      if (out.quotedAt[row] === 0 || !readQuoted(bytes, out.quotedAt[row]!, endAt, quoted)) return
      const at = quoted.transportAt
      if (endAt - at < KEY_LEN || quoted.fragmentOffset !== 0) return
      const target = addresses.idOf(quoted.addresses, 4)
      const router = addresses.intern(out.addresses, row * 8)
      if (target < 0 || router === 0) return
      const { ipProtocol } = quoted
      const isEcho = ipProtocol === IPPROTO_ICMP || ipProtocol === IPPROTO_ICMPV6
      const words = { key: u32(bytes, isEcho ? at + 4 : at), second: isEcho ? undefined : u32(bytes, at + 4) }
      const timeMicros = batch.timeMicros[row]!
      const interfaceId = batch.interfaceId[row]!
      const slot = findProbe({ interfaceId, ipProtocol, ...words, ipId: quoted.ipId }, target, timeMicros)
      if (slot < 0) return
      // A UDP probe ends at a port where nobody listens, which only the destination can say, if from another address of its.
      const isThere =
        router === target || out.icmpCode[row] === (isV4 ? ICMP_PORT_UNREACHABLE : ICMPV6_PORT_UNREACHABLE)
      answered(slot, router, timeMicros, isPassing ? 'passing' : isThere ? 'reached' : 'unreachable')
    },
    all: () => routes.filter(isTraceroute).sort((a, b) => a.firstMicros - b.firstMicros),
  }
}

/** What an answer says of its probe. */
interface ProbeWords {
  interfaceId: number
  ipProtocol: number
  key: number
  /** Undefined where the answer does not say. */
  second: number | undefined
  ipId: number
}

function cellOf(addressId: number, ipProtocol: number): number {
  return (addressId * 31 + ipProtocol) & (TRACED_CELLS - 1)
}

function hopOf(to: Route, ttl: number): Hop {
  const known = to.hops[ttl]
  if (known !== undefined) return known
  const made: Hop = { probes: 0, routers: [] }
  to.hops[ttl] = made
  return made
}

/** Several TTLs, of which a router reported an end; or all from 1 on, where routers are silent or there is none. */
function isTraceroute(one: Route): boolean {
  const probed = one.hops.flatMap((hop, ttl) => (hop === undefined ? [] : [ttl]))
  if (one.hasExpired) return probed.length >= 2
  return probed.length >= 3 && probed.every((ttl, index) => ttl === index + 1)
}

/** The whole header behind IP's that errors quote was captured. */
function hasKey(batch: PacketBatch, out: DecodedBatch, row: number): boolean {
  const at = out.transportAt[row]!
  if (at === 0 || (out.flags[row]! & ROW_FRAGMENT) !== 0) return false
  return at + KEY_LEN <= batch.startAt[row]! + batch.capturedLen[row]!
}

function isProbe(batch: PacketBatch, out: DecodedBatch, row: number): boolean {
  const ttl = out.ttl[row]!
  if (ttl === 0 || ttl > MAX_PROBE_TTL || batch.direction[row] === DIRECTION_IN) return false
  switch (out.ipProtocol[row]) {
    case IPPROTO_UDP:
      return !isGroup(out, row)
    case IPPROTO_TCP:
      return (out.tcpFlags[row]! & (TCP_SYN | TCP_ACK)) === TCP_SYN && !isGroup(out, row)
    case IPPROTO_ICMP:
      return out.icmpType[row] === ICMP_ECHO_REQUEST && !isGroup(out, row)
    case IPPROTO_ICMPV6:
      return out.icmpType[row] === ICMPV6_ECHO_REQUEST && !isGroup(out, row)
    default:
      return false
  }
}

/** Multicast and broadcast never leave the LAN, whatever their TTL. */
function isGroup(out: DecodedBatch, row: number): boolean {
  const at = row * 8 + 4
  return out.ipVersion[row] === 4 ? out.addresses[at + 3]! >>> 28 >= 0xe : out.addresses[at]! >>> 24 === 0xff
}

/** The key of the probe that this packet of the destination answers; undefined when it answers none. */
function answerKey(batch: PacketBatch, out: DecodedBatch, row: number): number | undefined {
  const at = out.transportAt[row]!
  switch (out.ipProtocol[row]) {
    case IPPROTO_ICMP:
      return out.icmpType[row] === ICMP_ECHO_REPLY ? u32(batch.bytes, at + 4) : undefined
    case IPPROTO_ICMPV6:
      return out.icmpType[row] === ICMPV6_ECHO_REPLY ? u32(batch.bytes, at + 4) : undefined
    case IPPROTO_TCP: {
      const flags = out.tcpFlags[row]!
      if ((flags & TCP_RST) === 0 && (flags & (TCP_SYN | TCP_ACK)) !== (TCP_SYN | TCP_ACK)) return undefined
      break
    }
    case IPPROTO_UDP:
      break
    default:
      return undefined
  }
  return ((u16(batch.bytes, at + 2) << 16) | u16(batch.bytes, at)) >>> 0
}
