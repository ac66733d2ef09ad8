import { mkdirSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import WebSocket from 'ws'
import { createClient, type ServerMessage } from '../../src/api/client.ts'
import { serverMessageSchema } from '../../src/api/messages.ts'
import type { StreamLimits } from '../../src/api/stream.ts'
import { makeEpoch, makeFinding, makeStats, makeVerdict } from '../support/findings.ts'
import { type RunningService, runService } from '../support/running-service.ts'

let running: RunningService
beforeEach(async () => {
  running = await runService()
})

afterEach(() => running.stop())

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

async function until(condition: () => boolean, what: string, ms = 10_000): Promise<void> {
  const end = Date.now() + ms
  while (!condition()) {
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`)
    await sleep(5)
  }
}

/** Another service than usual for this test. */
async function restartWith(streamLimits: Partial<StreamLimits>): Promise<void> {
  await running.stop()
  running = await runService({ streamLimits })
}

/** A plain WebSocket client: what an integrator would write. */
async function connect(query = '', socketPath = running.socketPath) {
  const socket = new WebSocket(`ws+unix:${socketPath}:/api/v1/stream${query}`)
  const frames: unknown[] = []
  const received: ServerMessage[] = []
  socket.on('message', (data) => {
    const frame = JSON.parse(String(data)) as ServerMessage | ServerMessage[]
    frames.push(frame)
    received.push(...[frame].flat())
  })
  await new Promise((resolve, reject) => {
    socket.on('open', resolve)
    socket.on('error', reject)
  })
  const messages = () => received
  return {
    socket,
    frames,
    messages,
    findings: () => messages().flatMap((message) => (message.type === 'finding' ? [message] : [])),
    keys: () => messages().flatMap((message) => (message.type === 'finding' ? [message.finding.key] : [])),
    say: (message: object) => socket.send(JSON.stringify(message)),
  }
}

function publish(...keys: string[]): void {
  for (const key of keys) running.service.publish(makeFinding({ key }))
}

async function stored(count: number): Promise<void> {
  await until(() => running.service.state.reader().countFindings({}) >= count, `${count} findings stored`)
  await until(() => running.service.state.store().waiting === 0, 'queue empty')
}

describe('the stream', () => {
  test('hello, then one object a frame, each as the schema has it', async () => {
    running.service.publishEpoch(makeEpoch())
    running.service.publishVerdict(makeVerdict())
    running.service.publishStats(makeStats())
    await until(() => running.service.state.reader().verdict() !== undefined, 'verdict stored')
    const client = await connect()
    client.say({ type: 'resume', after: running.service.state.lastSeq() })
    await sleep(50)
    publish('a')
    running.service.publishEpoch(makeEpoch({ tunnelUp: false }))
    running.service.publishVerdict(makeVerdict({ complete: false, reasons: ['3 packets were dropped'] }))
    await until(() => client.frames.length >= 4, 'four messages')
    running.service.publishStats(makeStats({ dropped: 3 }))
    await until(() => client.frames.length === 5, 'five messages')

    const messages = client.frames.map((frame) => serverMessageSchema.parse(frame))
    expect(messages.map((message) => message.type)).toEqual(['hello', 'finding', 'epoch', 'verdict', 'stats'])
    const { seq } = messages[0]!
    expect(messages[0]).toMatchObject({
      version: '9.9.9',
      schema: 2,
      firstEpoch: 1,
      missed: 0,
      epoch: makeEpoch(),
      verdict: makeVerdict(),
    })
    expect(messages[1]).toMatchObject({ seq: seq + 1, finding: makeFinding({ key: 'a' }) })
    expect(messages[2]).toMatchObject({ seq: seq + 2, epoch: { tunnelUp: false } })
    expect(messages[3]).toMatchObject({ seq: seq + 3, verdict: { complete: false } })
    expect(messages[4]).toMatchObject({
      seq: seq + 3,
      stats: { dropped: 3 },
      store: { paused: false, waiting: 0, lost: 0 },
    })
    client.socket.terminate()
  })

  test('a client that says nothing goes live by itself, and nothing of the meantime is lost', async () => {
    publish('before')
    await stored(1)
    const client = await connect()
    publish('a', 'b')
    await until(() => client.keys().length === 2, 'two findings')
    expect(client.keys()).toEqual(['a', 'b'])
    client.socket.terminate()
  })

  test('resume: everything after N from the store, then live; nothing lost, nothing twice, in order', async () => {
    publish(...Array.from({ length: 1300 }, (_, index) => `old ${index}`))
    await stored(1300)
    const after = running.service.state.reader().findings({ limit: 300 }).at(-1)!.seq
    const client = await connect('?batch=50')
    client.say({ type: 'resume', after })
    for (let index = 0; index < 400; index++) {
      publish(`new ${index}`)
      if (index % 20 === 0) await sleep(1)
    }
    await until(() => client.keys().includes('new 399'), 'the last one')
    await sleep(50)
    const expected = [
      ...Array.from({ length: 1000 }, (_, index) => `old ${index + 300}`),
      ...Array.from({ length: 400 }, (_, index) => `new ${index}`),
    ]
    expect(client.keys()).toEqual(expected)
    const seqs = client.findings().map((message) => message.seq)
    expect(seqs).toEqual([...seqs].sort((left, right) => left - right))
    client.socket.terminate()
  })

  test('a second resume on the same connection brings only what it has not been sent', async () => {
    publish('a', 'b')
    await stored(2)
    const first = running.service.state.reader().findings({ limit: 1 })[0]!.seq
    const client = await connect()
    client.say({ type: 'resume', after: first })
    await until(() => client.keys().length === 1, 'b')
    publish('c')
    await until(() => client.keys().length === 2, 'c')
    client.say({ type: 'resume', after: 0 })
    await until(() => client.keys().length === 3, 'a')
    publish('d')
    await until(() => client.keys().length === 4, 'd')
    await sleep(50)
    expect(client.keys()).toEqual(['b', 'c', 'a', 'd'])
    client.socket.terminate()
  })

  test('a number this store never gave means another store: everything is sent', async () => {
    publish('a')
    await stored(1)
    const client = await connect(`?after=${Number.MAX_SAFE_INTEGER}`)
    await until(() => client.keys().length === 1, 'a')
    expect(client.keys()).toEqual(['a'])
    client.socket.terminate()
  })

  test('an epoch or a verdict said again unchanged is no news', async () => {
    const client = await connect('?after=0')
    for (const dns of ['ok', 'ok', 'leak', 'leak'] as const) {
      running.service.publishEpoch(makeEpoch())
      running.service.publishVerdict(makeVerdict({ dns }))
      await sleep(50)
    }
    publish('end')
    await until(() => client.keys().includes('end'), 'end')
    expect(client.messages().map((message) => message.type)).toEqual([
      'hello',
      'epoch',
      'verdict',
      'verdict',
      'finding',
    ])
    client.socket.terminate()
  })

  test('filters, from the URL and changed later', async () => {
    const client = await connect('?severity=warning&interface=eth0,wlan0&after=0')
    const publishAll = () => {
      running.service.publish(makeFinding({ key: 'info', severity: 'info' }))
      running.service.publish(makeFinding({ key: 'tunnel', interface: 'wg0' }))
      running.service.publish(makeFinding({ key: 'other site', data: { host: 'other.example' } }))
      running.service.publish(makeFinding({ key: 'alert', id: 'tls-alert', severity: 'warning' }))
    }
    publishAll()
    await until(() => client.keys().includes('alert'), 'alert')
    expect(client.keys()).toEqual(['other site', 'alert'])
    client.say({ type: 'filter', site: 'EXAMPLE.com', id: ['dns-leak'] })
    await sleep(50)
    publishAll()
    await until(() => client.keys().includes('tunnel'), 'tunnel')
    await sleep(50)
    expect(client.keys()).toEqual(['other site', 'alert', 'info', 'tunnel'])
    // From the store the filter is the same.
    const again = await connect('?severity=warning&interface=eth0,wlan0&after=0')
    await until(() => again.keys().includes('alert'), 'alert')
    expect(again.keys()).toEqual(['other site', 'alert'])
    client.socket.terminate()
    again.socket.terminate()
  })

  test('a client that does not read is told exactly what it was not sent, and can have it', async () => {
    await restartWith({ logBytes: 1 << 20 })
    const client = await connect('?after=0')
    await until(() => client.frames.length > 0, 'hello')
    client.socket.pause()
    const filler = 'x'.repeat(2000)
    const count = 2000
    for (let index = 0; index < count; index++) {
      running.service.publish(makeFinding({ key: `${index}`, summary: filler }))
      if (index % 100 === 0) await sleep(2)
    }
    await stored(count)
    client.socket.resume()
    await until(() => client.messages().some((message) => message.type === 'gap'), 'gap')
    running.service.publish(makeFinding({ key: 'last' }))
    await until(() => client.keys().includes('last'), 'last')
    const gap = client.messages().find((message) => message.type === 'gap')!
    if (gap.type !== 'gap') throw new Error('no gap')
    expect(gap.reason).toBe('slow')
    const missing = Array.from({ length: count }, (_, index) => `${index}`).filter(
      (key) => !client.keys().includes(key),
    )
    expect(missing.length).toBeGreaterThan(100)
    expect(gap.count).toBe(missing.length)
    expect(gap.to - gap.from + 1).toBe(missing.length)

    const before = client.keys().length
    client.say({ type: 'resume', after: gap.from - 1 })
    await until(() => client.keys().length === count + 1, 'the gap filled')
    await sleep(100)
    expect(client.keys().slice(before)).toEqual(missing)
    expect(new Set(client.keys()).size).toBe(client.keys().length)
    client.socket.terminate()
  })

  test('one that pauses and is not too far behind loses nothing, also when it changes its mind meanwhile', async () => {
    const [quiet, picky] = [await connect('?after=0&batch=50'), await connect('?after=0&batch=50')]
    await until(() => quiet.frames.length > 0 && picky.frames.length > 0, 'hello')
    quiet.socket.pause()
    picky.socket.pause()
    const count = 2000
    const summary = 'x'.repeat(2000)
    for (let index = 0; index < count; index++) {
      running.service.publish(makeFinding({ key: `${index}`, summary, severity: index % 2 === 0 ? 'info' : 'warning' }))
      if (index % 100 === 0) await sleep(2)
    }
    await stored(count)
    expect(running.service.state.lastSeq()).toBeGreaterThan(count)
    picky.say({ type: 'filter', severity: 'warning' })
    await sleep(50)
    quiet.socket.resume()
    picky.socket.resume()
    await until(() => quiet.keys().length >= count, 'all')
    running.service.publish(makeFinding({ key: 'last' }))
    await until(() => picky.keys().includes('last') && quiet.keys().includes('last'), 'last')
    const all = Array.from({ length: count }, (_, index) => `${index}`)
    expect(quiet.keys()).toEqual([...all, 'last'])
    expect(quiet.messages().some((message) => message.type === 'gap')).toBe(false)
    // What was under way before the wish came is still of the old kind; all of the new kind is there, once.
    expect(picky.keys().filter((key) => Number(key) % 2 === 1)).toEqual(all.filter((key) => Number(key) % 2 === 1))
    expect(new Set(picky.keys()).size).toBe(picky.keys().length)
    expect(picky.keys().length).toBeLessThan(count)
    for (const { socket } of [quiet, picky]) socket.terminate()
  })
})

describe('our own client', () => {
  function follow(after?: number) {
    const messages: ServerMessage[] = []
    const events: string[] = []
    const handle = createClient({ socketPath: running.socketPath }).stream(after === undefined ? {} : { after }, {
      message: (message) => messages.push(message),
      connected: (_, back) => events.push(back ? 'back' : 'connected'),
      lost: () => events.push('lost'),
      storeReplaced: () => events.push('replaced'),
      failed: (error) => events.push(error.code),
    })
    const keys = () => messages.flatMap((message) => (message.type === 'finding' ? [message.finding.key] : []))
    return { handle, messages, events, keys }
  }

  test('a restart of the service costs nothing and is told', async () => {
    const client = follow(0)
    publish('a')
    await until(() => client.keys().includes('a'), 'a')
    const { folder } = running
    await running.stop(true)
    await until(() => client.events.includes('lost'), 'lost')
    running = await runService({}, folder)
    publish('b')
    await until(() => client.keys().includes('b'), 'b')
    expect(client.keys()).toEqual(['a', 'b'])
    expect([client.events.at(0), client.events.at(-1)]).toEqual(['connected', 'back'])
    // Epochs of the new run go on where the old one's ended.
    running.service.publishEpoch(makeEpoch())
    await until(() => running.service.state.reader().lastEpoch() === 1, 'epoch 1')
    client.handle.close()
  })

  test('another store in the same place: everything in it, from its beginning', async () => {
    const client = follow(0)
    publish('a')
    await until(() => client.keys().includes('a'), 'a')
    const { socketPath } = running
    await running.stop()
    running = await runService({ socketPath })
    publish('b')
    await until(() => client.keys().includes('b'), 'b')
    expect(client.keys()).toEqual(['a', 'b'])
    expect(client.events).toContain('replaced')
    client.handle.close()
  })

  test('what a gap held is fetched by itself, once', async () => {
    await restartWith({ logBytes: 1 << 20 })
    const client = follow(0)
    await until(() => client.messages.length > 0, 'hello')
    // The event loop stands still as a busy reader's would: the service sees a socket that is full.
    const filler = 'x'.repeat(4000)
    const count = 3000
    for (let index = 0; index < count; index++)
      running.service.publish(makeFinding({ key: `${index}`, summary: filler }))
    await until(() => client.keys().length >= count, 'all', 30_000)
    await sleep(200)
    expect(client.keys().length).toBe(count)
    expect(new Set(client.keys()).size).toBe(count)
    client.handle.close()
  })

  test('findings by question, in pages', async () => {
    publish('a', 'b', 'c')
    await stored(3)
    const client = createClient({ socketPath: running.socketPath })
    const first = await client.findings({ limit: 2 })
    expect([first.findings.map(({ finding }) => finding.key), first.more]).toEqual([['a', 'b'], true])
    const rest = await client.findings({ after: first.findings.at(-1)!.seq, since: '2026-01-01T00:00:00Z' })
    expect([rest.findings.map(({ finding }) => finding.key), rest.more]).toEqual([['c'], false])
    expect((await client.findings({ since: '2026-02-01T00:00:00Z' })).findings).toEqual([])
  })

  test('over loopback with the token, and refused without', async () => {
    const good = createClient({ url: running.url, tokenPath: running.tokenPath })
    expect(await good.get('verdict')).toMatchObject({ verdict: null })
    const bad = createClient({ url: running.url, token: 'wrong' })
    await expect(bad.get('verdict')).rejects.toMatchObject({ code: 'refused' })
    const failed = await new Promise<string>((resolve) => {
      bad.stream({}, { message: () => {}, failed: (error) => resolve(error.code) })
    })
    expect(failed).toBe('refused')
  })

  test('no service: a helpful sentence', async () => {
    const client = createClient({ socketPath: `${running.folder}/none.sock` })
    await expect(client.get('status')).rejects.toMatchObject({ code: 'no-service' })
  })
})

describe('the doors', () => {
  test('a socket left by a killed service is taken over; one in use is not', async () => {
    const storePath = `${running.folder}/other.db`
    await expect(runService({ storePath }, running.folder)).rejects.toMatchObject({ code: 'socket-in-use' })
    expect(await createClient({ socketPath: running.socketPath }).get('verdict')).toBeDefined()
  })

  test('a second service on the same store, with a socket of its own, is refused', async () => {
    const socketPath = `${running.folder}/a.sock`
    await expect(runService({ socketPath }, running.folder)).rejects.toMatchObject({ code: 'store-in-use' })
    expect(await createClient({ socketPath: running.socketPath }).get('verdict')).toBeDefined()
  })

  test('a path that no socket can have is refused, and not cut off', async () => {
    const socketPath = `${running.folder}/${'a'.repeat(100)}`
    const storePath = `${running.folder}/long.db`
    await expect(runService({ storePath, socketPath })).rejects.toThrow('is longer than the')
  })

  test('nothing listens on another address', async () => {
    const loopback = { host: '0.0.0.0', port: 0, tokenPath: running.tokenPath }
    await expect(runService({ loopback, socketPath: `${running.folder}/b.sock` })).rejects.toMatchObject({
      code: 'address-not-loopback',
    })
  })

  test('a port in use is the operator’s to mend', async () => {
    const blocker: Server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => blocker.once('listening', resolve))
    const { port } = blocker.address() as { port: number }
    mkdirSync(`${running.folder}/other`)
    const loopback = { host: '127.0.0.1', port, tokenPath: running.tokenPath }
    await expect(runService({ loopback, socketPath: `${running.folder}/c.sock` })).rejects.toMatchObject({
      code: 'port-unusable',
    })
    blocker.close()
  })
})
