// HTTP/1.x heads at every length, and what is none.
import {
  HTTP_START_HTTP2,
  HTTP_START_MORE,
  HTTP_START_NO,
  HTTP_START_REQUEST,
  HTTP_START_RESPONSE,
  httpHeadEnd,
  httpStart,
  readHttpHead,
} from '../../src/decoders/http.ts'
import { everyEnd } from './every-end.ts'

const REQUEST = Buffer.from(
  'POST /a?b HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: a\r\n b\r\nContent-Length: 3\r\n\r\nxyz',
)
const RESPONSE = Buffer.from('HTTP/1.1 204 No Content\nVia: 1.1 a\nVia: 1.1 b\n\n')

const start = (text: string) => httpStart(Buffer.from(text, 'latin1'), 0, text.length)

test.each([
  ['GET / HTTP/1.1\r\n', HTTP_START_REQUEST],
  ['\r\n\r\nGET / HTTP/1.1\r\n', HTTP_START_REQUEST],
  ['GET /half', HTTP_START_REQUEST],
  ['OPTIONS \r\nHost: a\r\n', HTTP_START_REQUEST],
  ['CONNECT host:443 HTTP/1.1\r\n', HTTP_START_REQUEST],
  ['HTTP/1.0 200 OK\r\n', HTTP_START_RESPONSE],
  ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', HTTP_START_HTTP2],
  ['OPTIONS rtsp://host RTSP/1.0\r\n', HTTP_START_NO],
  ['INVITE sip:a@b SIP/2.0\r\n', HTTP_START_NO],
  ['GET \x01\x02\x03', HTTP_START_NO],
  ['HTTP/x.1 200 OK', HTTP_START_NO],
  ['PO', HTTP_START_MORE],
  ['HTTP', HTTP_START_MORE],
  ['', HTTP_START_MORE],
])('%j starts as %i', (text, expected) => {
  expect(start(text)).toBe(expected)
})

test.each([
  ['request', REQUEST, HTTP_START_REQUEST],
  ['response', RESPONSE, HTTP_START_RESPONSE],
])('a %s at every length is undecided until it is decided for good', (_name, bytes, expected) => {
  const starts = everyEnd(bytes, (memory, endAt) => httpStart(memory, 0, endAt))
  const decidedAt = starts.indexOf(expected)
  expect(decidedAt).toBeGreaterThan(0)
  expect(starts.slice(0, decidedAt).every((one) => one === HTTP_START_MORE)).toBe(true)
  expect(starts.slice(decidedAt).every((one) => one === expected)).toBe(true)
})

test('the end of a head is found when it is there, wherever the search goes on', () => {
  for (const [bytes, headLen] of [
    [REQUEST, REQUEST.length - 3],
    [RESPONSE, RESPONSE.length],
  ] as const) {
    const ends = everyEnd(bytes, (memory, endAt) => httpHeadEnd(memory, 0, 0, endAt))
    expect(ends).toEqual(ends.map((_, endAt) => (endAt < headLen ? -1 : headLen)))
    for (let scannedAt = 0; scannedAt <= headLen - 3; scannedAt++)
      expect(httpHeadEnd(bytes, 0, scannedAt, bytes.length)).toBe(headLen)
  }
})

test('a head at every length says only what was there', () => {
  const heads = everyEnd(REQUEST, (memory, endAt) => readHttpHead(memory, 0, endAt))
  const whole = heads[REQUEST.length - 3]!
  expect([whole.method, whole.url, whole.protocol]).toEqual(['POST', '/a?b', 'HTTP/1.1'])
  expect([...whole.fields]).toEqual([
    ['host', 'www.example.com'],
    ['user-agent', 'a b'],
    ['content-length', '3'],
  ])
  for (const head of heads) expect('POST'.startsWith(head?.method ?? '')).toBe(true)
  expect(readHttpHead(RESPONSE, 0, RESPONSE.length)?.fields.get('via')).toBe('1.1 a, 1.1 b')
})

test('a head of nothing but folded lines is read in the time of its length', () => {
  const head = (lines: number) => Buffer.from(`GET / HTTP/1.1\r\nServer: x\r\n${' a\n'.repeat(lines)}\r\n`)
  const [short, long] = [head(200), head(200_000)]
  const millisOf = (bytes: Buffer, times: number) => {
    const started = performance.now()
    for (let i = 0; i < times; i++) readHttpHead(bytes, 0, bytes.length)
    return performance.now() - started
  }
  millisOf(short, 500)
  // The same number of lines; joined one by one, those of the long head take fifty times as long and more.
  expect(millisOf(long, 1)).toBeLessThan(10 * millisOf(short, 1000))
  expect(readHttpHead(long, 0, long.length)!.fields.get('server')).toBe(`x${' a'.repeat(200_000)}`)
})
