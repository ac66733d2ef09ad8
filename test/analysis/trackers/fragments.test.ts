import fc from 'fast-check'
import { createFragmentTracker } from '../../../src/analysis/trackers/fragments.ts'
import { decodeBatch } from '../../../src/decoders/decode-batch.ts'
import { createDecodedBatch, ROW_CUT, ROW_REASSEMBLED } from '../../../src/model/decoded-batch.ts'
import { LAYER_DNS } from '../../../src/model/layer.ts'
import {
  type BatchPacket,
  type Bytes,
  batchOf,
  concat,
  dnsQuery,
  fragmentHeader,
  ipv4,
  ipv6,
  udp,
} from '../../decoders/build-packet.ts'
import { play } from './play-packets.ts'

const SECOND = 1_000_000
const NAME = `${'a'.repeat(60)}.${'b'.repeat(60)}.example`
const DATAGRAM = udp(5000, 53, dnsQuery(0x1234, NAME))

function v4(offset: number, endAt: number, more: boolean, data: Bytes = DATAGRAM, id = 9): BatchPacket {
  return { bytes: ipv4(17, data.subarray(offset, endAt), { fragmentOffset: offset, moreFragments: more, id }) }
}

function v6(offset: number, endAt: number, more: boolean, data: Bytes = DATAGRAM): BatchPacket {
  return { bytes: ipv6(44, fragmentHeader(17, offset, more, 77, data.subarray(offset, endAt))) }
}

const last = DATAGRAM.length

describe.each([
  ['IPv4', v4],
  ['IPv6', v6],
] as const)('%s', (_version, fragment) => {
  test('in any order the datagram is decoded once, in the frame that completes it', () => {
    const [x, y, z] = [fragment(0, 48, true), fragment(48, 96, true), fragment(96, last, false)]
    for (const order of [
      [x, y, z],
      [x, z, y],
      [y, x, z],
      [y, z, x],
      [z, x, y],
      [z, y, x],
    ]) {
      const { dns, fragments, flows, sets } = play(order)
      expect(fragments).toBe(3)
      expect(dns).toHaveLength(1)
      expect(dns[0]).toMatchObject({ frame: 3, id: 0x1234, srcPort: 5000, dstPort: 53, protocol: 17, layer: LAYER_DNS })
      expect(dns[0]!.flags & ROW_REASSEMBLED).toBe(ROW_REASSEMBLED)
      expect(flows.map((flow) => flow.packetsToServer)).toEqual([1])
      expect(sets).toEqual([])
    }
  })

  test('cut at every multiple of eight', () => {
    for (let cut = 8; cut < last; cut += 8) {
      expect(play([fragment(0, cut, true), fragment(cut, last, false)]).dns).toHaveLength(1)
    }
  })

  test('exact repetitions change nothing, before and after the end', () => {
    const [x, y] = [fragment(0, 48, true), fragment(48, last, false)]
    const { dns, sets } = play([x, x, y, y, { ...x, timeMicros: 90 * SECOND }, { ...x, timeMicros: 200 * SECOND }])
    expect(dns.map((row) => row.frame)).toEqual([3])
    expect(sets.map((set) => [set.kind, set.timeMicros])).toEqual([['lost', 150 * SECOND]])
  })

  test('what never comes is lost at its deadline, 60 s after the first', () => {
    const { sets, dns } = play([fragment(48, last, false), { ...fragment(0, 48, true), timeMicros: 61 * SECOND }], {
      end: false,
    })
    expect(dns).toEqual([])
    expect(sets).toMatchObject([
      {
        kind: 'lost',
        timeMicros: 60 * SECOND,
        frameNumber: 1,
        hasFirst: false,
        totalLen: last,
        receivedLen: last - 48,
      },
    ])
  })

  test('a fragment whose length is no multiple of eight, or that reaches too far, is not used', () => {
    expect(play([fragment(0, 47, true), fragment(48, last, false)]).dns).toEqual([])
    const far =
      _version === 'IPv4'
        ? ipv4(17, new Uint8Array(1000), { fragmentOffset: 65_528, id: 9 })
        : ipv6(44, fragmentHeader(17, 65_528, false, 77, new Uint8Array(1000)))
    expect(play([fragment(0, 48, true), { bytes: far }, fragment(48, last, false)]).dns).toHaveLength(1)
  })
})

test('overlap: an IPv6 datagram is thrown away (RFC 5722), of an IPv4 one the first bytes stay', () => {
  const other = concat(DATAGRAM.subarray(0, 44), new Uint8Array(last - 44).fill(0x7a))
  const six = play([v6(0, 48, true), v6(40, 64, true, other), v6(48, last, false)])
  expect(six.dns).toEqual([])
  expect(six.sets.map((set) => set.kind)).toEqual(['overlap'])
  const four = play([v4(0, 48, true), v4(40, 64, true, other), v4(64, last, false)])
  expect(four.sets.map((set) => [set.kind, set.frameNumber])).toEqual([['overlap', 2]])
  expect(four.dns.map((row) => [row.id, row.frame])).toEqual([[0x1234, 3]])
})

test('overlap of the same bytes within other bounds: no contradiction in IPv4, where routers cut, but in IPv6', () => {
  const [smaller, across, end] = [
    [0, 24],
    [24, 64],
    [48, last],
  ] as const
  const four = play([v4(0, 48, true), v4(...smaller, true), v4(...across, true), v4(...end, false)])
  expect(four.sets).toEqual([])
  expect(four.dns.map((row) => [row.id, row.frame])).toEqual([[0x1234, 4]])
  const six = play([v6(0, 48, true), v6(...smaller, true), v6(...end, false)])
  expect(six.sets.map((set) => [set.kind, set.frameNumber])).toEqual([['overlap', 2]])
  expect(six.dns).toEqual([])
})

test('different identifications, protocols and interfaces do not mix', () => {
  expect(play([v4(0, 48, true), v4(48, last, false, DATAGRAM, 10)]).dns).toEqual([])
  expect(play([v4(0, 48, true), { ...v4(48, last, false), interfaceId: 1 }]).dns).toEqual([])
})

test('a fragment cut by the snap length leaves what came before it', () => {
  const cut = v4(48, last, false)
  const { dns } = play([
    v4(0, 48, true),
    { bytes: cut.bytes.subarray(0, cut.bytes.length - 10), wireLen: cut.bytes.length },
  ])
  expect(dns.map((row) => row.id)).toEqual([0x1234])
})

describe('a first fragment cut by the snap length is read at once, for no more of it will come', () => {
  const whole = v4(0, 96, true)
  const first = { bytes: whole.bytes.subarray(0, 20 + 88), wireLen: whole.bytes.length }

  test('with and without the rest, once', () => {
    for (const packets of [[first], [first, v4(96, last, false)], [first, first, v4(96, last, false)]]) {
      const { dns, flows } = play(packets)
      expect(dns.map(({ frame, id, dstPort }) => [frame, id, dstPort])).toEqual([[1, 0x1234, 53]])
      expect(dns[0]!.flags & (ROW_REASSEMBLED | ROW_CUT)).toBe(ROW_REASSEMBLED | ROW_CUT)
      expect(flows.map((flow) => [flow.packetsToServer, flow.bytesToServer])).toEqual([[1, 20 + last]])
    }
  })

  test('after the rest it completes the datagram as ever', () => {
    expect(play([v4(96, last, false), first]).dns.map((row) => [row.frame, row.id])).toEqual([[2, 0x1234]])
  })

  test('an IP length that the frame does not hold is a cut as well', () => {
    expect(play([{ bytes: first.bytes }]).dns.map((row) => row.id)).toEqual([0x1234])
  })

  test('no fragment that is whole, no part of the UDP header, no other protocol', () => {
    expect(play([whole]).dns).toEqual([])
    expect(play([{ ...first, bytes: first.bytes.subarray(0, 27) }]).dns).toEqual([])
    const inTcp = ipv4(6, DATAGRAM.subarray(0, 96), { moreFragments: true })
    expect(play([{ bytes: inTcp.subarray(0, 90), wireLen: inTcp.length }]).flows).toEqual([])
  })
})

test('fragments of a tunnelled datagram within fragments', () => {
  const inner = ipv4(17, DATAGRAM.subarray(0, 48), { moreFragments: true, id: 3, src: '10.0.0.1' })
  const innerLast = ipv4(17, DATAGRAM.subarray(48), { fragmentOffset: 48, id: 3, src: '10.0.0.1' })
  const outer = (data: Bytes, id: number): BatchPacket[] => [
    { bytes: ipv4(4, data.subarray(0, 40), { moreFragments: true, id }) },
    { bytes: ipv4(4, data.subarray(40), { fragmentOffset: 40, id }) },
  ]
  const { dns, fragments } = play([...outer(inner, 1), ...outer(innerLast, 2)])
  expect(dns.map((row) => [row.frame, row.src])).toEqual([[4, '10.0.0.1']])
  // The four as captured, and the two that they make.
  expect(fragments).toBe(6)
})

test('a flood is bounded in datagrams and bytes, and what is whole is still found', () => {
  const tracker = createFragmentTracker({ completed() {} })
  const out = createDecodedBatch(1)
  for (let id = 0; id < 9000; id++) {
    const batch = batchOf([{ ...v4(0, 1024, true, new Uint8Array(4096), id), linkType: 101 }])
    batch.interfaceId[0] = id >> 16
    decodeBatch(batch, out)
    tracker.fragment(batch, out, 0)
    expect(tracker.count).toBeLessThanOrEqual(4096)
    expect(tracker.heldLen).toBeLessThanOrEqual(8 << 20)
  }
  expect(tracker.count).toBeGreaterThan(1000)
  tracker.tick(120 * SECOND)
  expect([tracker.count, tracker.heldLen]).toEqual([0, 0])
})

test('any cutting and order gives the datagram that was sent', () => {
  const cuts = fc.uniqueArray(fc.integer({ min: 1, max: (last >> 3) - 1 }), { maxLength: 12 })
  fc.assert(
    fc.property(cuts, fc.infiniteStream(fc.nat(1000)), (units, keys) => {
      const ends = [...units.sort((a, b) => a - b).map((unit) => unit * 8), last]
      const parts = ends.map((endAt, i) => ({
        key: keys.next().value as number,
        packet: v4(i === 0 ? 0 : ends[i - 1]!, endAt, endAt !== last),
      }))
      parts.sort((a, b) => a.key - b.key)
      if (parts.length > 1)
        expect(play(parts.map((one) => one.packet)).dns.map((row) => [row.id, row.frame])).toEqual([
          [0x1234, parts.length],
        ])
    }),
    { numRuns: 100, seed: 3 },
  )
})
