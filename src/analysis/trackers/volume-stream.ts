// One outer flow whose volume is compared with that of the tunnels.
import type { AddressTable } from './addresses.ts'
import { VolumePair } from './volume-pair.ts'

/** Outer flows followed; the one with the fewest packets that is nobody's makes room. */
export const MAX_STREAMS = 64

export class VolumeStream {
  keyHash = 0
  /** Of the two hosts and the protocol. */
  pairHash = 0
  interfaceId = 0
  ipProtocol = 0
  outerFamily: 4 | 6 = 4
  readonly lowerId: number
  readonly higherId: number
  readonly lowerPort: number
  readonly higherPort: number
  readonly firstMicros: number = 0
  /** Set here: a field that begins as undefined holds an object for each number. */
  lastMicros = 0
  packets = 0
  /** False when it had to make room. */
  isFollowed = true
  /** Bytes of this moment and of the two before, by who sent them. */
  lower = 0
  higher = 0
  lowerBefore = 0
  higherBefore = 0
  lowerEarlier = 0
  higherEarlier = 0
  /** By the tunnels' places. */
  readonly pairs: VolumePair[] = []

  constructor(lowerId: number, higherId: number, ports: number, timeMicros: number) {
    this.lowerId = lowerId
    this.higherId = higherId
    this.lowerPort = ports >>> 16
    this.higherPort = ports & 0xffff
    this.firstMicros = timeMicros
    this.lastMicros = timeMicros
  }

  get isProven(): boolean {
    return this.pairs.some((one) => one.isProven)
  }

  /** Compared with so many tunnels from now on. */
  pairWith(tunnels: number): void {
    while (this.pairs.length < tunnels) this.pairs.push(new VolumePair())
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

export function addStream(
  streams: VolumeStream[],
  addresses: AddressTable,
  words: Uint32Array,
  lowerAt: number,
  higherAt: number,
  ports: number,
  timeMicros: number,
): VolumeStream {
  if (streams.length === MAX_STREAMS) {
    let least = -1
    for (let i = 0; i < streams.length; i++) {
      if (streams[i]!.isProven) continue
      if (least < 0 || streams[i]!.packets < streams[least]!.packets) least = i
    }
    const [gone] = streams.splice(Math.max(0, least), 1)
    gone!.isFollowed = false
  }
  const made = new VolumeStream(addresses.intern(words, lowerAt), addresses.intern(words, higherAt), ports, timeMicros)
  streams.push(made)
  return made
}
