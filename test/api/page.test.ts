// The page's files over HTTP: what is served, with which headers, and nothing besides; and the way in.
import { readFileSync } from 'node:fs'
import { type IncomingHttpHeaders, request } from 'node:http'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type RunningService, runService } from '../support/running-service.ts'

const SRC = fileURLToPath(new URL('../../src', import.meta.url))

let running: RunningService
let bearer: { Authorization: string }
beforeAll(async () => {
  running = await runService()
  bearer = { Authorization: `Bearer ${readFileSync(running.tokenPath, 'utf8').trim()}` }
})
afterAll(() => running.stop())

interface Answered {
  status: number
  headers: IncomingHttpHeaders
  body: string
}

function ask(path: string, headers: Record<string, string> = {}, method = 'GET', body = ''): Promise<Answered> {
  const { hostname, port } = new URL(running.url)
  return send({ host: hostname, port, path, method, headers }, body)
}

function askSocket(path: string, method = 'GET', socketPath = running.socketPath): Promise<Answered> {
  return send({ socketPath, path, method }, '')
}

function send(options: object, body: string): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const asked = request(options, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part) => {
        text += part
      })
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body: text }))
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

async function linked(): Promise<string[]> {
  const { body } = await ask('/')
  return [...body.matchAll(/ (?:href|src)="([^"]+)"/g)].map((match) => match[1]!).filter((path) => path !== '#findings')
}

test('every file that the page links is served without proof, with its type and the strict headers', async () => {
  const types: Record<string, string> = {
    css: 'text/css; charset=utf-8',
    js: 'text/javascript; charset=utf-8',
    svg: 'image/svg+xml',
  }
  const paths = ['/', ...new Set(await linked())]
  for (const path of paths) {
    const { status, headers, body } = await ask(path)
    const type = path === '/' ? 'text/html; charset=utf-8' : types[path.slice(path.lastIndexOf('.') + 1)]
    expect([path, status, headers['content-type']]).toEqual([path, 200, type])
    expect(body.length).toBeGreaterThan(0)
    expect(headers).toMatchObject({
      'cache-control': 'no-cache',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    })
    const policy = headers['content-security-policy']
    expect(policy).toContain(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'",
    )
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).toContain("require-trusted-types-for 'script'")
    expect(policy).not.toContain('unsafe')
  }
})

test('the page is light', async () => {
  let bytes = 0
  for (const path of ['/', ...new Set(await linked())]) bytes += Number((await ask(path)).headers['content-length'])
  expect(bytes).toBeLessThan(100_000)
})

test('the page has no script or style of its own, loads nothing from elsewhere, and says what to do without scripts', async () => {
  const { body } = await ask('/')
  expect(body).not.toMatch(/<script(?![^>]* src=)|<style| style=| on[a-z]+=|https?:/)
  expect(body).toMatch(/<noscript>.*tunnelscope tail.*<\/noscript>/)
  const { body: sheet } = await ask('/web/page.css')
  expect(sheet).not.toMatch(/url\(|@import/)
})

test('the page links exactly the modules that its scripts import', async () => {
  const needed = new Set<string>()
  const follow = (path: string): void => {
    if (needed.has(path)) return
    needed.add(path)
    const text = readFileSync(path, 'utf8')
    for (const [, target] of text.matchAll(/^(?:import|export)(?! type )[^']*? from '(\.[^']+)'/gm)) {
      follow(join(dirname(path), target!))
    }
  }
  follow(join(SRC, 'web/main.ts'))
  const modules = [...needed].map((path) => `/${relative(SRC, path).replace(/ts$/, 'js')}`)
  expect((await linked()).filter((path) => path.endsWith('.js')).sort()).toEqual(modules.sort())
})

test('what the browser has already is not sent again', async () => {
  const { headers } = await ask('/web/main.js')
  const again = await ask('/web/main.js', { 'If-None-Match': headers.etag! })
  expect([again.status, again.body]).toEqual([304, ''])
  expect((await ask('/web/page.css', { 'If-None-Match': headers.etag! })).status).toBe(200)
})

test.each([
  '/web/',
  '/web/index.html',
  '/web/main.ts',
  '/web/main.js.map',
  '/web/../api/server.js',
  '/web/%2e%2e/api/server.js',
  '/web//main.js',
  '//web/main.js',
  '/web/main.js/',
  '/api/server.js',
  '/text/table.js',
  '/package.json',
  '/favicon.ico',
])('%s is not there', async (path) => {
  expect((await ask(path)).status).toBe(401)
  expect((await ask(path, bearer)).status).toBe(404)
})

test.each([
  ['a foreign page', { Origin: 'https://evil.example' }, 'GET', 403],
  ['another host', { Host: 'evil.example' }, 'GET', 421],
  ['another method', {}, 'POST', 405],
])('the page for %s', async (_, headers, method, status) => {
  expect((await ask('/', headers as Record<string, string>, method)).status).toBe(status)
})

test('on the UNIX socket there is no page, but one line', async () => {
  const { status, body } = await askSocket('/')
  expect([status, body]).toEqual([
    404,
    'The dashboard is on the loopback address, when api.listen names one: run "tunnelscope dashboard".\n',
  ])
  expect((await askSocket('/web/main.js')).status).toBe(404)
})

describe('the way in', () => {
  const urlOf = ({ body }: Answered) => new URL((JSON.parse(body) as { url: string }).url)

  test('the socket and the token give an address with a code, a session and a stranger do not', async () => {
    const url = urlOf(await askSocket('/api/v1/browser-url', 'POST'))
    expect([url.origin, url.pathname]).toEqual([running.url, '/'])
    expect(url.hash).toMatch(/^#[0-9a-f]{64}$/)
    expect((await ask('/api/v1/browser-url', bearer, 'POST')).status).toBe(200)
    expect((await ask('/api/v1/browser-url', {}, 'POST')).status).toBe(401)
    const { headers } = await ask('/api/v1/session', {}, 'POST', url.hash.slice(1))
    const cookie = { Cookie: headers['set-cookie']![0]!.split(';')[0]! }
    expect((await ask('/api/v1/status', cookie)).status).toBe(200)
    expect((await ask('/api/v1/browser-url', cookie, 'POST')).status).toBe(401)
  })

  test('each address is good for one session', async () => {
    const code = urlOf(await askSocket('/api/v1/browser-url', 'POST')).hash.slice(1)
    expect((await ask('/api/v1/session', {}, 'POST', code)).status).toBe(204)
    expect((await ask('/api/v1/session', {}, 'POST', code)).status).toBe(401)
  })

  test('asking for it changes something, so it is a POST', async () => {
    const { status, headers } = await ask('/api/v1/browser-url', bearer)
    expect([status, headers.allow]).toEqual([405, 'POST'])
    expect((await ask('/api/v1/session')).headers.allow).toBe('POST')
    expect((await ask('/api/v1/status', bearer, 'POST')).headers.allow).toBe('GET')
  })

  test('without a loopback address there is none', async () => {
    const other = await runService({ loopback: undefined as never })
    try {
      expect((await askSocket('/api/v1/browser-url', 'POST', other.socketPath)).status).toBe(404)
    } finally {
      await other.stop()
    }
  })
})
