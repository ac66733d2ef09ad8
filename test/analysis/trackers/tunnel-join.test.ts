// The inner/outer join: made tunnels of every kind are recognised with endpoint and exact overhead; what only looks
// like one is not. Names and ports play no part: they are random here.
import { createAddressTable } from '../../../src/analysis/trackers/addresses.ts'
import type { TunnelJoin } from '../../../src/analysis/trackers/join-description.ts'
import { latencyQuantile } from '../../../src/analysis/trackers/resolvers.ts'
import { createTunnelJoin } from '../../../src/analysis/trackers/tunnel-join.ts'
import { decodeBatch } from '../../../src/decoders/decode-batch.ts'
import { createDecodedBatch } from '../../../src/model/decoded-batch.ts'
import { type Bytes, batchOf, ipv4, ipv6, tcp, udp } from '../../decoders/build-packet.ts'
import { createRandom } from '../../fixtures/frames.ts'

const INSIDE = 0
const OUTSIDE = 1

interface Wrapping {
  /** Outer payload (behind UDP or ESP) for an inner packet of so many bytes. */
  payloadLen(innerLen: number): number
  outerFamily?: 4 | 6
  ipProtocol?: 17 | 50
}

/** WireGuard whitepaper 5.4.6: padded to 16, never above the MTU. */
const wireGuard = (mtu: number): Wrapping => ({
  payloadLen: (len) => Math.min(mtu, Math.ceil(len / 16) * 16) + 32,
})

interface Packet {
  bytes: Bytes
  interfaceId: number
  timeMicros: number
}

interface Story {
  seed: number
  wrapping: Wrapping
  mtu?: number
  /** Inner packets that never leave, by their number. */
  drop?: (index: number) => boolean
  /** Microseconds from the inner packet to the outer one. */
  delayMicros?: number
  count?: number
}

/** DNS questions and two downloads inside; `noise` is what eth0 carries besides. */
function tunnelStory(o: Story): Packet[] {
  const random = createRandom(o.seed)
  const mtu = o.mtu ?? 1420
  const clientPort = 1024 + (random() % 60_000)
  const serverPort = 1 + (random() % 1000)
  const packets: Packet[] = []
  let timeMicros = 1_700_000_000_000_000
  for (let index = 0; index < (o.count ?? 120); index++) {
    timeMicros += 2_000 + (random() % 30_000)
    const outgoing = index % 2 === 0
    const sizes = outgoing ? [52, 60, 61 + (random() % 200)] : [52, 80 + (random() % 300), mtu]
    const innerLen = sizes[random() % 3]!
    const flow = random() % 3
    const inner = innerPacket(innerLen, outgoing, flow)
    const outer = outerPacket(o.wrapping, innerLen, outgoing, clientPort, serverPort)
    const delay = (o.delayMicros ?? 120) + (random() % 200)
    packets.push({ bytes: inner, interfaceId: INSIDE, timeMicros })
    if (o.drop?.(index) && outgoing) continue
    packets.push({ bytes: outer, interfaceId: OUTSIDE, timeMicros: outgoing ? timeMicros + delay : timeMicros - delay })
  }
  return packets
}

/** One flow's packets, sixteen lengths that all pad to the same. */
function alikeStory(seed: number, wrapping: Wrapping): Packet[] {
  const random = createRandom(seed)
  return Array.from({ length: 60 }, (_, index): Packet[] => {
    const outgoing = index % 2 === 0
    const len = 81 + (random() % 16)
    const timeMicros = 1_700_000_000_000_000 + index * 20_000
    return [
      { bytes: innerPacket(len, outgoing, index % 3), interfaceId: INSIDE, timeMicros },
      {
        bytes: asked(outerPacket(wrapping, len, outgoing, 5000, 443)),
        interfaceId: OUTSIDE,
        timeMicros: timeMicros + (outgoing ? 150 : -150),
      },
    ]
  }).flat()
}

/** The outer packet with the ports that both parts of a story share. */
function asked(bytes: Bytes): Bytes {
  const outgoing = bytes[12] === 192
  bytes.set(outgoing ? [0x13, 0x88, 1, 0xbb] : [1, 0xbb, 0x13, 0x88], 20)
  return bytes
}

function innerPacket(len: number, outgoing: boolean, flow: number): Bytes {
  const here = '10.7.0.2'
  const there = `198.51.100.${10 + flow}`
  const body = tcp(outgoing ? 40_000 + flow : 443, outgoing ? 443 : 40_000 + flow, new Uint8Array(len - 40), {
    flags: 0x10,
  })
  return ipv4(6, body, outgoing ? { src: here, dst: there } : { src: there, dst: here })
}

function outerPacket(
  wrapping: Wrapping,
  innerLen: number,
  outgoing: boolean,
  clientPort: number,
  serverPort: number,
): Bytes {
  const payload = new Uint8Array(wrapping.payloadLen(innerLen)).fill(0x3c)
  const protocol = wrapping.ipProtocol ?? 17
  const body =
    protocol === 50 ? payload : udp(outgoing ? clientPort : serverPort, outgoing ? serverPort : clientPort, payload)
  if (wrapping.outerFamily === 6) {
    const [src, dst] = outgoing ? ['2001:db8:1::10', '2001:db8:f::1'] : ['2001:db8:f::1', '2001:db8:1::10']
    return ipv6(protocol, body, { src: src!, dst: dst! })
  }
  const [src, dst] = outgoing ? ['192.0.2.10', '203.0.113.77'] : ['203.0.113.77', '192.0.2.10']
  return ipv4(protocol, body, { src: src!, dst: dst! })
}

interface Found extends TunnelJoin {
  endpoint: string
}

function join(packets: readonly Packet[], interfaceCount = 2): Found[] {
  const addresses = createAddressTable()
  const tracker = createTunnelJoin(
    addresses,
    () => interfaceCount,
    () => new Set(),
  )
  const sorted = [...packets].sort((a, b) => a.timeMicros - b.timeMicros)
  const batch = batchOf(sorted.map((one) => ({ ...one, linkType: 101 })))
  const out = createDecodedBatch(sorted.length)
  decodeBatch(batch, out)
  for (let row = 0; row < batch.count; row++) tracker.packet(batch, out, row)
  return tracker.joins().map((one) => ({ ...one, endpoint: addresses.text(one.endpointId) }))
}

const udpAround = (added: number): Wrapping => ({ payloadLen: (len) => len + added })
const cbc = (before: number, trailer: number, after: number): Wrapping => ({
  payloadLen: (len) => before + Math.ceil((len + trailer) / 16) * 16 + after,
})

describe('a tunnel is known by its lengths', () => {
  test.each([
    ['WireGuard', wireGuard(1420), { transport: 'WireGuard', overhead: 60, paddingTo: 16, outerFamily: 4 }],
    [
      'WireGuard over IPv6',
      { ...wireGuard(1420), outerFamily: 6 },
      { transport: 'WireGuard', overhead: 80, paddingTo: 16, outerFamily: 6 },
    ],
    ['OpenVPN with an AEAD cipher', udpAround(24), { transport: 'OpenVPN (UDP)', overhead: 52, paddingTo: 1 }],
    ['OpenVPN in the epoch format', udpAround(28), { transport: 'OpenVPN (UDP)', overhead: 56, paddingTo: 1 }],
    [
      'OpenVPN with CBC and SHA1',
      cbc(4 + 20 + 16, 5, 0),
      { transport: 'OpenVPN (UDP)', overhead: 68, paddingTo: 16, trailer: 5 },
    ],
    ['IP in UDP', udpAround(0), { transport: 'IP in UDP', overhead: 28, paddingTo: 1 }],
    [
      'ESP with AES-GCM in UDP',
      { payloadLen: (len: number) => 16 + Math.ceil((len + 2) / 4) * 4 + 16 },
      { transport: 'IPsec ESP in UDP', overhead: 60, paddingTo: 4, trailer: 2 },
    ],
    [
      'ESP with AES-GCM',
      { payloadLen: (len: number) => 16 + Math.ceil((len + 2) / 4) * 4 + 16, ipProtocol: 50 },
      { transport: 'IPsec ESP', overhead: 52, paddingTo: 4 },
    ],
    [
      'something that adds 41 bytes',
      udpAround(41),
      { transport: 'an unknown transport over UDP', overhead: 69, paddingTo: 1 },
    ],
  ] as [string, Wrapping, Partial<TunnelJoin>][])('%s', (_, wrapping, expected) => {
    for (let seed = 1; seed <= 4; seed++) {
      const [found, ...others] = join(tunnelStory({ seed, wrapping }))
      expect(others).toEqual([])
      expect(found).toMatchObject({
        ...expected,
        exact: true,
        innerInterfaceId: INSIDE,
        outerInterfaceId: OUTSIDE,
        endpoint: wrapping.outerFamily === 6 ? '2001:db8:f::1' : '203.0.113.77',
      })
      expect(found!.matched / found!.packets).toBeGreaterThan(0.8)
    }
  })

  test('what it adds to the latency, and that nothing was lost in it', () => {
    const [found] = join(tunnelStory({ seed: 5, wrapping: wireGuard(1420), delayMicros: 800, count: 300 }))
    expect(found!.neverLeft).toBe(0)
    expect(found!.entered).toBeGreaterThan(80)
    const p50 = latencyQuantile(found!.latency, 0.5)!
    expect(p50).toBeGreaterThan(750)
    expect(p50).toBeLessThan(1100)
  })

  test('packets that entered and never came out are counted, once their time is over', () => {
    const story = tunnelStory({
      seed: 6,
      wrapping: wireGuard(1420),
      count: 900,
      drop: (index) => index > 300 && index % 20 === 0,
    })
    const [found] = join(story)
    expect(found!.neverLeft).toBeGreaterThan(10)
    expect(found!.neverLeft).toBeLessThanOrEqual(30)
  })

  test('two servers one after the other are two tunnels', () => {
    const first = tunnelStory({ seed: 7, wrapping: wireGuard(1420) })
    const second = tunnelStory({ seed: 8, wrapping: wireGuard(1420) }).map((one) => ({
      ...one,
      timeMicros: one.timeMicros + 60_000_000,
    }))
    expect(join([...first, ...second])).toHaveLength(2)
  })
})

describe('claims nothing', () => {
  test('with one interface', () => {
    const story = tunnelStory({ seed: 1, wrapping: wireGuard(1420) })
    expect(
      join(
        story.map((one) => ({ ...one, interfaceId: 0 })),
        1,
      ),
    ).toEqual([])
  })

  test('when the same packets are seen on two interfaces, as on a bridge or a router', () => {
    const inner = tunnelStory({ seed: 2, wrapping: udpAround(24) }).filter((one) => one.interfaceId === OUTSIDE)
    expect(
      join(inner.flatMap((one) => [one, { ...one, interfaceId: INSIDE, timeMicros: one.timeMicros + 30 }])),
    ).toEqual([])
  })

  test('on unrelated traffic of two interfaces, over 8 seeds', () => {
    for (let seed = 1; seed <= 8; seed++) {
      const random = createRandom(seed)
      const shuffled = tunnelStory({ seed, wrapping: wireGuard(1420), count: 300 }).map((one) =>
        one.interfaceId === INSIDE
          ? one
          : {
              ...one,
              bytes: outerPacket({ payloadLen: () => 60 + (random() % 1300) }, 0, random() % 2 === 0, 5000, 443),
            },
      )
      expect(join(shuffled)).toEqual([])
    }
  })

  test('on a forwarder that asks on the other interface what it was asked, with a few bytes more', () => {
    const random = createRandom(3)
    const packets: Packet[] = []
    for (let index = 0; index < 200; index++) {
      const timeMicros = 1_700_000_000_000_000 + index * 20_000
      const payload = new Uint8Array(30 + (random() % 60))
      const port = 20_000 + (random() % 30_000)
      packets.push({
        interfaceId: INSIDE,
        timeMicros,
        bytes: ipv4(17, udp(port, 53, payload), { src: '10.7.0.9', dst: '10.7.0.1' }),
      })
      const longer = new Uint8Array(payload.length + 23)
      packets.push({
        interfaceId: OUTSIDE,
        timeMicros: timeMicros + 300,
        bytes: ipv4(17, udp(port + 1, 53, longer), { src: '192.0.2.10', dst: '192.0.2.53' }),
      })
    }
    expect(join(packets)).toEqual([])
  })

  test('for long on a transport that pads to a few sizes, though some packets agree with one that adds a fixed number', () => {
    const sizes = [128, 256, 512, 1024, 1460]
    const buckets: Wrapping = { payloadLen: (len) => sizes.find((size) => size >= len + 2)! }
    for (let seed = 1; seed <= 4; seed++) {
      // Questions and answers of nearly one length, as when a resolver is asked for a while; then pages.
      const asking = alikeStory(seed, buckets)
      const reading = tunnelStory({ seed, wrapping: buckets, count: 400 }).map((one) => ({
        ...one,
        bytes: one.interfaceId === OUTSIDE ? asked(one.bytes) : one.bytes,
        timeMicros: one.timeMicros + 60_000_000,
      }))
      expect(join(asking)).toHaveLength(1)
      expect(join([...asking, ...reading])).toEqual([])
    }
  })

  test('after three packets', () => {
    expect(join(tunnelStory({ seed: 4, wrapping: wireGuard(1420), count: 3 }))).toEqual([])
  })
})
