// HOT PATH. The join's fallback (rules.md part 5): where outer packets do not follow inner ones one by one, because the
// transport pads them, cuts them or puts several into one, the volume of the outer flow still follows that of the tunnel.
// Only interfaces that are tunnels for another reason are looked at, and only as long as the join knows nothing of them.
import { IPPROTO_ESP, IPPROTO_TCP, IPPROTO_UDP } from '../../constants/wire.ts'
import { type DecodedBatch, ROW_FRAGMENT } from '../../model/decoded-batch.ts'
import type { PacketBatch } from '../../model/packet-batch.ts'
import { isLoopbackAddress, isMulticastAddress } from '../address-classes.ts'
import type { AddressTable } from './addresses.ts'
import { hashOf, isHigher } from './flow-key.ts'
import { describeVolumes, type VolumeJoin } from './volume-description.ts'
import { VolumeInside } from './volume-inside.ts'
import { addStream, leastStream, MAX_STREAMS, type VolumeStream } from './volume-stream.ts'

export interface VolumeJoinTracker {
  packet(batch: PacketBatch, out: DecodedBatch, row: number): void
  /** The tunnels that have been recognised, most packets first. Cold. */
  joins(): VolumeJoin[]
}

const MOMENT_MICROS = 100_000
const MAX_INSIDES = 4
const RECENT_MASK = 255
const FOLLOWED_MASK = 1023
/** When all places are taken, so many flows of a moment may take one: what scans ports or serves thousands does not cost us. */
const MAX_NEWCOMERS = 16
/** A flow that is silent for so long while the tunnel goes on does not carry it any more. */
const SILENT_MICROS = 2_000_000

/**
 * `tunnelIds()`: interfaces that are tunnels and not joined by packets; the same array until that changes, empty when
 * there is nothing to do.
 */
export function createVolumeJoin(addresses: AddressTable, tunnelIds: () => readonly number[]): VolumeJoinTracker {
  const insides: VolumeInside[] = []
  const streams: VolumeStream[] = []
  /** By the lower bits of their hash. */
  const recentStreams: (VolumeStream | undefined)[] = new Array(RECENT_MASK + 1).fill(undefined)
  /** How many streams there are, by the lower bits of their hash: most flows of a busy machine are not followed. */
  const followed = new Uint8Array(FOLLOWED_MASK + 1)
  let watched: readonly number[] = []
  let moment = -1
  let newcomers = 0

  /** COLD PATH: when an interface comes or is joined otherwise. */
  function watch(ids: readonly number[]): void {
    watched = ids
    for (const id of ids) {
      const isNew = insides.every((one) => one.interfaceId !== id)
      if (isNew && insides.length < MAX_INSIDES) insides.push(new VolumeInside(id))
    }
    for (const stream of streams) stream.pairWith(insides.length)
  }

  function insideOf(interfaceId: number): VolumeInside | undefined {
    for (let i = 0; i < insides.length; i++) if (insides[i]!.interfaceId === interfaceId) return insides[i]
    return undefined
  }

  function streamOf(interfaceId: number, hash: number): VolumeStream | undefined {
    const recent = recentStreams[hash & RECENT_MASK]
    if (recent !== undefined && recent.keyHash === hash && recent.interfaceId === interfaceId) return recent
    if (followed[hash & FOLLOWED_MASK] === 0) return undefined
    for (let i = 0; i < streams.length; i++) {
      const one = streams[i]!
      if (one.keyHash !== hash || one.interfaceId !== interfaceId) continue
      recentStreams[hash & RECENT_MASK] = one
      return one
    }
    return undefined
  }

  /** Fragments have no ports: the stream between the same hosts that was seen last. */
  function streamBetween(interfaceId: number, pairHash: number): VolumeStream | undefined {
    let last: VolumeStream | undefined
    for (let i = 0; i < streams.length; i++) {
      const one = streams[i]!
      if (one.pairHash !== pairHash || one.interfaceId !== interfaceId) continue
      if (last === undefined || one.lastMicros > last.lastMicros) last = one
    }
    return last
  }

  /** The present moment is over, and there was nothing in `idle` moments after it. */
  function close(idle: number): void {
    compareAll(true)
    if (idle > 0) compareAll(false)
    if (idle > 1) compareAll(false)
  }

  function compareAll(counts: boolean): void {
    const endMicros = (moment + 1) * MOMENT_MICROS
    for (let s = 0; s < streams.length; s++) {
      const stream = streams[s]!
      const isSilent = endMicros - stream.lastMicros > SILENT_MICROS
      for (let i = 0; i < insides.length && !isSilent; i++) {
        const inside = insides[i]!
        const pair = stream.pairs[i]!
        const solo = (inside.flows & (inside.flows - 1)) === 0 ? inside.flows : 0
        if (counts) pair.count(inside.up, inside.down, stream.lower, stream.higher, solo)
        // The moment before with half of its neighbours, so that the borders between them do not count.
        const up = inside.upEarlier + 2 * inside.upBefore + inside.up
        const down = inside.downEarlier + 2 * inside.downBefore + inside.down
        const lower = stream.lowerEarlier + 2 * stream.lowerBefore + stream.lower
        const higher = stream.higherEarlier + 2 * stream.higherBefore + stream.higher
        if (up + down + lower + higher > 0) pair.compare(up, down, lower, higher)
      }
      stream.next()
    }
    for (let i = 0; i < insides.length; i++) insides[i]!.next()
  }

  return {
    packet(batch, out, row) {
      const ids = tunnelIds()
      if (ids !== watched) watch(ids)
      if (ids.length === 0 || out.ipVersion[row] === 0 || out.depth[row] !== 0) return
      const a = out.addresses
      const source = row << 3
      const destination = source + 4
      if (isLoopbackAddress(a[destination]!, a[destination + 1]!, a[destination + 2]!, a[destination + 3]!)) return
      if (isMulticastAddress(a[destination]!, a[destination + 1]!, a[destination + 2]!, a[destination + 3]!)) return
      const timeMicros = batch.timeMicros[row]!
      const now = Math.floor(timeMicros / MOMENT_MICROS)
      if (now > moment) {
        if (moment >= 0) close(now - moment - 1)
        moment = now
        newcomers = 0
      }
      const interfaceId = batch.interfaceId[row]!
      const protocol = out.ipProtocol[row]!
      const srcPort = out.srcPort[row]!
      const dstPort = out.dstPort[row]!
      const sourceIsLower = !isHigher(a, source, destination, srcPort, dstPort)
      const lowerAt = sourceIsLower ? source : destination
      const higherAt = sourceIsLower ? destination : source
      // Signed: an unsigned number above 2^31 would be an object wherever a call is not inlined.
      const ports = sourceIsLower ? (srcPort << 16) | dstPort : (dstPort << 16) | srcPort
      const hash = hashOf(a, lowerAt, higherAt, ports, protocol)
      const inside = insideOf(interfaceId)
      if (inside !== undefined) {
        inside.packet(out, row, hash)
        return
      }
      if (!mayCarry(out, row, protocol)) return
      const isFragment = (out.flags[row]! & ROW_FRAGMENT) !== 0
      const pairHash = hashOf(a, lowerAt, higherAt, 0, protocol)
      let stream = isFragment ? streamBetween(interfaceId, pairHash) : streamOf(interfaceId, hash)
      if (isFragment && stream === undefined) return
      if (stream === undefined) {
        if (streams.length === MAX_STREAMS && ++newcomers > MAX_NEWCOMERS) return
        stream = streams.length < MAX_STREAMS ? addStream(streams, insides.length) : leastStream(streams)
        if (stream === undefined) return
        if (stream.packets > 0) followed[stream.keyHash & FOLLOWED_MASK]!--
        followed[hash & FOLLOWED_MASK]!++
        stream.begin(addresses, a, lowerAt, higherAt, timeMicros)
        stream.ports = ports
        stream.keyHash = hash
        stream.pairHash = pairHash
        stream.interfaceId = interfaceId
        stream.ipProtocol = protocol
        stream.outerFamily = out.ipVersion[row] === 6 ? 6 : 4
      }
      stream.packets++
      if (timeMicros > stream.lastMicros) stream.lastMicros = timeMicros
      if (sourceIsLower) stream.lower += out.ipLen[row]!
      else stream.higher += out.ipLen[row]!
    },
    joins: () => describeVolumes(watched, insides, streams),
  }
}

/** Datagrams, ESP, and stream segments with data. */
function mayCarry(out: DecodedBatch, row: number, protocol: number): boolean {
  if (protocol === IPPROTO_TCP) return out.payloadWireLen[row]! > 0
  return protocol === IPPROTO_UDP || protocol === IPPROTO_ESP
}
