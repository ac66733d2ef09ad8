// HTTP/2 of the platform's own over TLS, many streams at once: what comes out with the key log is what was asked and answered.
import { once } from 'node:events'
import { connect as connectHttp2, createSecureServer } from 'node:http2'
import { connect } from 'node:tls'
import { createWire, identity } from '../../support/tls-recorder.ts'
import { conversation, play } from './play-packets.ts'

const STATUSES = [200, 502, 503, 504, 403, 429, 451, 204, 301]
const REQUESTS = 40

test('forty streams at once, with bodies of many frames', async () => {
  const turns: { fromClient: boolean; bytes: Uint8Array }[] = []
  let keyLog = ''
  const wire = createWire((fromClient, bytes) => turns.push({ fromClient, bytes }))
  const server = createSecureServer(identity('ec'), (request, response) => {
    const number = Number(request.url.slice(1))
    const status = STATUSES[number % STATUSES.length]!
    const headers = { server: `edge ${number}`, via: '2 gate', 'proxy-status': `edge; error=number_${number}` }
    response.writeHead(status, headers)
    response.end(status === 204 ? '' : 'b'.repeat(number * 1000))
  })
  server.on('keylog', (line: Buffer) => {
    keyLog += line.toString('latin1')
  })
  server.emit('connection', wire.server)
  const client = connectHttp2('https://www.example.com', {
    createConnection: () =>
      connect({ socket: wire.client, ALPNProtocols: ['h2'], servername: 'www.example.com', rejectUnauthorized: false }),
  })
  const answers = Array.from({ length: REQUESTS }, (_, number) => {
    const stream = client.request({
      ':authority': 'www.example.com',
      ':path': `/${number}`,
      'user-agent': `test ${number}`,
    })
    stream.resume()
    return once(stream, 'end')
  })
  await Promise.all(answers)
  client.close()
  await once(client, 'close')
  server.close()

  const { http, tls } = play(conversation(turns), { keyLog })
  expect(tls.find((fact) => fact.kind === 'encrypted-extensions')?.serverAlpn).toBe('h2')
  const words = http.map((fact) =>
    fact.kind === 'request'
      ? [fact.method, fact.host, fact.url, fact.userAgent, fact.partial].join(' ')
      : [fact.status, fact.server, fact.via, fact.proxyStatus, fact.bodyLen, fact.partial].join(' '),
  )
  const expected = Array.from({ length: REQUESTS }, (_, number) => {
    const status = STATUSES[number % STATUSES.length]!
    const bodyLen = status === 204 ? 0 : number * 1000
    return [
      `GET www.example.com /${number} test ${number} `,
      `${status} edge ${number} 2 gate edge; error=number_${number} ${bodyLen} `,
    ]
  })
  expect(words.sort()).toEqual(expected.flat().sort())
})
