// What begins inside something else: TLS behind a PROXY header in mid-connection, plain HTTP as the answer to TLS.
import { concat } from '../../decoders/build-packet.ts'
import { clientHello, extensions, record } from '../../decoders/build-tls.ts'
import { ACK, FIN, handshake, play, segment } from './play-packets.ts'

const HELLO = Uint8Array.from(record(22, clientHello({ extensions: [extensions.serverName('a.example')] })))
const PROXY = Uint8Array.from(Buffer.from('PROXY TCP4 192.0.2.1 198.51.100.2 1000 443\r\n'))

test('a PROXY header is passed, also where the connection was not captured from its beginning', () => {
  const data = concat(PROXY, HELLO)
  for (const before of [handshake(999, 0), []]) {
    const { tls } = play([...before, segment({ seq: 1000, ack: 1, data, serverPort: 53 })])
    expect(tls.map((fact) => fact.sni)).toEqual(['a.example'])
  }
})

test('a server that answers a ClientHello with plain HTTP is heard', () => {
  const answer = 'HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno'
  const { tls, http } = play([
    ...handshake(999, 0),
    segment({ seq: 1000, ack: 1, data: HELLO }),
    segment({ from: 'server', seq: 1, ack: 1000 + HELLO.length, data: answer.slice(0, 30) }),
    segment({ from: 'server', seq: 31, ack: 1000 + HELLO.length, data: answer.slice(30) }),
  ])
  expect(tls.map((fact) => fact.sni)).toEqual(['a.example'])
  expect(http.map(({ status, bodyLen }) => [status, bodyLen])).toEqual([[400, 2]])
})

test('a body until the close is whole when the server has closed, whatever the client did', () => {
  const body = (flags: number) =>
    play([
      ...handshake(999, 0),
      segment({ seq: 1000, ack: 1, data: 'GET / HTTP/1.0\r\n\r\n' }),
      segment({ from: 'server', seq: 1, ack: 1018, data: 'HTTP/1.0 200 OK\r\n\r\nbody', flags }),
    ]).http.at(-1)
  expect(body(ACK | FIN)).toMatchObject({ status: 200, bodyLen: 4 })
  expect(body(ACK | FIN)).not.toHaveProperty('partial')
  expect(body(ACK)).toMatchObject({ status: 200, partial: 'lost' })
})
