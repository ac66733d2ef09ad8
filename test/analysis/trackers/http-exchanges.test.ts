import { HttpExchanges } from '../../../src/analysis/trackers/http-exchanges.ts'
import type { HttpFact } from '../../../src/model/protocol-facts.ts'
import { client, everySplit, feed, server, type Turn, WHERE } from './feed-stream.ts'

const noCuts = () => []

interface Seen {
  messages: HttpFact[]
  pairs: string[]
  unwrapped: boolean
  rests: string[]
}

function see(turns: Turn[], cutsOf: (turn: Turn, index: number) => number[] = noCuts): Seen {
  const messages: HttpFact[] = []
  const pairs: string[] = []
  const consumer = new HttpExchanges({
    http: (message) => messages.push(message),
    httpExchange: (request, response) => pairs.push(`${request?.method} ${request?.url} ${response?.status}`),
  })
  const rests = feed(consumer, turns, cutsOf).map((rest) => rest.toString('latin1'))
  const { unwrapped } = consumer
  consumer.end()
  return { messages, pairs, unwrapped, rests }
}

/** What a conversation shows whole is what it shows cut anywhere. */
function same(turns: Turn[]): Seen {
  const whole = see(turns)
  everySplit(turns, (cutsOf, label) => expect([label, see(turns, cutsOf)]).toEqual([label, whole]))
  return whole
}

const bodies = (seen: Seen) => seen.messages.map((message) => [message.kind, message.bodyLen])

describe('one exchange', () => {
  const turns = [
    client('GET /a?b=1 HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: Test\r\n folded/1\r\nX-Other: 1\r\n\r\n'),
    server(
      'HTTP/1.1 502 Bad Gateway\r\nServer: edge\r\nVia: 1.1 a\r\nvia: 1.1 b\r\nProxy-Status: edge; error=dns_timeout\r\n' +
        'CF-Ray: 8a-FRA\r\nX-Cache: MISS\r\nContent-Type: text/html\r\nLocation: /x\r\nContent-Length: 5\r\n\r\nsorry',
    ),
  ]

  test('tells line, fields and length', () => {
    const seen = same(turns)
    expect(seen.messages).toEqual([
      {
        ...WHERE,
        headMicros: WHERE.timeMicros,
        kind: 'request',
        method: 'GET',
        url: '/a?b=1',
        protocol: 'HTTP/1.1',
        host: 'www.example.com',
        userAgent: 'Test folded/1',
        bodyLen: 0,
      },
      {
        ...WHERE,
        timeMicros: WHERE.timeMicros + 1,
        frameNumber: 2,
        headMicros: WHERE.timeMicros + 1,
        kind: 'response',
        protocol: 'HTTP/1.1',
        status: 502,
        requestMethod: 'GET',
        server: 'edge',
        via: '1.1 a, 1.1 b',
        proxyStatus: 'edge; error=dns_timeout',
        cfRay: '8a-FRA',
        xCache: 'MISS',
        contentType: 'text/html',
        location: '/x',
        bodyLen: 5,
      },
    ])
    expect(seen.pairs).toEqual(['GET /a?b=1 502'])
  })

  test('seen the wrong way round names client and server rightly', () => {
    const [request] = see([server('GET / HTTP/1.0\r\n\r\n')]).messages
    expect(request).toMatchObject({ clientAddress: WHERE.serverAddress, serverAddress: WHERE.clientAddress })
  })

  test('with bare LF line ends', () => {
    const seen = same([client('GET / HTTP/1.0\nHost: a\n\n'), server('HTTP/1.0 200 OK\nContent-Length: 1\n\nx')])
    expect(seen.pairs).toEqual(['GET / 200'])
    expect(seen.messages[0]!.host).toBe('a')
  })

  test('a body without length is not whole when bytes of it are missing', () => {
    const consumer = new HttpExchanges({ http: (message) => void told.push(message) })
    const told: HttpFact[] = []
    feed(consumer, [client('GET / HTTP/1.0\r\n\r\n'), server('HTTP/1.0 200 OK\r\n\r\nhalf')], () => [])
    consumer.gap(false, 100)
    consumer.end()
    expect(told[1]).toMatchObject({ status: 200, bodyLen: 4, partial: 'lost' })
  })

  test('a request whose answer may be among missing bytes says so, another does not', () => {
    const told: (true | undefined)[] = []
    for (const gapFrom of [undefined, true, false]) {
      const consumer = new HttpExchanges({ httpExchange: (request) => void told.push(request?.answerLost) })
      feed(consumer, [client('GET / HTTP/1.0\r\n\r\n')], () => [])
      if (gapFrom !== undefined) consumer.gap(gapFrom, 100)
      consumer.end()
    }
    expect(told).toEqual([undefined, undefined, true])
  })

  test('a request that nobody answers is told at the end', () => {
    expect(see([client('POST /p HTTP/1.1\r\nContent-Length: 9\r\n\r\nab')]).pairs).toEqual(['POST /p undefined'])
    expect(bodies(see([client('POST /p HTTP/1.1\r\nContent-Length: 9\r\n\r\nab')]))).toEqual([['request', 2]])
  })

  test('a response without status text', () => {
    expect(see([server('HTTP/1.1 204\r\n\r\n')]).pairs).toEqual(['undefined undefined 204'])
  })
})

describe('where a message ends', () => {
  test('chunked, with extensions and trailers', () => {
    const chunked = '4;a="b"\r\nWiki\r\n6 \r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n0\r\nExpires: never\r\n\r\n'
    const seen = same([
      client(`PUT /1 HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n${chunked}GET /2 HTTP/1.1\r\n\r\n`),
      server(
        `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunked}HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n`,
      ),
    ])
    expect(seen.pairs).toEqual(['PUT /1 200', 'GET /2 404'])
    expect(bodies(seen)).toEqual([
      ['request', 24],
      ['request', 0],
      ['response', 24],
      ['response', 0],
    ])
  })

  test('pipelined requests are answered in their order', () => {
    const seen = same([
      client(
        'GET /1 HTTP/1.1\r\n\r\nPOST /2 HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi\r\nHEAD /3 HTTP/1.1\r\n\r\nGET /4 HTTP/1.1\r\n\r\n',
      ),
      server(
        'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 201 OK\r\nContent-Length: 0\r\n\r\n' +
          'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 70\r\n\r\n',
      ),
    ])
    expect(seen.pairs).toEqual(['GET /1 200', 'POST /2 201', 'HEAD /3 200', 'GET /4 304'])
  })

  test('interim responses belong to no request', () => {
    const seen = same([
      client('POST /u HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n'),
      server('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n'),
      client('abc'),
      server('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
    ])
    expect(seen.pairs).toEqual(['undefined undefined 100', 'undefined undefined 103', 'POST /u 200'])
  })

  test('a body without length ends with the connection', () => {
    const seen = same([client('GET / HTTP/1.0\r\n\r\n'), server('HTTP/1.0 200 OK\r\n\r\nall the rest\r\n\r\nof it')])
    expect(seen.pairs).toEqual(['GET / 200'])
    expect(seen.messages[1]!.bodyLen).toBe(21)
  })

  test.each([
    ['GET', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHello world of text\r\n\r\nmore', 'GET /a 200'],
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nnot to be sent\r\n\r\n', 'HEAD /a 200'],
    ['GET', 'ICY 200 OK\r\nicy-name: radio\r\n\r\n', 'GET /a undefined'],
  ])('a server that says more or other than its head: nothing of it is a request %#', (method, answer, pair) => {
    const seen = same([client(`${method} /a HTTP/1.1\r\nHost: h\r\n\r\n`), server(answer)])
    expect(seen.messages.filter((message) => message.kind === 'request')).toHaveLength(1)
    expect(seen.pairs).toEqual([pair])
  })

  test('a server that never closes ends a body without length by answering the next request', () => {
    const seen = see([
      client('GET /1 HTTP/1.1\r\n\r\n'),
      server('HTTP/1.1 200 OK\r\n\r\nbody'),
      client('GET /2 HTTP/1.1\r\n\r\n'),
      server('HTTP/1.1 302 Found\r\n\r\n'),
    ])
    expect(seen.pairs).toEqual(['GET /1 200', 'GET /2 302'])
  })
})

describe('other protocols inside', () => {
  test('CONNECT hands over what follows the answer', () => {
    const turns = [
      client('CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n'),
      server('HTTP/1.1 200 Connection established\r\n\r\nSSH-2.0-x'),
    ]
    const seen = same(turns)
    expect(seen.pairs).toEqual(['CONNECT a.example:443 200'])
    expect(seen.unwrapped).toBe(true)
    expect(seen.rests).toEqual(['SSH-2.0-x', ''])
  })

  test('CONNECT whose answer was not captured hands over TLS', () => {
    const tls = '\x16\x03\x01\x00\x20\x01\x00\x00\x1c'
    const seen = see([client('CONNECT a:443 HTTP/1.1\r\n\r\n'), client(tls)])
    expect(seen).toMatchObject({ unwrapped: true, rests: ['', tls], pairs: ['CONNECT a:443 undefined'] })
  })

  test('CONNECT that is refused goes on as HTTP', () => {
    const seen = same([
      client('CONNECT a:443 HTTP/1.1\r\n\r\n'),
      server('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n'),
      client('GET http://a/ HTTP/1.1\r\n\r\n'),
      server('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
    ])
    expect(seen.pairs).toEqual(['CONNECT a:443 407', 'GET http://a/ 200'])
    expect(seen.unwrapped).toBe(false)
  })

  test('Upgrade hands over after 101', () => {
    const seen = same([
      client('GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'),
      server('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x05hello'),
    ])
    expect(seen.pairs).toEqual(['GET /ws 101'])
    expect(seen).toMatchObject({ unwrapped: true, rests: ['\x81\x05hello', ''] })
  })

  test('Upgrade that the server ignores, with another request pipelined behind it', () => {
    const seen = same([
      client('GET /1 HTTP/1.1\r\nUpgrade: h2c\r\n\r\nGET /2 HTTP/1.1\r\n\r\n'),
      server('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n'),
    ])
    expect(seen.pairs).toEqual(['GET /1 200', 'GET /2 404'])
  })
})

test('HTTP/2 with prior knowledge is named and then opaque', () => {
  const seen = same([client('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0'), server('\0\0\0\x04\x01\0\0\0\0')])
  expect(seen.messages).toEqual([
    { ...WHERE, kind: 'request', headMicros: WHERE.timeMicros, protocol: 'HTTP/2', bodyLen: 0 },
  ])
  expect(seen.unwrapped).toBe(false)
})

test('a Content-Length that is no number of this world counts nothing', () => {
  const seen = same([client('POST / HTTP/1.1\r\nContent-Length: 18446744073709551615\r\n\r\nGET /2 HTTP/1.1\r\n\r\n')])
  expect(seen.messages.map((message) => message.url)).toEqual(['/', '/2'])
})

describe('missing bytes', () => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n'
  const next = 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'

  function withGap(before: string, gapLen: number, after: string): Seen {
    const messages: HttpFact[] = []
    const pairs: string[] = []
    const consumer = new HttpExchanges({
      http: (message) => messages.push(message),
      httpExchange: (request, response) => pairs.push(`${request?.method} ${response?.status}`),
    })
    const push = (text: string) => consumer.push(false, Buffer.from(text, 'latin1'), 0, text.length, WHERE)
    push(before)
    consumer.gap(false, gapLen)
    push(after)
    consumer.end()
    return { messages, pairs, unwrapped: consumer.unwrapped, rests: [] }
  }

  test('within a counted body are skipped', () => {
    const seen = withGap(`${head}abc`, 50, `${'x'.repeat(47)}${next}`)
    expect(seen.pairs).toEqual(['undefined 200', 'undefined 404'])
    expect(seen.messages.map(({ bodyLen, partial }) => [bodyLen, partial])).toEqual([
      [50, 'lost'],
      [0, undefined],
    ])
  })

  test('up to the end of a counted body', () => {
    expect(withGap(`${head}abc`, 97, next).pairs).toEqual(['undefined 200', 'undefined 404'])
  })

  test('over the end of a body resume at the next message', () => {
    expect(withGap(`${head}abc`, 150, `tail of a head\r\nX: y\r\n\r\n${next}`).pairs).toEqual([
      'undefined 200',
      'undefined 404',
    ])
  })

  test('within a head tell what came before', () => {
    const seen = withGap('HTTP/1.1 503 Busy\r\nServer: a\r\nCont', 20, `\r\n\r\n${next}`)
    expect(seen.messages[0]).toMatchObject({ status: 503, server: 'a' })
    expect(seen.pairs).toEqual(['undefined 503', 'undefined 404'])
  })

  test('over the end of a body: what is found again answers the last request', () => {
    const pairs: string[] = []
    const consumer = new HttpExchanges({
      httpExchange: (request, response) => pairs.push(`${request?.url} ${response?.status}`),
    })
    const push = (fromClient: boolean, text: string) =>
      consumer.push(fromClient, Buffer.from(text, 'latin1'), 0, text.length, WHERE)
    push(true, 'GET /1 HTTP/1.1\r\n\r\n')
    push(false, `${head}abc`)
    push(true, 'GET /2 HTTP/1.1\r\n\r\nGET /3 HTTP/1.1\r\n\r\n')
    consumer.gap(false, 150)
    push(false, next)
    consumer.end()
    expect(pairs).toEqual(['/1 200', '/2 undefined', '/3 404'])
  })

  test('before the first byte', () => {
    expect(withGap('', 10, `middle of something\r\n\r\n${next}`).pairs).toEqual(['undefined 404'])
  })
})

describe('hostile input', () => {
  test('a head without end costs 64 KiB and ends the reading', () => {
    const consumer = new HttpExchanges({})
    const line = Buffer.from(`X-Filler: ${'x'.repeat(1000)}\r\n`)
    consumer.push(true, Buffer.from('GET / HTTP/1.1\r\n'), 0, 16, WHERE)
    for (let i = 0; i < 70; i++) consumer.push(true, line, 0, line.length, WHERE)
    expect(consumer.done).toBe(true)
  })

  test.each(['G'.repeat(100_000), '\0\0\0', 'FFFFFFFFFFFFFFFFFF\r\n', '-1\r\n'])('garbage %#', (garbage) => {
    const seen = see([
      client('GET / HTTP/1.1\r\n\r\n'),
      server(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${garbage}`),
    ])
    expect(seen.pairs).toEqual(['GET / 200'])
  })

  test('random changes neither throw nor lose count of what is consumed', () => {
    let seed = 7
    const random = (below: number) => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
      return Math.floor((seed / 2 ** 32) * below)
    }
    const turns = [
      client('POST /1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nCONNECT a:1 HTTP/1.1\r\n\r\n'),
      server('HTTP/1.1 100 C\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\n\r\nrest'),
    ]
    for (let run = 0; run < 3000; run++) {
      const bent = turns.map((turn) => ({ ...turn, bytes: Uint8Array.from(turn.bytes) }))
      for (let change = 0; change <= run % 4; change++) {
        const { bytes } = bent[random(2)]!
        bytes[random(bytes.length)] = random(256)
      }
      const seen = see(bent, (turn) => [random(turn.bytes.length)])
      expect(seen.messages.length).toBeLessThan(8)
    }
  })
})

test('without a listener the waiting requests are taken all the same', () => {
  const consumer = new HttpExchanges({})
  const request = Buffer.from('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n')
  for (let count = 0; count < 5000; count++) consumer.push(true, request, 0, request.length, WHERE)
  consumer.gap(false, 150)
  const response = Buffer.from('HTTP/1.1 204 No Content\r\n\r\n')
  expect(consumer.push(false, response, 0, response.length, WHERE)).toBe(response.length)
  consumer.end()
})

test('texts of waiting requests are held up to a bound: the oldest are told, each once', () => {
  const told: (string | undefined)[] = []
  const consumer = new HttpExchanges({ httpExchange: (request) => told.push(request?.url) })
  const requests = Array.from({ length: 100 }, (_, index) => `GET ${`/${index}-`.padEnd(1000, 'x')} HTTP/1.1\r\n\r\n`)
  feed(consumer, [client(requests.join(''))], () => [])
  expect(told.length).toBeGreaterThan(30)
  expect(told.length).toBeLessThan(45)
  consumer.end()
  expect(told.map((url) => Number(url?.match(/\d+/)?.[0]))).toEqual(Array.from({ length: 100 }, (_, index) => index))
})
