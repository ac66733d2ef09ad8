// What a page asks for: the newest first, what left outside in this run, and with which epoch the verdict begins.
import { request } from 'node:http'
import type { ReportLeak } from '../../src/model/report.ts'
import { makeEpoch, makeFinding, makeSite } from '../support/findings.ts'
import { type RunningService, runService } from '../support/running-service.ts'

let running: RunningService
beforeEach(async () => {
  running = await runService()
})
afterEach(() => running.stop())

// biome-ignore lint/suspicious/noExplicitAny: the shape is what is tested
async function ask(path: string): Promise<{ status: number; answer: any }> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: running.socketPath, path: `/api/v1/${path}` }, (response) => {
      let body = ''
      response.on('data', (part) => {
        body += part
      })
      response.on('end', () => resolve({ status: response.statusCode!, answer: JSON.parse(body) }))
    })
    asked.on('error', reject)
    asked.end()
  })
}

async function stored(): Promise<void> {
  while (running.service.state.store().waiting > 0) await new Promise((done) => setTimeout(done, 5))
}

const LEAK: ReportLeak = {
  name: 'www.example.com',
  type: 'A',
  server: '192.0.2.53',
  port: 53,
  transport: 'udp',
  interface: 'eth0',
  count: 1,
  first: '2026-01-02T03:04:05.000000Z',
  last: '2026-01-02T03:04:05.000000Z',
  cause: 'outside-tunnel',
  epoch: 1,
}

test('findings newest first, page by page back to the oldest', async () => {
  const keys = Array.from({ length: 7 }, (_, index) => `k${index}`)
  for (const key of keys) running.service.publish(makeFinding({ key }))
  await stored()
  const seen: string[] = []
  for (let upTo = ''; ; ) {
    const { answer } = await ask(`findings?order=newest&limit=3${upTo}`)
    for (const { finding } of answer.findings) seen.push(finding.key)
    if (!answer.more) break
    upTo = `&upTo=${answer.findings.at(-1).seq - 1}`
  }
  expect(seen).toEqual(keys.reverse())
  expect((await ask('status')).answer).toMatchObject({ findings: 7, firstEpoch: 1 })
})

test('sites seen last first; there is no going on from one of them', async () => {
  const last = (second: number) => `2026-01-02T03:04:0${second}.000000Z`
  running.service.publishSites([
    makeSite({ host: 'a.example', epoch: 1, last: last(7) }),
    makeSite({ host: 'b.example', epoch: 2, last: last(9) }),
    makeSite({ host: 'c.example', epoch: 3, last: last(8) }),
  ])
  await stored()
  const { answer } = await ask('sites?order=newest&limit=2')
  expect(answer).toMatchObject({ sites: [{ host: 'b.example' }, { host: 'c.example' }], more: true })
  expect((await ask('sites?order=newest&after=1,a.example')).status).toBe(400)
  expect((await ask('sites?order=random')).status).toBe(400)
})

test('leaks: the same question replaces what was said of it, the last ones come first', async () => {
  expect((await ask('leaks')).answer).toMatchObject({ leaks: [], more: false, forgotten: 0 })
  const other = { ...LEAK, name: null, type: null, transport: 'doh' as const, port: 443 }
  running.service.publishLeaks([LEAK, other])
  running.service.publishLeaks([{ ...LEAK, count: 3 }])
  expect((await ask('leaks')).answer.leaks).toEqual([{ ...LEAK, count: 3 }, other])
  expect((await ask('leaks?limit=1')).answer).toMatchObject({ leaks: [{ count: 3 }], more: true })
  expect((await ask('leaks?limit=0')).status).toBe(400)
})

test('leaks beyond what is kept are counted', async () => {
  running.service.publishLeaks(Array.from({ length: 2003 }, (_, index) => ({ ...LEAK, name: `n${index}.example` })))
  const { answer } = await ask('leaks?limit=5000')
  expect([answer.leaks.length, answer.forgotten, answer.leaks.at(-1).name]).toEqual([2000, 3, 'n3.example'])
})

test('another run, or an analysis begun anew: its epochs go on, and its leaks are others', async () => {
  running.service.publishEpoch(makeEpoch({ id: 4 }))
  running.service.publishLeaks([LEAK])
  await stored()
  running.service.startEpochsAnew()
  expect((await ask('status')).answer.firstEpoch).toBe(5)
  expect((await ask('leaks')).answer.leaks).toEqual([])
  running.service.publishLeaks([LEAK])
  expect((await ask('leaks')).answer.leaks).toMatchObject([{ epoch: 5 }])

  await running.stop(true)
  running = await runService({}, running.folder)
  expect((await ask('verdict')).answer).toMatchObject({ firstEpoch: 5, verdict: null })
})

test('resolvers: as many as are asked for, of the latest epochs', async () => {
  const rollup = {
    port: 53,
    transport: 'udp',
    interface: 'eth0',
    side: 'outside',
    name: 'a.example',
    type: 1,
    queries: 1,
    answered: 1,
    failed: 0,
    firstMicros: 1,
    lastMicros: 2,
    latency: new Array(13).fill(0),
    latencyMicros: 0,
  } as const
  for (const epoch of [1, 2, 3]) running.service.publishDns({ ...rollup, epoch, server: `192.0.2.${epoch}` })
  await stored()
  const { answer } = await ask('resolvers?limit=2')
  expect(answer.resolvers.map(({ epoch }: { epoch: number }) => epoch)).toEqual([3, 2])
  expect((await ask('resolvers?limit=1001')).status).toBe(400)
})
