// Capture files built byte by byte from a list of packets, in every flavour there is. Nothing here knows the readers.
import { deflateRawSync } from 'node:zlib'

export interface SpecPacket {
  /** Microseconds since 1970, whole. */
  micros: number
  bytes: Uint8Array
  wireLen?: number
  /** Number of the interface within the file. */
  interface?: number
  /** 1 in, 2 out; 0 or absent: not marked. */
  direction?: number
}

/** A piece of a file that a reader can only take as a whole: a header, a record, a block. */
export interface Part {
  bytes: Buffer
  isPacket: boolean
}

export const fileOf = (parts: readonly Part[]): Buffer => Buffer.concat(parts.map((part) => part.bytes))

export interface PcapOptions {
  little?: boolean
  kind?: 'micros' | 'nanos' | 'modified'
  /** The whole 32-bit field, upper bits included. */
  network?: number
  snapLen?: number
  version?: readonly [number, number]
  /** Stores the two lengths the other way round, as versions before 2.3 did. */
  swapLengths?: boolean
}

/** Writes numbers in one byte order. */
function writer(little: boolean) {
  return (...fields: readonly (readonly [bits: 16 | 32, value: number])[]): Buffer => {
    const out = Buffer.alloc(fields.reduce((sum, [bits]) => sum + bits / 8, 0))
    const view = new DataView(out.buffer, out.byteOffset)
    let at = 0
    for (const [bits, value] of fields) {
      if (bits === 16) view.setUint16(at, value, little)
      else view.setUint32(at, value, little)
      at += bits / 8
    }
    return out
  }
}

export function pcapParts(packets: readonly SpecPacket[], options: PcapOptions = {}): Part[] {
  const { little = true, kind = 'micros', network = 1, snapLen = 262144, version = [2, 4] } = options
  const write = writer(little)
  const magic = { micros: 0xa1b2c3d4, nanos: 0xa1b23c4d, modified: 0xa1b2cd34 }[kind]
  const header = write([32, magic], [16, version[0]], [16, version[1]], [32, 0], [32, 0], [32, snapLen], [32, network])
  const records = packets.map(({ micros, bytes, wireLen = bytes.length, direction = 0 }) => {
    const seconds = Math.floor(micros / 1e6)
    const fraction = (micros - seconds * 1e6) * (kind === 'nanos' ? 1000 : 1)
    const lengths = options.swapLengths ? [wireLen, bytes.length] : [bytes.length, wireLen]
    const fixed = write([32, seconds], [32, fraction], [32, lengths[0]!], [32, lengths[1]!])
    const packetType = [255, 0, 4][direction]!
    const extra = kind === 'modified' ? Buffer.concat([write([32, 3], [16, 0x800]), Buffer.from([packetType, 0])]) : ''
    return { bytes: Buffer.concat([fixed, Buffer.from(extra), bytes]), isPacket: true }
  })
  return [{ bytes: header, isPacket: false }, ...records]
}

export type OptionSpec = readonly [code: number, value: Uint8Array | string]

/** Blocks of a pcapng section in one byte order. */
export function pcapngWriter(little = true) {
  const write = writer(little)
  const padded = (bytes: Uint8Array) => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)])
  const options = (specs: readonly OptionSpec[]): Buffer =>
    specs.length === 0
      ? Buffer.alloc(0)
      : Buffer.concat([
          ...specs.flatMap(([code, value]) => [
            write([16, code], [16, Buffer.from(value).length]),
            padded(Buffer.from(value)),
          ]),
          write([16, 0], [16, 0]),
        ])
  const block = (type: number, body: Uint8Array, isPacket = false): Part => {
    const len = 12 + padded(body).length
    return { bytes: Buffer.concat([write([32, type], [32, len]), padded(body), write([32, len])]), isPacket }
  }
  const stamp = (units: bigint | number): Buffer =>
    write([32, Number(BigInt.asUintN(64, BigInt(units)) >> 32n)], [32, Number(BigInt.asUintN(32, BigInt(units)))])
  const uint64 = (value: bigint | number): Buffer => {
    const high = Number(BigInt.asUintN(64, BigInt(value)) >> 32n)
    const low = Number(BigInt.asUintN(32, BigInt(value)))
    return little ? write([32, low], [32, high]) : write([32, high], [32, low])
  }
  return {
    block,
    options,
    uint64,
    stamp,
    section: (specs: readonly OptionSpec[] = [], major = 1): Part =>
      block(
        0x0a0d0d0a,
        Buffer.concat([
          write([32, 0x1a2b3c4d], [16, major], [16, 0], [32, 2 ** 32 - 1], [32, 2 ** 32 - 1]),
          options(specs),
        ]),
      ),
    interface: (linkType: number, snapLen: number, specs: readonly OptionSpec[] = []): Part =>
      block(1, Buffer.concat([write([16, linkType], [16, 0], [32, snapLen]), options(specs)])),
    enhancedPacket: (
      packet: SpecPacket,
      units: bigint | number = packet.micros,
      specs: readonly OptionSpec[] = [],
    ): Part =>
      block(
        6,
        Buffer.concat([
          write([32, packet.interface ?? 0]),
          stamp(units),
          write([32, packet.bytes.length], [32, packet.wireLen ?? packet.bytes.length]),
          padded(packet.bytes),
          options(packet.direction ? [...specs, [2, write([32, packet.direction])]] : specs),
        ]),
        true,
      ),
    oldPacket: (packet: SpecPacket, units: bigint | number = packet.micros): Part =>
      block(
        2,
        Buffer.concat([
          write([16, packet.interface ?? 0], [16, 0xffff]),
          stamp(units),
          write([32, packet.bytes.length], [32, packet.wireLen ?? packet.bytes.length]),
          padded(packet.bytes),
          options(packet.direction ? [[2, write([32, packet.direction])]] : []),
        ]),
        true,
      ),
    simplePacket: (packet: SpecPacket): Part =>
      block(3, Buffer.concat([write([32, packet.wireLen ?? packet.bytes.length]), padded(packet.bytes)]), true),
    statistics: (number: number, specs: readonly OptionSpec[]): Part =>
      block(5, Buffer.concat([write([32, number], [32, 0], [32, 0]), options(specs)])),
    names: (records: readonly (readonly [type: number, value: Uint8Array])[]): Part =>
      block(
        4,
        Buffer.concat([
          ...records.flatMap(([type, value]) => [write([16, type], [16, value.length]), padded(value)]),
          write([16, 0], [16, 0]),
        ]),
      ),
    secrets: (type: number, value: Uint8Array | string): Part =>
      block(10, Buffer.concat([write([32, type], [32, Buffer.from(value).length]), padded(Buffer.from(value))])),
  }
}

export function pcapngParts(
  packets: readonly SpecPacket[],
  options: {
    little?: boolean
    kind?: 'enhancedPacket' | 'oldPacket' | 'simplePacket'
    linkTypes?: number[]
    names?: string[]
  } = {},
): Part[] {
  const { little = true, kind = 'enhancedPacket', linkTypes = [1], names = [] } = options
  const write = pcapngWriter(little)
  return [
    write.section(),
    ...linkTypes.map((linkType, index) => {
      const name = names[index]
      return write.interface(linkType, 262144, name === undefined ? [] : [[2, Buffer.from(name)]])
    }),
    ...packets.map((packet) => write[kind](packet)),
  ]
}

/** RFC 8878: a frame of raw blocks, no checksum, a window of 128 KiB. */
export function zstdFrame(data: Uint8Array, blockLen = 100): Part[] {
  const parts: Part[] = [{ bytes: Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 7 << 3]), isPacket: false }]
  for (let at = 0; at < data.length; at += blockLen) {
    const raw = data.subarray(at, at + blockLen)
    const header = Buffer.alloc(3)
    header.writeUIntLE((raw.length << 3) | (at + blockLen >= data.length ? 1 : 0), 0, 3)
    parts.push({ bytes: Buffer.concat([header, raw]), isPacket: false })
  }
  return parts
}

/** A few packets of odd and even lengths, the fourth cut by a snap length. */
export function samplePackets(count = 7): SpecPacket[] {
  return Array.from({ length: count }, (_, i) => {
    const bytes = Uint8Array.from({ length: 14 + ((i * 5) % 23) }, (_, at) => (i * 31 + at * 7) & 0xff)
    return { micros: 1_700_000_000_000_000 + i * 1001, bytes, wireLen: bytes.length + (i === 3 ? 100 : 0) }
  })
}

/** A gzip member whose data is stored compressed but whose checksum is wrong. */
export function gzipWithBadChecksum(data: Uint8Array): Buffer {
  const head = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3])
  return Buffer.concat([
    head,
    deflateRawSync(data),
    Buffer.from([1, 2, 3, 4]),
    Buffer.from(Uint32Array.of(data.length).buffer),
  ])
}
