import fc from 'fast-check'
import { createFlowTable } from '../../../src/analysis/trackers/flows.ts'
import type { StreamConsumer } from '../../../src/analysis/trackers/stream-consumer.ts'
import { createStreamTracker } from '../../../src/analysis/trackers/streams.ts'
import { decodeBatch } from '../../../src/decoders/decode-batch.ts'
import { createDecodedBatch } from '../../../src/model/decoded-batch.ts'
import { ascii, type BatchPacket, batchOf } from '../../decoders/build-packet.ts'
import { ACK, FIN, handshake, play, SYN, segment } from './play-packets.ts'

const REQUEST = 'GET /index HTTP/1.1\r\nHost: www.example\r\n\r\n'
const RESPONSE = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody'

/** What a reader was given: text, `<n>` for a gap, `.` for the end; one string a direction. */
function read(packets: readonly BatchPacket[], endAll = true, doneByGap = false) {
  const got = { client: '', server: '', opened: 0, held: 0, streams: 0 }
  const tracker = {} as { ended(slot: number): void }
  const flows = createFlowTable({ maxFlows: 16_384, ended: (slot) => tracker.ended(slot) })
  const streams = createStreamTracker(flows, () => {
    got.opened++
    const consumer: StreamConsumer = {
      done: false,
      unwrapped: false,
      push(fromClient, bytes, at, endAt) {
        got[fromClient ? 'client' : 'server'] += new TextDecoder('latin1').decode(bytes.slice(at, endAt))
        return endAt - at
      },
      gap(fromClient, gapLen) {
        got[fromClient ? 'client' : 'server'] += `<${gapLen}>`
        if (doneByGap) Object.assign(consumer, { done: true })
      },
      end() {
        got.client += '.'
      },
    }
    return consumer
  })
  tracker.ended = streams.ended
  const out = createDecodedBatch(1)
  for (const [index, packet] of packets.entries()) {
    const batch = batchOf([{ linkType: 101, timeMicros: index, ...packet }])
    decodeBatch(batch, out)
    const slot = flows.lookup(batch, out, 0)
    streams.segment(slot, batch, out, 0)
    flows.record(slot, batch, out, 0)
    batch.bytes.fill(0)
  }
  got.held = streams.heldLen
  got.streams = streams.count
  if (endAll) flows.end()
  expect(endAll ? streams.heldLen + streams.count : 0).toBe(0)
  return got
}

/** The client's data from `at`, as a segment after handshake(999, 0). */
const part = (at: number, endAt: number, text = REQUEST) =>
  segment({ seq: 1000 + at, ack: 1, data: text.slice(at, endAt) })

test('in order, both directions, closed by both', () => {
  const got = read(
    [
      ...handshake(999, 0),
      part(0, 20),
      part(20, REQUEST.length),
      segment({ from: 'server', seq: 1, ack: 1000 + REQUEST.length, data: RESPONSE, flags: ACK | FIN }),
      segment({ seq: 1000 + REQUEST.length, ack: 2 + RESPONSE.length, flags: ACK | FIN }),
    ],
    false,
  )
  expect(got).toEqual({ client: `${REQUEST}.`, server: RESPONSE, opened: 1, held: 0, streams: 0 })
})

test('cut at every byte into three, in every order, with repetitions', () => {
  const text = 'GET / HTTP/1.1\r\n\r\nabc'
  for (let a = 1; a < text.length - 1; a++) {
    for (let b = a + 1; b < text.length; b += 3) {
      const [x, y, z] = [part(0, a, text), part(a, b, text), part(b, text.length, text)] as const
      for (const order of [
        [x, y, z],
        [x, z, y],
        [y, x, z],
        [y, z, x],
        [z, x, y],
        [z, y, x, z, x],
      ]) {
        expect(read([...handshake(999, 0), ...order]).client).toBe(`${text}.`)
      }
    }
  }
})

test('overlaps: what came first stays', () => {
  const got = read([
    ...handshake(999, 0),
    segment({ seq: 1005, data: 'BBBB' }),
    segment({ seq: 1012, data: 'CC' }),
    segment({ seq: 1000, data: 'GET /xxxxyyyzzz HTTP/1.1\r\n\r\n' }),
  ])
  expect(got.client).toBe('GET /BBBByyyCCz HTTP/1.1\r\n\r\n.')
})

test('the sequence numbers wrap', () => {
  const start = 0xffff_fff0
  const at = (offset: number, data: string) => segment({ seq: start + 1 + offset, data })
  const got = read([...handshake(start, 0), at(18, REQUEST.slice(18)), at(0, REQUEST.slice(0, 18))])
  expect(got.client).toBe(`${REQUEST}.`)
})

test('data in the SYN comes first and once', () => {
  const got = read([
    segment({ seq: 999, flags: SYN, data: REQUEST.slice(0, 10) }),
    segment({ seq: 999, flags: SYN, data: REQUEST.slice(0, 10) }),
    segment({ from: 'server', seq: 0, ack: 1010, flags: SYN | ACK }),
    part(10, REQUEST.length),
    segment({ from: 'server', seq: 1, ack: 1041, data: RESPONSE }),
  ])
  expect([got.client, got.server]).toEqual([`${REQUEST}.`, RESPONSE])
})

test('a keep-alive byte is not data', () => {
  const keepAlive = segment({ seq: 999, ack: 1, data: '\0' })
  expect(read([...handshake(999, 0), keepAlive, part(0, REQUEST.length)]).client).toBe(`${REQUEST}.`)
  // Nor is it where the capture begins with it.
  expect(read([keepAlive, part(0, REQUEST.length)]).client).toBe(`${REQUEST}.`)
})

test('bytes that the capture never saw are a gap as soon as the receiver has them', () => {
  const packets = [...handshake(999, 0), part(0, 20), part(30, REQUEST.length)]
  expect(read(packets, false).client).toBe(REQUEST.slice(0, 20))
  const acked = [...packets, segment({ from: 'server', seq: 1, ack: 1000 + REQUEST.length })]
  expect(read(acked, false).client).toBe(`${REQUEST.slice(0, 20)}<10>${REQUEST.slice(30)}`)
  // Without any acknowledgment, when the connection ends.
  expect(read(packets).client).toBe(`${REQUEST.slice(0, 20)}<10>${REQUEST.slice(30)}.`)
})

test('what waits is counted no longer once a gap has ended the reading', () => {
  const acknowledged = segment({ from: 'server', seq: 1, ack: 1000 + REQUEST.length })
  const got = read([...handshake(999, 0), part(0, 8), part(10, 20), part(24, REQUEST.length), acknowledged], true, true)
  expect(got).toMatchObject({ client: 'GET /ind<2>', held: 0, streams: 0 })
})

test('what the snap length cut off is a gap', () => {
  const packets = [
    ...handshake(999, 0),
    segment({ seq: 1000, data: REQUEST, kept: 30 }),
    part(0, 3),
    segment({ seq: 1000 + REQUEST.length, data: 'more' }),
  ]
  expect(read(packets).client).toBe(`${REQUEST.slice(0, 30)}<${REQUEST.length - 30}>more.`)
})

test('a connection seen from its middle is read from the next message on', () => {
  const got = read([
    segment({ seq: 5000, data: 'xx middle of a body xx' }),
    segment({ seq: 5022, data: REQUEST }),
    segment({ from: 'server', seq: 70, ack: 5022 + REQUEST.length, data: RESPONSE }),
  ])
  expect([got.client, got.server]).toEqual([`${REQUEST}.`, RESPONSE])
})

test('seen from its middle, the first data may come after an acknowledgment that was sent later', () => {
  const request = segment({ seq: 1000, ack: 1, data: REQUEST })
  const response = segment({ from: 'server', seq: 1, ack: 1000 + REQUEST.length, data: RESPONSE })
  const later = [
    segment({ seq: 1000 + REQUEST.length, ack: 1 + RESPONSE.length }),
    segment({ from: 'server', seq: 1 + RESPONSE.length, ack: 1000 + REQUEST.length }),
  ]
  expect(read([...later, request, response])).toMatchObject({ client: `${REQUEST}.`, server: RESPONSE })
  // Sent again it is the same data; and what follows the SYN has nothing before it.
  expect(read([...later, request, request, response, response])).toMatchObject({ client: `${REQUEST}.` })
  const before = segment({ seq: 990, ack: 1, data: 'GET / HTTP' })
  expect(read([...handshake(999, 0), before, request])).toMatchObject({ client: `${REQUEST}.` })
})

test('the same ports again are another connection', () => {
  const first = play([
    ...handshake(999, 0).map((p) => p),
    part(0, REQUEST.length),
    ...handshake(77_000_000, 5),
    segment({ seq: 77_000_001, ack: 6, data: REQUEST }),
  ])
  expect(first.http.filter((fact) => fact.kind === 'request').map((fact) => fact.frameNumber)).toEqual([4, 8])
  expect(new Set(first.http.map((fact) => fact.flowId)).size).toBe(2)
})

test('what waits is bounded for one connection', () => {
  const far: BatchPacket[] = []
  for (let n = 0; n < 200; n++) far.push(segment({ seq: 1010 + n * 1000, data: ascii('x'.repeat(1000)) }))
  const got = read([...handshake(999, 0), part(0, 5), ...far], false)
  expect(got.held).toBeLessThan(100_000)
  expect(got.client.startsWith(`${REQUEST.slice(0, 5)}<5>xxx`)).toBe(true)
  expect(got.client.replace(/<\d+>/g, '').length).toBeGreaterThan(190_000)
})

test('and for all: unread data on very many connections', () => {
  const packets: BatchPacket[] = []
  for (let n = 0; n < 10_000; n++)
    packets.push(
      segment({ seq: 1, flags: SYN, clientPort: 1024 + n }),
      segment({ seq: 2, data: 'G', clientPort: 1024 + n }),
    )
  expect(read(packets, false).streams).toBeLessThanOrEqual(8192)
})

test('half-open connections cost no stream at all', () => {
  const packets: BatchPacket[] = []
  for (let n = 0; n < 5000; n++) packets.push(segment({ seq: 1, flags: SYN, clientPort: 1024 + n }))
  expect(read(packets, false).streams).toBe(0)
})

test('any cutting, order and repetition gives the bytes that were sent', () => {
  const text = `GET /${'0123456789abcdef'.repeat(8)} HTTP/1.1\r\n\r\n`
  const pieces = fc.array(fc.tuple(fc.nat(text.length - 1), fc.integer({ min: 1, max: 40 })), { maxLength: 40 })
  fc.assert(
    fc.property(pieces, fc.integer({ min: 0, max: 0xffff_ffff }), (cuts, isn) => {
      const at = (offset: number, endAt: number) =>
        segment({ seq: isn + 1 + offset, ack: 1, data: text.slice(offset, endAt) })
      const packets = cuts.map(([offset, len]) => at(offset, Math.min(text.length, offset + len)))
      // Whatever is still missing comes last, in two parts.
      const got = read([...handshake(isn, 0), ...packets, at(60, text.length), at(0, 60)])
      expect(got.client).toBe(`${text}.`)
    }),
    { numRuns: 200, seed: 7 },
  )
})
