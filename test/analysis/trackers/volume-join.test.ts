// The join's fallback: transports that pad, cut or join packets are recognised by volume; what only looks like one is not.
import { createAddressTable } from '../../../src/analysis/trackers/addresses.ts'
import type { VolumeJoin } from '../../../src/analysis/trackers/volume-description.ts'
import { createVolumeJoin } from '../../../src/analysis/trackers/volume-join.ts'
import { decodeBatch } from '../../../src/decoders/decode-batch.ts'
import { createDecodedBatch } from '../../../src/model/decoded-batch.ts'
import { type Bytes, batchOf, ipv4, ipv6, tcp, udp } from '../../decoders/build-packet.ts'
import { createRandom } from '../../fixtures/frames.ts'

const INSIDE = 0
const OUTSIDE = 1
const START_MICROS = 1_700_000_000_000_000
const SERVER = '203.0.113.77'

interface Packet {
  bytes: Bytes
  interfaceId: number
  timeMicros: number
}

interface Inner {
  len: number
  outgoing: boolean
  flow: number
  timeMicros: number
}

/** A person reads pages: questions, then a burst of one to three connections, then a pause. */
function browsing(seed: number, pages = 25): Inner[] {
  const random = createRandom(seed)
  const packets: Inner[] = []
  let timeMicros = START_MICROS
  for (let page = 0; page < pages; page++) {
    timeMicros += 300_000 + (random() % 900_000)
    const resolver = 100 + (random() % 3)
    packets.push({ len: 60 + (random() % 30), outgoing: true, flow: resolver, timeMicros })
    packets.push({ len: 90 + (random() % 200), outgoing: false, flow: resolver, timeMicros: timeMicros + 20_000 })
    for (let connection = random() % 3; connection >= 0; connection--) {
      let at = timeMicros + 40_000
      for (let count = 4 + (random() % 40); count > 0; count--) {
        at += 1000 + (random() % 12_000)
        const outgoing = random() % 3 === 0
        const len = outgoing ? 52 + (random() % 8 === 0 ? random() % 600 : 0) : 600 + (random() % 780)
        packets.push({ len, outgoing, flow: page * 3 + connection, timeMicros: at })
      }
    }
  }
  return packets.sort((a, b) => a.timeMicros - b.timeMicros)
}

function innerPacket({ len, outgoing, flow }: Inner): Bytes {
  const here = '10.7.0.2'
  const there = `198.51.100.${1 + (flow % 200)}`
  const port = 40_000 + flow
  const body = tcp(outgoing ? port : 443, outgoing ? 443 : port, new Uint8Array(len - 40), { flags: 0x10 })
  return ipv4(6, body, outgoing ? { src: here, dst: there } : { src: there, dst: here })
}

type Carry = 'buckets' | 'cells' | 'joined' | 'stream'

/** An outer payload of so many bytes. */
interface Outer {
  len: number
  outgoing: boolean
  timeMicros: number
}

/** What comes within 4 ms leaves together; what is too long is cut. */
function wrapped(inner: readonly Inner[], carry: Carry, random: () => number): Outer[] {
  const sealed: Outer[] = []
  const seal = (len: number, { outgoing, timeMicros }: Inner) => {
    for (let rest = len; rest > 0; rest -= 1400) sealed.push({ len: Math.min(rest, 1400), outgoing, timeMicros })
  }
  for (const outgoing of [true, false]) {
    let waiting = 0
    let first: Inner | undefined
    for (const one of inner) {
      if (one.outgoing !== outgoing) continue
      if (carry === 'buckets') seal([128, 256, 512, 1024, 1400].find((size) => size >= one.len + 2)!, one)
      else if (carry === 'cells') for (let left = one.len + 4; left > 0; left -= 480) seal(512, one)
      else {
        if (first !== undefined && one.timeMicros - first.timeMicros > 4000) {
          seal(waiting, first)
          first = undefined
          waiting = 0
        }
        first ??= one
        waiting += one.len + (carry === 'joined' ? 2 + (random() % 40) : 31)
      }
    }
    if (first !== undefined) seal(waiting, first)
  }
  return sealed
}

function outerPacket(payloadLen: number, outgoing: boolean, carry: Carry): Bytes {
  const payload = new Uint8Array(payloadLen).fill(0x3c)
  const [from, to] = outgoing ? [51_234, 8443] : [8443, 51_234]
  const body = carry === 'stream' ? tcp(from!, to!, payload, { flags: 0x18 }) : udp(from!, to!, payload)
  const [src, dst] = outgoing ? ['192.0.2.10', SERVER] : [SERVER, '192.0.2.10']
  return ipv4(carry === 'stream' ? 6 : 17, body, { src: src!, dst: dst! })
}

function carried(inner: readonly Inner[], carry: Carry, seed: number): Packet[] {
  const inside = inner.map((one) => ({ bytes: innerPacket(one), interfaceId: INSIDE, timeMicros: one.timeMicros }))
  const outside = wrapped(inner, carry, createRandom(seed)).map(({ len, outgoing, timeMicros }) => ({
    bytes: outerPacket(len, outgoing, carry),
    interfaceId: OUTSIDE,
    timeMicros: timeMicros + (outgoing ? 4900 : -900),
  }))
  return [...inside, ...outside]
}

interface Found extends VolumeJoin {
  endpoint: string
}

function join(packets: readonly Packet[], tunnelIds: readonly number[] = [INSIDE]): Found[] {
  const addresses = createAddressTable()
  const tracker = createVolumeJoin(addresses, () => tunnelIds)
  const sorted = [...packets].sort((a, b) => a.timeMicros - b.timeMicros)
  const batch = batchOf(sorted.map((one) => ({ ...one, linkType: 101 })))
  const out = createDecodedBatch(sorted.length)
  decodeBatch(batch, out)
  for (let row = 0; row < batch.count; row++) tracker.packet(batch, out, row)
  return tracker.joins().map((one) => ({ ...one, endpoint: addresses.text(one.endpointId) }))
}

const SEEDS = [1, 2, 3]

describe('a transport is recognised by its volume', () => {
  test.each([
    ['that pads to a few sizes', 'buckets', 'an unknown transport over UDP'],
    ['that cuts everything into cells of one size', 'cells', 'an unknown transport over UDP'],
    ['that puts several packets into one', 'joined', 'an unknown transport over UDP'],
    ['that is a stream', 'stream', 'a TCP stream'],
  ] as const)('%s', (_, carry, transport) => {
    for (const seed of SEEDS) {
      const found = join(carried(browsing(seed), carry, seed))
      expect(found).toMatchObject([
        { transport, endpoint: SERVER, endpointPort: 8443, innerInterfaceId: INSIDE, outerInterfaceId: OUTSIDE },
      ])
      expect(found[0]!.correlation).toBeGreaterThan(0.9)
      expect(found[0]!.growth).toBeGreaterThan(0.002)
    }
  })

  test('among other traffic outside', () => {
    for (const seed of SEEDS) {
      const beside = browsing(seed + 100).map((one) => ({
        bytes: ipv4(6, tcp(one.outgoing ? 50_000 + one.flow : 443, 443, new Uint8Array(one.len), { flags: 0x18 }), {
          src: one.outgoing ? '192.0.2.10' : `198.51.100.${one.flow}`,
          dst: one.outgoing ? `198.51.100.${one.flow}` : '192.0.2.10',
        }),
        interfaceId: OUTSIDE,
        timeMicros: one.timeMicros,
      }))
      const found = join([...carried(browsing(seed), 'joined', seed), ...beside])
      expect(found.map((one) => one.endpoint)).toEqual([SERVER])
    }
  })
})

test('thousands of flows outside are not taken up one by one, and do not hide the one that carries the tunnel', () => {
  const flood: Packet[] = Array.from({ length: 6000 }, (_, index) => ({
    bytes: ipv4(17, udp(4000, 5000, new Uint8Array(30)), {
      src: `198.18.${index >> 8}.${index & 255}`,
      dst: '192.0.2.10',
    }),
    interfaceId: OUTSIDE,
    timeMicros: START_MICROS + 5_000_000 + index * 200,
  }))
  const addresses = createAddressTable()
  const tracker = createVolumeJoin(addresses, () => [INSIDE])
  const packets = [...carried(browsing(1), 'joined', 1), ...flood].sort((a, b) => a.timeMicros - b.timeMicros)
  const batch = batchOf(packets.map((one) => ({ ...one, linkType: 101 })))
  const out = createDecodedBatch(packets.length)
  decodeBatch(batch, out)
  for (let row = 0; row < batch.count; row++) tracker.packet(batch, out, row)
  expect(tracker.joins().map((one) => addresses.text(one.endpointId))).toEqual([SERVER])
  // 1.2 seconds: each tenth of one takes up sixteen.
  expect(addresses.count).toBeLessThan(400)
})

describe('claims nothing', () => {
  test('on a busy connection outside that the tunnel knows nothing of, whatever it carries', () => {
    for (const seed of [1, 2]) {
      for (const carry of ['buckets', 'cells', 'joined', 'stream'] as const) {
        const inside = carried(browsing(seed), carry, seed).filter((one) => one.interfaceId === INSIDE)
        const outside = carried(browsing(seed + 50, 40), carry, seed).filter((one) => one.interfaceId === OUTSIDE)
        expect(join([...inside, ...outside])).toEqual([])
      }
    }
  })

  test('when flows are forwarded one by one, twenty bytes longer, and one of them is nearly everything', () => {
    for (const seed of SEEDS) {
      const inner = browsing(seed).map((one) => (one.len > 500 ? { ...one, flow: 7 } : one))
      const outer = inner.map((one): Packet => {
        const [from, to] = one.outgoing ? [40_000 + one.flow, 443] : [443, 40_000 + one.flow]
        const body = tcp(from!, to!, new Uint8Array(one.len - 40), { flags: 0x18 })
        const [here, there] = ['2001:db8:1::10', `64:ff9b::c633:64${(one.flow % 200).toString(16).padStart(2, '0')}`]
        const ends = one.outgoing ? { src: here!, dst: there! } : { src: there!, dst: here! }
        return { bytes: ipv6(6, body, ends), interfaceId: OUTSIDE, timeMicros: one.timeMicros + 50 }
      })
      const inside = inner.map((one) => ({ bytes: innerPacket(one), interfaceId: INSIDE, timeMicros: one.timeMicros }))
      expect(join([...inside, ...outer])).toEqual([])
    }
  })

  test('when the same packets are seen on both interfaces', () => {
    const inside = carried(browsing(2), 'buckets', 2).filter((one) => one.interfaceId === INSIDE)
    expect(join(inside.flatMap((one) => [one, { ...one, interfaceId: OUTSIDE }]))).toEqual([])
  })

  test('after three pages, or without a tunnel', () => {
    expect(join(carried(browsing(3, 3), 'joined', 3))).toEqual([])
    expect(join(carried(browsing(3), 'joined', 3), [])).toEqual([])
  })
})

test('a server that takes over is recognised for itself', () => {
  const first = carried(browsing(1), 'joined', 1)
  const second = carried(browsing(2), 'joined', 2).map((one) => {
    const bytes = Uint8Array.from(one.bytes)
    if (one.interfaceId === OUTSIDE) bytes[bytes[12] === 203 ? 15 : 19] = 78
    return { ...one, bytes, timeMicros: one.timeMicros + 90_000_000 }
  })
  expect(
    join([...first, ...second])
      .map((one) => one.endpoint)
      .sort(),
  ).toEqual(['203.0.113.77', '203.0.113.78'])
})
