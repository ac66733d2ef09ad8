import { readFileSync, statSync } from 'node:fs'
import { type IncomingHttpHeaders, request } from 'node:http'
import { connect } from 'node:net'
import WebSocket from 'ws'
import { makeFinding } from '../support/findings.ts'
import { type RunningService, runService } from '../support/running-service.ts'

let running: RunningService
let token: string
let host: string

const SECRET = 'secret-name.example'

beforeAll(async () => {
  running = await runService()
  token = readFileSync(running.tokenPath, 'utf8').trim()
  host = running.url.slice('http://'.length)
  running.service.publish(makeFinding({ summary: SECRET }))
})
afterAll(() => running.stop())

interface Answered {
  status: number
  headers: IncomingHttpHeaders
  body: string
}

function ask(path: string, headers: Record<string, string>, method = 'GET', body = ''): Promise<Answered> {
  const [name, port] = host.split(':')
  return new Promise((resolve, reject) => {
    const asked = request({ host: name, port, path, method, headers }, (response) => {
      let text = ''
      response.on('data', (part) => {
        text += part
      })
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body: text }))
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

/** Bytes sent as they are; everything that comes back until the other side ends. */
function raw(bytes: string, end = false): Promise<string> {
  const [name, port] = host.split(':')
  return new Promise((resolve) => {
    let text = ''
    const socket = connect(Number(port), name!)
    socket.on('data', (part) => {
      text += part
    })
    socket.on('close', () => resolve(text))
    socket.on('error', () => {})
    socket.write(bytes)
    if (end) socket.end()
  })
}

const bearer = () => ({ Authorization: `Bearer ${token}` })

describe('HTTP on loopback', () => {
  test('with the token everything is answered', async () => {
    for (const name of [
      'status',
      'verdict',
      'epochs',
      'findings',
      'resolvers',
      'dns',
      'statistics',
      'sites',
      'leak-service',
      'interfaces',
    ]) {
      const { status, body } = await ask(`/api/v1/${name}`, bearer())
      expect([name, status]).toEqual([name, 200])
      expect(JSON.parse(body).seq).toEqual(expect.any(Number))
    }
    const metrics = await ask('/metrics', bearer())
    expect(metrics.status).toBe(200)
    expect(metrics.body).toMatch(/^tunnelscope_build_info\{version="9\.9\.9"\} 1$/m)
    for (const line of metrics.body.trimEnd().split('\n')) {
      expect(line).toMatch(/^(# (HELP|TYPE) tunnelscope_\w+ .+|tunnelscope_\w+(\{\w+="[^"]*"\})? [\d.e+]+)$/)
    }
  })

  test.each<[string, string, () => Record<string, string>, string, string, number]>([
    ['no token', '/api/v1/findings', () => ({}), 'GET', '', 401],
    ['a wrong token', '/api/v1/findings', () => ({ Authorization: `Bearer ${'0'.repeat(64)}` }), 'GET', '', 401],
    ['a token of another scheme', '/api/v1/findings', () => ({ Authorization: `Basic ${token}` }), 'GET', '', 401],
    [
      'a made-up session',
      '/api/v1/status',
      () => ({ Cookie: `tunnelscope_session=${'a'.repeat(64)}` }),
      'GET',
      '',
      401,
    ],
    ['metrics without a token', '/metrics', () => ({}), 'GET', '', 401],
    ['an unknown path without a token', '/etc/passwd', () => ({}), 'GET', '', 401],
    ['a foreign Origin', '/api/v1/findings', () => ({ ...bearer(), Origin: 'https://evil.example' }), 'GET', '', 403],
    ['Origin null', '/api/v1/findings', () => ({ ...bearer(), Origin: 'null' }), 'GET', '', 403],
    ['a rebinding Host', '/api/v1/findings', () => ({ ...bearer(), Host: 'evil.example' }), 'GET', '', 421],
    [
      'our address with a foreign port',
      '/api/v1/findings',
      () => ({ ...bearer(), Host: '127.0.0.1:1' }),
      'GET',
      '',
      421,
    ],
    ['path traversal', '/api/v1/../../etc/passwd', bearer, 'GET', '', 404],
    ['encoded path traversal', '/api/v1/%2e%2e/%2e%2e/etc/passwd', bearer, 'GET', '', 404],
    ['a name of Object.prototype', '/constructor', bearer, 'GET', '', 404],
    ['a query that is not understood', '/api/v1/findings?limit=many', bearer, 'GET', '', 400],
    ['an unknown field', '/api/v1/findings?order=seq', bearer, 'GET', '', 400],
    ['a field twice', '/api/v1/findings?limit=1&limit=2', bearer, 'GET', '', 400],
    ['a limit beyond ours', '/api/v1/findings?limit=100000', bearer, 'GET', '', 400],
    ['another method', '/api/v1/findings', bearer, 'DELETE', '', 405],
    ['a wrong one-time code', '/api/v1/session', () => ({}), 'POST', 'f'.repeat(64), 401],
    ['an oversized body', '/api/v1/session', () => ({}), 'POST', 'x'.repeat(5000), 413],
  ])('%s', async (_, path, headers, method, body, status) => {
    const answered = await ask(path, headers(), method, body)
    expect(answered.status).toBe(status)
    expect(answered.body).toMatch(/^\{"error":"[a-z ]+"\}\n$/)
    expect(answered.body).not.toContain(SECRET)
    expect(answered.headers['x-powered-by']).toBeUndefined()
    expect(answered.headers.server).toBeUndefined()
  })

  test('a one-time code opens one session, whose cookie pages cannot read or carry elsewhere', async () => {
    const url = new URL(running.service.browserUrl()!)
    const code = url.hash.slice(1)
    const opened = await ask('/api/v1/session', { Origin: running.url }, 'POST', code)
    expect(opened.status).toBe(204)
    const cookie = opened.headers['set-cookie']![0]!
    expect(cookie).toMatch(/^tunnelscope_session=[0-9a-f]{108}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d+$/)
    const session = { Cookie: cookie.split(';')[0]! }
    expect((await ask('/api/v1/findings', session)).status).toBe(200)
    expect((await ask('/api/v1/findings', { ...session, Origin: 'https://evil.example' })).status).toBe(403)
    expect((await ask('/api/v1/session', {}, 'POST', code)).status).toBe(401)
  })

  test('a head that is too large, a head that never ends, and no HTTP at all', async () => {
    expect(await raw(`GET / HTTP/1.1\r\nHost: ${host}\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`)).toMatch(/^HTTP\/1.1 431 /)
    expect(await raw('\x16\x03\x01\x02\x00\x01')).toMatch(/^HTTP\/1.1 400 /)
    expect(await raw('GET / HTTP/1.1\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /)
    const start = Date.now()
    expect(await raw(`GET / HTTP/1.1\r\nHost: ${host}\r\n`)).toMatch(/^HTTP\/1.1 408 /)
    expect(Date.now() - start).toBeLessThan(8000)
  })

  test('too many requests', async () => {
    const statuses: number[] = []
    // A busy machine asks so slowly that the budget grows meanwhile.
    while (!statuses.includes(429) && statuses.length < 2000) {
      const asked = Array.from({ length: 200 }, () => ask('/', {}).then((one) => one.status))
      statuses.push(...(await Promise.all(asked)))
    }
    expect(statuses).toContain(429)
    await new Promise((resolve) => setTimeout(resolve, 2500))
    expect((await ask('/api/v1/status', bearer())).status).toBe(200)
  })
})

function openSocket(path: string, headers: Record<string, string> = {}): Promise<WebSocket> {
  const socket = new WebSocket(`ws+unix:${running.socketPath}:${path}`, { headers })
  return new Promise((resolve, reject) => {
    socket.on('open', () => resolve(socket))
    socket.on('unexpected-response', (_, response) => reject(new Error(`status ${response.statusCode}`)))
    socket.on('error', reject)
  })
}

function closeCode(socket: WebSocket): Promise<number> {
  return new Promise((resolve) => socket.on('close', (code) => resolve(code)))
}

describe('WebSocket', () => {
  test.each<[string, string, () => Record<string, string>, number]>([
    ['no token', '/api/v1/stream', () => ({}), 401],
    ['a foreign Origin', '/api/v1/stream', () => ({ ...bearer(), Origin: 'https://evil.example' }), 403],
    ['a rebinding Host', '/api/v1/stream', () => ({ ...bearer(), Host: 'evil.example' }), 421],
    ['another path', '/api/v1/findings', bearer, 404],
    ['a filter that is not understood', '/api/v1/stream?severity=bad', bearer, 400],
  ])('%s', async (_, path, headers, status) => {
    const socket = new WebSocket(`ws://${host}${path}`, { headers: headers() })
    const answered = await new Promise<number>((resolve) => {
      socket.on('unexpected-response', (__, response) => resolve(response.statusCode!))
      socket.on('error', () => {})
    })
    socket.terminate()
    expect(answered).toBe(status)
  })

  test('whoever is refused cannot hold the connection', async () => {
    const [name, port] = host.split(':')
    // One that does not hang up in its turn.
    const socket = connect({ host: name!, port: Number(port), allowHalfOpen: true })
    const ended = new Promise((resolve) => socket.on('end', resolve))
    socket.resume()
    socket.write(`GET /api/v1/stream HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`)
    await ended
    // To write where nobody is any more is answered with a reset, not to write to somebody who waits.
    const reset = new Promise((resolve) => socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code)))
    const writing = setInterval(() => socket.write('x'), 50)
    const outcome = await Promise.race([reset, new Promise((resolve) => setTimeout(resolve, 2000, 'held'))])
    clearInterval(writing)
    socket.destroy()
    expect(outcome).toMatch(/^(ECONNRESET|EPIPE)$/)
  })

  test.each([
    ['no JSON', '{"type":', 1007],
    ['an unknown type', '{"type":"shutdown"}', 1008],
    ['no object', '[]', 1008],
    ['an unknown field', '{"type":"resume","after":1,"path":"/etc"}', 1008],
    ['a number that is none', '{"type":"resume","after":-1}', 1008],
    ['an oversized message', `{"type":"filter","site":"${'x'.repeat(20_000)}"}`, 1009],
  ])('%s', async (_, message, code) => {
    const socket = await openSocket('/api/v1/stream')
    const closed = closeCode(socket)
    socket.send(message)
    expect(await closed).toBe(code)
  })

  test('too many messages', async () => {
    const socket = await openSocket('/api/v1/stream')
    const closed = closeCode(socket)
    for (let index = 0; index < 30; index++) socket.send('{"type":"resume","after":1}')
    expect(await closed).toBe(1008)
  })

  test('too many clients', async () => {
    const sockets: WebSocket[] = []
    let refusedWith = ''
    for (let index = 0; index < 140 && refusedWith === ''; index++) {
      try {
        sockets.push(await openSocket('/api/v1/stream'))
      } catch (error) {
        refusedWith = (error as Error).message
      }
    }
    expect([sockets.length, refusedWith]).toEqual([128, 'status 503'])
    for (const socket of sockets) socket.terminate()
  })

  test('a page of a browser has no business on the UNIX socket', async () => {
    await expect(openSocket('/api/v1/stream', { Origin: 'http://localhost' })).rejects.toThrow('status 403')
  })

  test('the socket is 0660, the token 0600', () => {
    expect(statSync(running.socketPath).mode & 0o777).toBe(0o660)
    expect(statSync(running.tokenPath).mode & 0o777).toBe(0o600)
  })
})
