// Sites from the daemon to whoever asks: stored under the store's epochs, served in pages, compared by `compare --epochs`.
import { spawn } from 'node:child_process'
import type { ServiceClient } from '../../src/api/client.ts'
import { compiled } from '../support/compiled.ts'
import { makeEpoch, makeFinding, makeSite } from '../support/findings.ts'
import { type RunningService, runService } from '../support/running-service.ts'

let running: RunningService
let client: ServiceClient

beforeAll(async () => {
  running = await runService()
  const { createClient } = (await import(compiled('src/api/client.ts'))) as typeof import('../../src/api/client.ts')
  client = createClient({ socketPath: running.socketPath })
  await publish()
})
afterAll(() => running.stop())

const SEEN = { address: '198.51.100.81', responses: 1, unanswered: 0, server: 'edge', bodyLen: 20, frame: 7 }

function http(status: number) {
  return { http: { ...SEEN, status, source: 'eth0' } }
}

async function publish(): Promise<void> {
  const { service } = running
  const other = { tunnel: 'up' as const, endpoint: '203.0.113.10:51820', transport: 'WireGuard' }
  service.publishEpoch(makeEpoch({ tunnelUp: false, connected: false, tunnelInterfaces: [] }))
  service.publishEpoch(makeEpoch({ id: 2 }))
  service.publish(makeFinding({ id: 'mtu-outer-ptb', severity: 'warning', epoch: 2, summary: 'Told of epoch 2.' }))
  service.publishSites([
    makeSite({ ...http(200), addresses: [{ address: SEEN.address }] }),
    makeSite({ ...http(502), epoch: 2, network: other, outcome: 'fails', failures: 1 }),
    ...Array.from({ length: 2500 }, (_, index) => makeSite({ host: `n${index}.example`, epoch: 2, network: other })),
  ])
  while (service.state.store().waiting > 0) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** The command in a process of its own, while the service here answers. */
function compare(...flags: string[]): Promise<{ status: number | null; out: string; err: string }> {
  const argv = [compiled('src/cli/main.ts'), 'compare', '--socket', running.socketPath, ...flags]
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let err = ''
  child.stdout.on('data', (part) => {
    out += part
  })
  child.stderr.on('data', (part) => {
    err += part
  })
  return new Promise((resolve) => {
    child.on('close', (status) => resolve({ status, out, err }))
  })
}

test('all pages of one epoch; other fields choose', async () => {
  expect(await client.sites(2)).toHaveLength(2501)
  expect(await client.sites(1)).toMatchObject([{ host: 'www.example.com', epoch: 1, outcome: 'works' }])
})

test('compare --epochs: what the store keeps of two epochs, with what was found of them', async () => {
  const { status, out, err } = await compare('--epochs', '1', '2')
  expect([status, err]).toEqual([0, ''])
  expect(out).toContain('DIFFERS  www.example.com is different: gateway or origin.')
  expect(out).toContain('502 came from edge at 198.51.100.81 through the VPN (WireGuard 203.0.113.10:51820), and 200')
  expect(out).toContain('Told of epoch 2.')
})

test('compare --epochs without numbers lists them', async () => {
  const { status, out } = await compare('--epochs')
  expect(status).toBe(0)
  expect(out.split('\n').map((line) => line.slice(0, 40))).toEqual([
    'epoch 1  2026-01-02 03:04:05  no tunnel ',
    'epoch 2  2026-01-02 03:04:05  tunnel up:',
    '',
  ])
})

test.each([
  [['--epochs', '1'], 'two different numbers'],
  [['--epochs', '1', '1'], 'two different numbers'],
  [['--epochs', '1', '9'], 'no epoch 9'],
])('compare %j is the operator’s to mend', async (flags, words) => {
  const { status, err } = await compare(...flags)
  expect(status).toBe(2)
  expect(err).toContain(words)
})
