import { LAYER_DNS } from '../../../src/model/layer.ts'
import { type BatchPacket, concat, dnsQuery } from '../../decoders/build-packet.ts'
import { framed, handshake, play, segment } from './play-packets.ts'

const QUERIES = [dnsQuery(1, 'one.example'), dnsQuery(2, 'two.example', 28), dnsQuery(3, 'three.example')]
const STREAM = concat(...QUERIES.map(framed))

/** The stream's bytes [at, endAt) after handshake(999, 0). */
const part = (at: number, endAt: number): BatchPacket =>
  segment({ seq: 1000 + at, ack: 1, data: STREAM.slice(at, endAt) })

test('several messages in a segment, with the 5-tuple as sent', () => {
  const { dns, flows } = play([...handshake(999, 0), part(0, STREAM.length)])
  expect(dns.map((row) => row.id)).toEqual([1, 2, 3])
  expect(dns[0]).toMatchObject({
    frame: 4,
    src: '192.0.2.1',
    dst: '198.51.100.2',
    srcPort: 40_000,
    dstPort: 53,
    protocol: 6,
    layer: LAYER_DNS,
  })
  expect(dns[0]!.flowId).toBe(flows[0]!.flowId)
})

test('cut at every byte, both ways round', () => {
  for (let cut = 1; cut < STREAM.length; cut++) {
    for (const order of [
      [part(0, cut), part(cut, STREAM.length)],
      [part(cut, STREAM.length), part(0, cut)],
    ]) {
      expect(play([...handshake(999, 0), ...order]).dns.map((row) => row.id)).toEqual([1, 2, 3])
    }
  }
})

test('byte by byte each message is told in the frame of its last byte', () => {
  const bytes = [...STREAM].map((_, at) => part(at, at + 1))
  const ends = QUERIES.map((_, n) => 3 + concat(...QUERIES.slice(0, n + 1).map(framed)).length)
  expect(play([...handshake(999, 0), ...bytes]).dns.map((row) => row.frame)).toEqual(ends)
})

test('an answer freed by the other side keeps its own direction', () => {
  const answer = concat(QUERIES[0]!)
  answer[2] = 0x81
  const { dns } = play([
    ...handshake(999, 0),
    part(0, STREAM.length),
    // The first byte of the answers is missing in the capture, but the client has it.
    segment({ from: 'server', seq: 2, ack: 1000 + STREAM.length, data: framed(answer).slice(1) }),
    segment({ from: 'server', seq: 1 + framed(answer).length, ack: 1000 + STREAM.length, data: framed(answer) }),
    segment({ seq: 1000 + STREAM.length, ack: 1 + 2 * framed(answer).length }),
  ])
  expect(dns.slice(3)).toMatchObject([
    { id: 1, frame: 7, src: '198.51.100.2', dst: '192.0.2.1', srcPort: 53, dstPort: 40_000 },
  ])
})

test('a message of the greatest length over many segments', () => {
  const padded = concat(QUERIES[0]!, new Uint8Array(65_535 - QUERIES[0]!.length))
  const stream = framed(padded)
  const packets: BatchPacket[] = []
  for (let at = 0; at < stream.length; at += 1400)
    packets.push(segment({ seq: 1000 + at, ack: 1, data: stream.slice(at, at + 1400) }))
  expect(play([...handshake(999, 0), ...packets]).dns.map((row) => [row.id, row.frame])).toEqual([
    [1, 3 + packets.length],
  ])
})

test('a capture that begins within a message finds the next one, on any port', () => {
  const data = STREAM.slice(10)
  for (const serverPort of [53, 5353 + 1000]) {
    expect(
      play([segment({ seq: 5, data, serverPort }), segment({ seq: 5 + data.length, data: STREAM, serverPort })])
        .dns.map((row) => row.id)
        .slice(-3),
    ).toEqual([1, 2, 3])
  }
})

test('after a gap reading goes on at the next certain message', () => {
  const { dns } = play([
    ...handshake(999, 0),
    part(0, 20),
    part(40, STREAM.length),
    segment({ from: 'server', seq: 1, ack: 1000 + STREAM.length }),
  ])
  expect(dns.map((row) => [row.id, row.frame])).toEqual([[3, 6]])
})

test('after a gap a message is found however it is cut', () => {
  for (let cutAt = 1; cutAt < STREAM.length; cutAt++) {
    const { dns } = play([
      ...handshake(999, 0),
      part(0, 5),
      segment({ seq: 1100, ack: 1, data: STREAM.slice(0, cutAt) }),
      segment({ from: 'server', seq: 1, ack: 1100 + cutAt }),
      segment({ seq: 1100 + cutAt, ack: 1, data: STREAM.slice(cutAt) }),
    ])
    expect([cutAt, dns.map((row) => row.id)]).toEqual([cutAt, [1, 2, 3]])
  }
})

test('TLS on port 53 is no DNS', () => {
  const hello = concat([0x16, 3, 1, 0, 40], new Uint8Array(40))
  expect(play([...handshake(999, 0), segment({ seq: 1000, data: hello })]).dns).toEqual([])
})
