// `dashboard`: the address and nothing else on standard output, so that it can be piped to where it is wanted.
import { spawn } from 'node:child_process'
import { request } from 'node:http'
import { compiled } from '../support/compiled.ts'
import { type RunningService, runService } from '../support/running-service.ts'

function dashboard(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [compiled('src/cli/main.ts'), 'dashboard', ...args])
    const said = { out: '', err: '' }
    child.stdout.on('data', (part) => {
      said.out += part
    })
    child.stderr.on('data', (part) => {
      said.err += part
    })
    child.on('close', (code) => resolve({ code, ...said }))
  })
}

function openSession(running: RunningService, code: string): Promise<number> {
  const { hostname, port } = new URL(running.url)
  return new Promise((resolve, reject) => {
    const asked = request({ host: hostname, port, path: '/api/v1/session', method: 'POST' }, (response) => {
      resolve(response.statusCode!)
      response.resume()
    })
    asked.on('error', reject)
    asked.end(code)
  })
}

let running: RunningService
afterEach(() => running.stop())

test('by the socket and by the token: an address that opens a session', async () => {
  running = await runService()
  for (const way of [
    ['--socket', running.socketPath],
    ['--url', running.url, '--token-file', running.tokenPath],
  ]) {
    const { code, out, err } = await dashboard(...way)
    expect([code, err]).toEqual([0, ''])
    expect(out).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#[0-9a-f]{64}\n$/)
    expect(await openSession(running, new URL(out.trim()).hash.slice(1))).toBe(204)
  }
})

test('a daemon without a loopback address: what to set', async () => {
  running = await runService({ loopback: undefined as never })
  const { code, out, err } = await dashboard('--socket', running.socketPath)
  expect([code, out]).toEqual([2, ''])
  expect(err).toBe(
    'tunnelscope: The daemon serves no dashboard: set listen = "127.0.0.1:8477" below [api] in its configuration and restart it, or give daemon --listen 127.0.0.1:8477.\n',
  )
})
