// TLS, HTTP and DNS-over-TCP conversations through the real stream tracker, each turn cut at every byte, its halves also
// exchanged and overlapping: the facts are the same however the bytes came.
import { type BatchPacket, type Bytes, concat, dnsQuery } from '../../decoders/build-packet.ts'
import * as tls from '../../decoders/build-tls.ts'
import { ACK, FIN, framed, handshake, play, segment } from './play-packets.ts'

interface Turn {
  from: 'client' | 'server'
  data: Bytes
}

const CLIENT_SEQ = 4_294_967_200
const SERVER_SEQ = 7000
const OVERLAP_LEN = 5

type Arrival = 'in order' | 'exchanged' | 'overlapping'

/** The conversation as packets; turn `cutTurn` comes in two segments, cut at `cutAt`. */
function packetsOf(turns: readonly Turn[], cutTurn: number, cutAt: number, arrival: Arrival): BatchPacket[] {
  const packets = handshake(CLIENT_SEQ - 1, SERVER_SEQ - 1)
  const sent = { client: CLIENT_SEQ, server: SERVER_SEQ }
  turns.forEach(({ from, data }, index) => {
    const seq = sent[from]
    const ack = sent[from === 'client' ? 'server' : 'client']
    const part = (at: number, endAt: number) => segment({ from, seq: seq + at, ack, data: data.slice(at, endAt) })
    if (index !== cutTurn) packets.push(part(0, data.length))
    else if (arrival === 'in order') packets.push(part(0, cutAt), part(cutAt, data.length))
    else if (arrival === 'exchanged') packets.push(part(cutAt, data.length), part(0, cutAt))
    else packets.push(part(0, cutAt), part(Math.max(0, cutAt - OVERLAP_LEN), data.length))
    sent[from] += data.length
  })
  packets.push(segment({ seq: sent.client, ack: sent.server, flags: ACK | FIN }))
  packets.push(segment({ from: 'server', seq: sent.server, ack: sent.client + 1, flags: ACK | FIN }))
  return packets
}

/** Everything told but when and in which frame. */
function told(packets: readonly BatchPacket[]): unknown {
  const { dns, tls: tlsFacts, http } = play(packets, { maxFlows: 16 })
  const without = ({ timeMicros: _t, frameNumber: _f, headMicros: _h, ...rest }: Record<string, unknown>) => rest
  return {
    dns: dns.map((row) => ({ ...row, frame: 0 })),
    tls: tlsFacts.map((fact) => without({ ...fact })),
    http: http.map((fact) => without({ ...fact })),
  }
}

const text = (value: string) => Uint8Array.from(Buffer.from(value, 'latin1'))

const conversations: [name: string, turns: Turn[], expected: (one: unknown) => unknown][] = [
  [
    'TLS 1.2 with a certificate and an alert',
    [
      {
        from: 'client',
        data: Uint8Array.from(
          tls.records(22, tls.clientHello({ extensions: [tls.extensions.serverName('a.example')] }), 50),
        ),
      },
      {
        from: 'server',
        data: Uint8Array.from([
          ...tls.record(22, [...tls.serverHello({ cipherSuites: [0xc02f] }), ...tls.handshake(14, [])]),
          ...tls.alert(2, 40),
        ]),
      },
    ],
    (one) => (one as { tls: { kind: string; sni?: string }[] }).tls.map(({ kind, sni }) => sni ?? kind),
  ],
  [
    'pipelined and chunked HTTP',
    [
      {
        from: 'client',
        data: text('GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc'),
      },
      {
        from: 'server',
        data: text(
          'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: v\r\n\r\n' +
            'HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno',
        ),
      },
    ],
    (one) => (one as { http: { url?: string; status?: number }[] }).http.map(({ url, status }) => url ?? status),
  ],
  [
    'DNS over TCP, two questions in one turn',
    [
      { from: 'client', data: concat(framed(dnsQuery(1, 'one.example')), framed(dnsQuery(2, 'two.example', 28))) },
      { from: 'server', data: framed(concat([0, 2, 0x81, 0x83], dnsQuery(2, 'two.example', 28).slice(4))) },
    ],
    (one) => (one as { dns: { id: number; src: string }[] }).dns.map(({ id, src }) => `${id} ${src}`),
  ],
]

const expectedWhole = [
  ['a.example', 'server-hello', 'alert'],
  ['/1', '/2', 200, 404],
  ['1 192.0.2.1', '2 192.0.2.1', '2 198.51.100.2'],
]

describe.each(conversations.map((one, index) => [...one, expectedWhole[index]!] as const))(
  '%s',
  (_name, turns, summary, expected) => {
    const whole = told(packetsOf(turns, -1, 0, 'in order'))

    test('whole', () => {
      expect(summary(whole)).toEqual(expected)
    })

    test.each<Arrival>(['in order', 'exchanged', 'overlapping'])('cut at every byte, %s', (arrival) => {
      turns.forEach(({ data }, cutTurn) => {
        for (let cutAt = 1; cutAt < data.length; cutAt++) {
          expect([cutTurn, cutAt, told(packetsOf(turns, cutTurn, cutAt, arrival))]).toEqual([cutTurn, cutAt, whole])
        }
      })
    })
  },
)
