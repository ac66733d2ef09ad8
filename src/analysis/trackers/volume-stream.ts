// HOT PATH. One outer flow whose volume is compared with that of the tunnels.
import type { AddressTable } from './addresses.ts'
import { VolumePair } from './volume-pair.ts'

/** Outer flows followed; the one with the fewest packets that is nobody's makes room. */
export const MAX_STREAMS = 64

/** Its memory is used again for another flow: on a busy machine flows come by the thousand. */
export class VolumeStream {
  keyHash = 0
  /** Of the two hosts and the protocol. */
  pairHash = 0
  interfaceId = 0
  ipProtocol = 0
  outerFamily = 4
  lowerId = 0
  higherId = 0
  ports = 0
  firstMicros = 0
  lastMicros = 0
  packets = 0
  /** Bytes of this moment and of the two before, by who sent them. */
  lower = 0
  higher = 0
  lowerBefore = 0
  higherBefore = 0
  lowerEarlier = 0
  higherEarlier = 0
  /** By the tunnels' places. */
  readonly pairs: VolumePair[] = []

  get isProven(): boolean {
    for (let i = 0; i < this.pairs.length; i++) if (this.pairs[i]!.isProven) return true
    return false
  }

  /** COLD PATH: compared with so many tunnels from now on. */
  pairWith(tunnels: number): void {
    while (this.pairs.length < tunnels) this.pairs.push(new VolumePair())
  }

  /** The flow between the addresses at `lowerAt` and `higherAt`, from its first packet on. */
  begin(addresses: AddressTable, words: Uint32Array, lowerAt: number, higherAt: number, timeMicros: number): void {
    this.lowerId = addresses.intern(words, lowerAt)
    this.higherId = addresses.intern(words, higherAt)
    this.firstMicros = timeMicros
    this.lastMicros = timeMicros
    this.packets = 0
    this.lower = 0
    this.higher = 0
    this.next()
    this.next()
    for (let i = 0; i < this.pairs.length; i++) this.pairs[i]!.reset()
  }

  /** The moment is over. */
  next(): void {
    this.lowerEarlier = this.lowerBefore
    this.higherEarlier = this.higherBefore
    this.lowerBefore = this.lower
    this.higherBefore = this.higher
    this.lower = 0
    this.higher = 0
  }
}

/** The stream that makes room, or undefined when all carry a tunnel. */
export function leastStream(streams: readonly VolumeStream[]): VolumeStream | undefined {
  let least: VolumeStream | undefined
  for (let i = 0; i < streams.length; i++) {
    const one = streams[i]!
    if ((least === undefined || one.packets < least.packets) && !one.isProven) least = one
  }
  return least
}

/** COLD PATH: until the table is full. */
export function addStream(streams: VolumeStream[], tunnels: number): VolumeStream {
  const made = new VolumeStream()
  made.pairWith(tunnels)
  streams.push(made)
  return made
}
