import { Prelude } from '../../../src/analysis/trackers/prelude.ts'
import { recognise } from '../../../src/analysis/trackers/stream-consumer.ts'
import { alert, clientHello, extensions, record } from '../../decoders/build-tls.ts'
import { client, feed, server } from './feed-stream.ts'

const kindOf = (content: string | number[], port = 4711) => {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : Uint8Array.from(content)
  return recognise(bytes, 0, bytes.length, true, 50_000, port)
}

const question = [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0x61, 0, 0, 1, 0, 1]
const hello = record(22, clientHello({ extensions: [extensions.serverName('a.example')] }))

test.each([
  ['a TLS handshake', hello, 'tls'],
  ['a TLS alert', alert(2, 40), 'tls'],
  ['TLS application data', [23, 3, 3, 0, 5, 1, 2, 3, 4, 5], 'tls'],
  ['a version of TLS that does not exist', [22, 4, 1, 0, 5, 1, 0, 0, 1], 'other'],
  ['a request', 'GET / HTTP/1.1\r\n', 'http'],
  ['a request cut in its line', 'GET /long', 'http'],
  ['an HTTP/0.9 request', 'GET /\r\n', 'http'],
  ['a request without target', 'OPTIONS HTTP/1.1\r\n', 'http'],
  ['WebDAV', 'PROPFIND /x HTTP/1.1\r\n', 'http'],
  ['a response', 'HTTP/1.1 200 OK\r\n', 'http'],
  ['RTSP', 'OPTIONS rtsp://a/ RTSP/1.0\r\n', 'other'],
  ['SIP', 'NOTIFY sip:a@b SIP/2.0\r\n', 'other'],
  ['an unknown method', 'FETCH / HTTP/1.1\r\n', 'other'],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'h2c'],
  ['SSH', 'SSH-2.0-OpenSSH\r\n', 'other'],
  ['a DNS query on another port', [0, question.length, ...question], 'dns'],
  ['a DNS query with a length that does not fit', [0, question.length + 9, ...question], 'other'],
])('%s', (_, content, kind) => {
  expect(kindOf(content)).toBe(kind)
})

test('a DNS header is enough on port 53', () => {
  expect(kindOf([0, 40, ...question.slice(0, 12)], 53)).toBe('dns')
  expect(kindOf([0, 40, ...question.slice(0, 12)])).toBe('more')
})

test.each([hello, Array.from(Buffer.from('GET / HTTP/1.1\r\n')), [0, question.length, ...question]])(
  'content %# is never called other before it is whole',
  (...content) => {
    for (let len = 0; len < content.length; len++) expect(kindOf(content.slice(0, len))).not.toBe('other')
  },
)

describe('a prelude', () => {
  test('STARTTLS hands over the ClientHello', () => {
    const prelude = new Prelude()
    const rests = feed(
      prelude,
      [server('220 hi\r\n'), client('STARTTLS\r\n'), server('220 go\r\n'), client(hello)],
      () => [],
    )
    expect(prelude).toMatchObject({ done: true, unwrapped: true })
    expect([...rests[1]!]).toEqual(hello)
  })

  test('a PROXY header hands over what stands behind it', () => {
    const prelude = new Prelude()
    const header = Array.from(Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.2 1 443\r\n'))
    const rests = feed(prelude, [client([...header, ...hello])], () => [])
    expect(prelude.unwrapped).toBe(true)
    expect([...rests[1]!]).toEqual(hello)
  })

  test('another protocol is given up after a while', () => {
    const prelude = new Prelude()
    feed(prelude, new Array(60).fill(client('\x01\x02\x03')), () => [])
    expect(prelude).toMatchObject({ done: true, unwrapped: false })
  })
})
