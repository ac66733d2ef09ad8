// HTTP/2 in the clear: frames by hand, header blocks of RFC 7541 Appendix C.
import { Http2Exchanges } from '../../../src/analysis/trackers/http2-exchanges.ts'
import type { HttpFact } from '../../../src/model/protocol-facts.ts'
import { client, everySplit, feed, server, type Turn } from './feed-stream.ts'

const PREFACE = [...Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')]
const DATA = 0
const HEADERS = 1
const RST_STREAM = 3
const SETTINGS = 4
const CONTINUATION = 9
const END_STREAM = 1
const END_HEADERS = 4
const PADDED = 8
const PRIORITY = 0x20

const frame = (type: number, flags: number, stream: number, body: readonly number[] = []) => [
  0,
  body.length >> 8,
  body.length & 0xff,
  type,
  flags,
  0,
  0,
  stream >> 8,
  stream & 0xff,
  ...body,
]
const hex = (text: string) => [...Buffer.from(text, 'hex')]

/** GET http www.example.com /; the same with the authority from the table; :status 200 and :status 404. */
const GET = hex('828684418cf1e3c2e5f23a6ba0ab90f4ff')
const GET_AGAIN = hex('828684be')
const OK = [0x88]
const NOT_FOUND = [0x8d]

function see(
  turns: Turn[],
  cutsOf: (turn: Turn, index: number) => number[] = () => [],
  open = false,
  isNamed = false,
): string[] {
  const seen: string[] = []
  const word = (fact: HttpFact | undefined) =>
    fact === undefined
      ? '-'
      : `${fact.method ?? fact.status ?? fact.protocol} ${fact.host ?? ''}${fact.url ?? ''}${fact.bodyLen}${fact.partial ?? ''}`
  const httpExchange = (request?: HttpFact, response?: HttpFact) => seen.push(`${word(request)} | ${word(response)}`)
  const consumer = new Http2Exchanges({ httpExchange }, isNamed)
  feed(consumer, turns, cutsOf)
  consumer.end(open)
  return seen
}

const settings = frame(SETTINGS, 0, 0)

test('a server that speaks first, as it may once TLS is up', () => {
  const turns = [
    server(settings),
    client([...PREFACE, ...settings, ...frame(HEADERS, END_HEADERS | END_STREAM, 1, GET)]),
    server(frame(HEADERS, END_HEADERS | END_STREAM, 1, NOT_FOUND)),
  ]
  const expected = ['GET www.example.com/0 | 404 0']
  expect(see(turns)).toEqual(expected)
  everySplit(turns, (cutsOf, label) => expect([label, see(turns, cutsOf)]).toEqual([label, expected]))
})

test('a connection on which nothing was asked is told by its protocol, unless TLS has named that already', () => {
  const turns = [client([...PREFACE, ...settings]), server(settings)]
  expect(see(turns)).toEqual(['HTTP/2 undefined | -'])
  expect(see(turns, () => [], false, true)).toEqual([])
})

test('two streams at once, answered out of order, cut anywhere', () => {
  const turns = [
    client([
      ...PREFACE,
      ...settings,
      ...frame(HEADERS, END_HEADERS | END_STREAM, 1, GET),
      ...frame(HEADERS, END_HEADERS, 3, GET_AGAIN),
    ]),
    client(frame(DATA, END_STREAM, 3, [1, 2, 3])),
    server([
      ...settings,
      ...frame(HEADERS, END_HEADERS | END_STREAM, 3, NOT_FOUND),
      ...frame(HEADERS, END_HEADERS, 1, OK),
    ]),
    server([...frame(DATA, 0, 1, [1, 2]), ...frame(DATA, END_STREAM, 1, [3, 4, 5])]),
  ]
  const whole = see(turns)
  expect(whole).toEqual(['GET www.example.com/3 | 404 0', 'GET www.example.com/0 | 200 5'])
  everySplit(turns, (cutsOf, label) => expect([label, see(turns, cutsOf)]).toEqual([label, whole]))
})

test('a header block with padding and priority, continued twice', () => {
  const padded = [3, 0, 0, 0, 0, 16, ...GET.slice(0, 4), 0, 0, 0]
  expect(
    see([
      client([
        ...PREFACE,
        ...frame(HEADERS, PADDED | PRIORITY | END_STREAM, 1, padded),
        ...frame(CONTINUATION, 0, 1, GET.slice(4, 9)),
        ...frame(CONTINUATION, END_HEADERS, 1, GET.slice(9)),
      ]),
      server(frame(HEADERS, END_HEADERS | END_STREAM, 1, OK)),
    ]),
  ).toEqual(['GET www.example.com/0 | 200 0'])
})

test('an interim response is told without its request; a reset stream with what was seen', () => {
  const early = [0x48, 3, ...Buffer.from('103')]
  expect(
    see([
      client([...PREFACE, ...frame(HEADERS, END_HEADERS | END_STREAM, 1, GET)]),
      server([...frame(HEADERS, END_HEADERS, 1, early), ...frame(RST_STREAM, 0, 1, [0, 0, 0, 8])]),
    ]),
  ).toEqual(['- | 103 0', 'GET www.example.com/0 | -'])
})

test('what is open at the end: a response is lost with the capture, not with the close', () => {
  const turns = [
    client([...PREFACE, ...frame(HEADERS, END_HEADERS | END_STREAM, 1, GET)]),
    server(frame(HEADERS, END_HEADERS, 1, OK)),
  ]
  expect(see(turns, undefined, true)).toEqual(['GET www.example.com/0 | 200 0lost'])
  expect(see(turns)).toEqual(['GET www.example.com/0 | 200 0'])
})

test('a connection of which nothing can be read is named', () => {
  expect(see([client([...PREFACE, ...settings]), server(settings)])).toEqual(['HTTP/2 undefined | -'])
  expect(see([client([...PREFACE, ...frame(HEADERS, END_HEADERS, 1, [0x80])])])).toEqual(['HTTP/2 undefined | -'])
})

test('a hole in a body does no harm, one in a header block ends the reading', () => {
  const seen: (number | undefined)[] = []
  const consumer = new Http2Exchanges({ httpExchange: (_, response) => seen.push(response?.status) })
  feed(consumer, [client([...PREFACE, ...frame(HEADERS, END_HEADERS | END_STREAM, 1, GET)])], () => [])
  feed(
    consumer,
    [server([...frame(HEADERS, END_HEADERS, 1, OK), ...frame(DATA, 0, 1, [1, 2, 3, 4]).slice(0, -3)])],
    () => [],
  )
  consumer.gap(false, 3)
  feed(consumer, [server(frame(DATA, END_STREAM, 1))], () => [])
  expect([seen, consumer.done]).toEqual([[200], false])
  feed(consumer, [server(frame(HEADERS, END_HEADERS, 3, OK).slice(0, -1))], () => [])
  consumer.gap(false, 1)
  expect(consumer.done).toBe(true)
})

test('texts of open streams are held up to a bound: the longest open are told, each once', () => {
  const told: (string | undefined)[] = []
  const consumer = new Http2Exchanges({ httpExchange: (request) => told.push(request?.url) })
  // :method GET, :scheme http, :path as a literal of 127 and more characters, not indexed (RFC 7541 6.2.2).
  const get = (number: number) => [0x82, 0x86, 0x04, 0x7f, 0xe9, 0x06, ...Buffer.from(`/${number}-`.padEnd(1000, 'x'))]
  const requests = Array.from({ length: 100 }, (_, index) =>
    frame(HEADERS, END_HEADERS | END_STREAM, 2 * index + 1, get(index)),
  )
  feed(consumer, [client([...PREFACE, ...settings, ...requests.flat()]), server(settings)], () => [])
  expect(told.length).toBeGreaterThan(30)
  expect(told.length).toBeLessThan(45)
  consumer.end()
  expect(told.map((url) => Number(url?.match(/\d+/)?.[0]))).toEqual(Array.from({ length: 100 }, (_, index) => index))
})
