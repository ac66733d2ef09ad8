// HOT PATH. The inner/outer join (rules.md part 5): which outer flow carries which interface's packets, learned from
// times and lengths alone, without names, ports or keys. A packet is compared with those that the other interfaces had
// a few milliseconds before; an outer flow whose lengths follow the inner ones is the tunnel.
import { IPPROTO_ESP, IPPROTO_TCP, IPPROTO_UDP } from '../../constants/wire.ts'
import { type DecodedBatch, ROW_FRAGMENT } from '../../model/decoded-batch.ts'
import type { PacketBatch } from '../../model/packet-batch.ts'
import { isLoopbackAddress, isMulticastAddress } from '../address-classes.ts'
import type { AddressTable } from './addresses.ts'
import { hashOf, isHigher } from './flow-key.ts'
import { addCandidate, type JoinCandidate, startMatching } from './join-candidate.ts'
import { describeJoins, type TunnelJoin } from './join-description.ts'
import { addRing, KEY_WORDS, PORTS_WORD, RING_LEN, type Ring } from './join-ring.ts'
import { mayCarry } from './join-votes.ts'

export interface TunnelJoinTracker {
  packet(batch: PacketBatch, out: DecodedBatch, row: number): void
  /** Tunnels that are proven by now. */
  count(): number
  /** The interface's packets are known to leave in another flow. */
  isJoined(interfaceId: number): boolean
  /** The tunnels that are proven by now, most packets first. Cold. */
  joins(): TunnelJoin[]
}

/** Packets of one interface that are looked at for one of another. */
const MAX_LOOKS = 24
/** Userspace VPNs on a busy machine need milliseconds. */
const WINDOW_MICROS = 5000
const MAX_JOIN_INTERFACES = 16
const MAX_PROVEN = 16
/** Pairs compared in vain after which only every sixteenth stretch of packets is looked at. */
const PATIENCE = 1 << 20
const STRETCH_SHIFT = 7
const STRETCH_MASK = 15

/**
 * What is asked of a ballot before it counts: a DNS question forwarded from one interface to another must not do. A
 * tunnel that carries but one connection must follow it closer.
 */
const MIN_EXPLAINED = 12
const MIN_LENGTHS = 4
const MIN_EACH_WAY = 4
/** Of the outer packets, so many must agree; segmentation offload and bursts hide the rest. */
const MIN_SHARE = 0.4
const MIN_SHARE_OF_ONE_FLOW = 0.8
/** The leader must have so many times the votes of the next overhead. */
const MIN_LEAD = 2
/** One reading of who is who must match so much more than the other. */
const CLEARLY_MORE = 1.25
/** And by so many packets, before the other reading is given up; how often that is looked at. */
const SETTLE_MATCHES = 32
const SETTLE_MASK = 31
const REFUTE_MASK = 7
/** Flows that agreed for a while by chance: a transport that pads to a few sizes does. */
const MAX_REFUTED = 64
/** How often a ballot is looked at. */
const COUNT_EVERY = 4

/**
 * `interfaceCount()`: with fewer than two there is nothing to join. `ownAddresses` tells this machine's addresses on
 * an interface, as far as they are known.
 */
export function createTunnelJoin(
  addresses: AddressTable,
  interfaceCount: () => number,
  ownAddresses: (interfaceId: number) => ReadonlySet<number>,
): TunnelJoinTracker {
  const rings: Ring[] = []
  const candidates: JoinCandidate[] = []
  const proven: JoinCandidate[] = []
  const refuted = new Int32Array(MAX_REFUTED)
  let refutedCount = 0
  let packetNumber = 0
  let effort = 0

  function ringOf(interfaceId: number): Ring | undefined {
    for (let i = 0; i < rings.length; i++) if (rings[i]!.interfaceId === interfaceId) return rings[i]
    return rings.length < MAX_JOIN_INTERFACES ? addRing(rings, interfaceId) : undefined
  }

  /** The claim is withdrawn, and the flow is not looked at again. */
  function refute(index: number): void {
    refuted[refutedCount++ % MAX_REFUTED] = proven[index]!.keyHash
    for (let i = index; i + 1 < proven.length; i++) proven[i] = proven[i + 1]!
    proven.pop()
  }

  function isRefutedFlow(hash: number): boolean {
    const count = Math.min(refutedCount, MAX_REFUTED)
    for (let i = 0; i < count; i++) if (refuted[i] === hash) return true
    return false
  }

  /** The candidate whose outer packet stands at `at` of `outer`, made when there is none. */
  function candidateOf(
    outer: Ring,
    at: number,
    innerInterfaceId: number,
    timeMicros: number,
  ): JoinCandidate | undefined {
    const hash = outer.flowHash[at]!
    for (let i = 0; i < candidates.length; i++) {
      const one = candidates[i]!
      if (one.keyHash !== hash || one.innerInterfaceId !== innerInterfaceId) continue
      if (one.outerInterfaceId === outer.interfaceId) return one
    }
    if (isRefutedFlow(hash)) return undefined
    return addCandidate(candidates, addresses, outer, at, innerInterfaceId, timeMicros)
  }

  function compare(outer: Ring, outerAt: number, inner: Ring, innerAt: number, innerFirst: boolean): void {
    const outerLen = outer.ipLen[outerAt]!
    const innerLen = inner.ipLen[innerAt]!
    if (!mayCarry(outerLen, innerLen)) return
    // What a tunnel carries does not carry the tunnel.
    for (let i = 0; i < proven.length; i++) {
      const one = proven[i]!
      if (one.innerInterfaceId === outer.interfaceId && one.outerInterfaceId === inner.interfaceId) return
    }
    effort++
    const timeMicros = outer.timeMicros[outerAt]!
    const candidate = candidateOf(outer, outerAt, inner.interfaceId, timeMicros)
    if (candidate === undefined) return
    const voter = outer.voter[outerAt]!
    if (voter > candidate.lastVoter) {
      candidate.lastVoter = voter
      candidate.packets++
      if (timeMicros > candidate.lastMicros) candidate.lastMicros = timeMicros
      if (outerLen > candidate.largestOuterLen) candidate.largestOuterLen = outerLen
    }
    const { votes } = candidate
    const isLargest = innerLen >= inner.largestLen
    const sentByLower = outer.sourceIsLower[outerAt] === 1
    if (!votes.vote(outerLen, innerLen, isLargest, voter, innerFirst, sentByLower, inner.flowHash[innerAt]!)) return
    const { leader } = votes
    if (leader !== candidate.leader) {
      candidate.leader = leader
      candidate.explained = 0
    }
    if (outer.explainedBy[outerAt] === leader) return
    outer.explainedBy[outerAt] = leader
    candidate.explained++
    if (candidate.explained >= MIN_EXPLAINED && candidate.explained % COUNT_EVERY === 0 && isProven(candidate))
      prove(candidate)
  }

  function prove(candidate: JoinCandidate): void {
    if (proven.length === MAX_PROVEN) return
    startMatching(candidate, candidates, proven)
    effort = 0
  }

  /**
   * Which end we are. As the wrong one a question is taken for an answer, and hardly anything matches; else our
   * addresses tell, else what came first, which mistakes an answer that comes at once for a question.
   */
  function isMachineLower(candidate: JoinCandidate): boolean {
    const asLower = candidate.asLower?.matched ?? -1
    const asHigher = candidate.asHigher?.matched ?? -1
    if (asLower < 0 || asHigher < 0) return asHigher < 0
    if (asLower > asHigher * CLEARLY_MORE || asHigher > asLower * CLEARLY_MORE) return asLower > asHigher
    const own = ownAddresses(candidate.outerInterfaceId)
    const lowerIsOwn = own.has(candidate.lowerId)
    return lowerIsOwn !== own.has(candidate.higherId) ? lowerIsOwn : candidate.votes.machineIsLower
  }

  /** The packet belongs to a tunnel that is known already. True when it is an outer one, which needs no comparing. */
  function passesThrough(
    interfaceId: number,
    hash: number,
    out: DecodedBatch,
    row: number,
    timeMicros: number,
    sourceIsLower: boolean,
  ): boolean {
    let inside: JoinCandidate | undefined
    for (let i = 0; i < proven.length; i++) {
      const one = proven[i]!
      if (one.outerInterfaceId === interfaceId && one.keyHash === hash) {
        if ((out.flags[row]! & ROW_FRAGMENT) !== 0) return true
        one.packets++
        if (timeMicros > one.lastMicros) one.lastMicros = timeMicros
        if ((one.packets & SETTLE_MASK) === 0) settleEnds(one)
        if ((one.packets & REFUTE_MASK) === 0 && isRefuted(one)) {
          refute(i)
          return true
        }
        one.asLower?.outer(timeMicros, out.ipLen[row]!, sourceIsLower)
        one.asHigher?.outer(timeMicros, out.ipLen[row]!, !sourceIsLower)
        return true
      }
      if (one.innerInterfaceId === interfaceId && (inside === undefined || one.lastMicros > inside.lastMicros))
        inside = one
    }
    if (inside !== undefined) {
      const word = row << 3
      const { addresses: a } = out
      const sender = a[word]! ^ a[word + 1]! ^ Math.imul(a[word + 2]!, 31) ^ a[word + 3]!
      inside.asLower?.inner(timeMicros, out.ipLen[row]!, sender)
      inside.asHigher?.inner(timeMicros, out.ipLen[row]!, sender)
    }
    return false
  }

  return {
    packet(batch, out, row) {
      if (out.ipVersion[row] === 0 || out.depth[row] !== 0 || interfaceCount() < 2) return
      const a = out.addresses
      const source = row << 3
      const destination = source + 4
      if (isLoopbackAddress(a[destination]!, a[destination + 1]!, a[destination + 2]!, a[destination + 3]!)) return
      const interfaceId = batch.interfaceId[row]!
      const timeMicros = batch.timeMicros[row]!
      const protocol = out.ipProtocol[row]!
      const srcPort = out.srcPort[row]!
      const dstPort = out.dstPort[row]!
      const sourceIsLower = !isHigher(a, source, destination, srcPort, dstPort)
      const lowerAt = sourceIsLower ? source : destination
      const higherAt = sourceIsLower ? destination : source
      const ports = sourceIsLower ? ((srcPort << 16) | dstPort) >>> 0 : ((dstPort << 16) | srcPort) >>> 0
      const hash = hashOf(a, lowerAt, higherAt, ports, protocol)
      packetNumber++
      if (proven.length > 0 && passesThrough(interfaceId, hash, out, row, timeMicros, sourceIsLower)) return
      if (effort > PATIENCE && ((packetNumber >>> STRETCH_SHIFT) & STRETCH_MASK) !== 0) return
      const ring = ringOf(interfaceId)
      if (ring === undefined) return
      const at = ring.count % RING_LEN
      ring.count++
      ring.timeMicros[at] = timeMicros
      const ipLen = out.ipLen[row]!
      ring.ipLen[at] = ipLen
      if (ipLen > ring.largestLen) ring.largestLen = ipLen
      ring.flowHash[at] = hash
      ring.explainedBy[at] = -1
      ring.ipProtocol[at] = protocol
      ring.ipVersion[at] = out.ipVersion[row]!
      ring.sourceIsLower[at] = sourceIsLower ? 1 : 0
      ring.voter[at] = isOuterCapable(out, row, protocol, destination) ? packetNumber : 0
      const keyAt = at * KEY_WORDS
      for (let word = 0; word < 4; word++) {
        ring.key[keyAt + word] = a[lowerAt + word]!
        ring.key[keyAt + 4 + word] = a[higherAt + word]!
      }
      ring.key[keyAt + PORTS_WORD] = ports
      for (let i = 0; i < rings.length; i++) {
        const other = rings[i]!
        if (other === ring) continue
        const oldest = Math.max(0, other.count - MAX_LOOKS)
        for (let position: number = other.count - 1; position >= oldest; position--) {
          const otherAt = position % RING_LEN
          if (timeMicros - other.timeMicros[otherAt]! > WINDOW_MICROS) break
          if (ring.voter[at] !== 0) compare(ring, at, other, otherAt, true)
          if (other.voter[otherAt] !== 0) compare(other, otherAt, ring, at, false)
        }
      }
    },
    count: () => proven.length,
    isJoined(interfaceId) {
      for (let i = 0; i < proven.length; i++) if (proven[i]!.innerInterfaceId === interfaceId) return true
      return false
    },
    joins: () => describeJoins(proven, isMachineLower),
  }
}

/** Whole datagrams, ESP, and stream segments with data may carry a packet. */
function isOuterCapable(out: DecodedBatch, row: number, protocol: number, destination: number): boolean {
  if ((out.flags[row]! & ROW_FRAGMENT) !== 0) return false
  if (protocol === IPPROTO_UDP || protocol === IPPROTO_ESP) {
    const a = out.addresses
    return !isMulticastAddress(a[destination]!, a[destination + 1]!, a[destination + 2]!, a[destination + 3]!)
  }
  return protocol === IPPROTO_TCP && out.payloadWireLen[row]! > 0
}

function isProven(candidate: JoinCandidate): boolean {
  const { votes, packets, explained } = candidate
  const { hits, innerFirstHits } = votes
  const isOneFlow = votes.flowCount < 2
  if (isOneFlow && candidate.ipProtocol === IPPROTO_TCP) return false
  return (
    explained >= packets * (isOneFlow ? MIN_SHARE_OF_ONE_FLOW : MIN_SHARE) &&
    hits >= votes.runnerUp * MIN_LEAD &&
    innerFirstHits >= MIN_EACH_WAY &&
    hits - innerFirstHits >= MIN_EACH_WAY &&
    votes.lengthCount >= MIN_LENGTHS
  )
}

/** As either end. A stream's packets have no lengths of their own. */
function isRefuted({ ipProtocol, asLower, asHigher }: JoinCandidate): boolean {
  if (ipProtocol === IPPROTO_TCP) return false
  return (asLower === undefined || asLower.isRefuted) && (asHigher === undefined || asHigher.isRefuted)
}

/** Once it is clear which end we are, the other reading is not followed any further: nothing in it ever matches. */
function settleEnds(one: JoinCandidate): void {
  if (one.asLower === undefined || one.asHigher === undefined) return
  if (one.asLower.matched > one.asHigher.matched * CLEARLY_MORE + SETTLE_MATCHES) one.asHigher = undefined
  else if (one.asHigher.matched > one.asLower.matched * CLEARLY_MORE + SETTLE_MATCHES) one.asLower = undefined
}
