// The page's stream: against a service that goes and comes back, and against a platform on which nothing happens by itself.
import WebSocket from 'ws'
import type { HelloMessage, ServerMessage } from '../../src/api/messages.ts'
import { openStream, SignedOut, type StreamPlatform } from '../../src/web/stream.ts'
import { makeStats } from '../support/findings.ts'
import { type RunningService, runService } from '../support/running-service.ts'
import { toldFinding } from './told.ts'

const HELLO = {
  type: 'hello',
  seq: 100,
  schema: 2,
  version: '1',
  store: 'a',
  started: '2026-01-02T03:04:05Z',
  epoch: null,
  verdict: null,
  stats: null,
  missed: 0,
}

/** Time and the network, moved by the test. */
function play(after = 100) {
  const answers: (unknown | Error)[] = []
  const sockets: { path: string; heard(data: unknown): void; closed(): void; isOpen: boolean }[] = []
  const asked: string[] = []
  const timers = new Map<() => void, number>()
  let now = 0
  const platform: StreamPlatform = {
    open(path, heard, closed) {
      const socket = { path, heard, closed, isOpen: true }
      sockets.push(socket)
      return () => {
        socket.isOpen = false
      }
    },
    async ask(path) {
      asked.push(path)
      const answer = answers.shift()
      if (answer instanceof Error) throw answer
      return answer ?? {}
    },
    later(millis, action) {
      timers.set(action, now + millis)
      return () => timers.delete(action)
    },
    now: () => now,
  }
  const told: string[] = []
  const messages: ServerMessage[] = []
  const stream = openStream(platform, after, {
    connected: (_, back) => told.push(back ? 'back' : 'connected'),
    message: (message) => messages.push(message),
    lost: () => told.push('lost'),
    replaced: () => told.push('replaced'),
    signedOut: () => told.push('signed out'),
  })
  const settle = async () => {
    for (let turn = 0; turn < 10; turn++) await Promise.resolve()
  }
  return {
    stream,
    told,
    messages,
    asked,
    answers,
    sockets,
    settle,
    say: (...frame: object[]) => sockets.at(-1)!.heard(JSON.stringify(frame.length === 1 ? frame[0] : frame)),
    async wait(millis: number) {
      const until = now + millis
      for (;;) {
        const [action, at] = [...timers].sort((left, right) => left[1] - right[1])[0] ?? []
        if (action === undefined || at! > until) break
        now = at!
        timers.delete(action)
        action()
        await settle()
      }
      now = until
    },
  }
}

const finding = (seq: number) => ({ type: 'finding', seq, number: seq, finding: toldFinding({ key: `k${seq}` }) })
const stats = { type: 'stats', seq: 100, stats: makeStats(), store: { paused: false, waiting: 0, lost: 0 } }
const seqs = (messages: readonly ServerMessage[]) => messages.map(({ seq }) => seq)

test('asks whether it may, then opens after the number it has', async () => {
  const { settle, asked, sockets, say, told, messages } = play(77)
  await settle()
  expect(asked).toEqual(['/api/v1/status'])
  expect(sockets.map(({ path }) => path)).toEqual(['/api/v1/stream?after=77&batch=50'])
  say(HELLO)
  say(finding(101), finding(102))
  expect(told).toEqual(['connected'])
  expect(seqs(messages)).toEqual([101, 102])
})

test('a connection that ends comes back after the last number, later and later while nobody answers', async () => {
  const { settle, answers, sockets, say, told, wait, asked } = play()
  await settle()
  say(HELLO)
  say(finding(140))
  answers.push(new Error('gone'), new Error('gone'), new Error('gone'))
  sockets[0]!.closed()
  expect(told).toEqual(['connected', 'lost'])
  await wait(250)
  await wait(500)
  expect(asked).toHaveLength(3)
  await wait(999)
  expect(asked).toHaveLength(3)
  await wait(1)
  expect(asked).toHaveLength(4)
  await wait(2000)
  expect(sockets.at(-1)!.path).toBe('/api/v1/stream?after=140&batch=50')
  say({ ...HELLO, seq: 150 })
  expect(told).toEqual(['connected', 'lost', 'back'])
  sockets[0]!.heard(JSON.stringify(finding(141)))
  expect(told).toHaveLength(3)
})

test('silence is a dead connection, figures are a sign of life', async () => {
  const { settle, sockets, say, told, wait } = play()
  await settle()
  say(HELLO)
  for (let second = 0; second < 60; second++) {
    await wait(1000)
    say(stats)
  }
  expect(told).toEqual(['connected'])
  await wait(20_000)
  expect(told).toEqual(['connected', 'lost'])
  expect(sockets[0]!.isOpen).toBe(false)
  expect(sockets).toHaveLength(2)
})

test('a socket that opens and says nothing is given up', async () => {
  const { settle, sockets, wait, told } = play()
  await settle()
  await wait(20_000)
  expect(sockets).toHaveLength(2)
  expect(told).toEqual([])
})

test('in a hurry it tries at once, but not twice', async () => {
  const { settle, sockets, say, stream, answers, asked } = play()
  await settle()
  say(HELLO)
  stream.hurry()
  expect(asked).toHaveLength(1)
  answers.push(new Error('gone'))
  sockets[0]!.closed()
  stream.hurry()
  stream.hurry()
  await settle()
  expect(asked).toHaveLength(2)
  stream.hurry()
  await settle()
  expect(sockets).toHaveLength(2)
})

test('what it was too slow for is fetched, page by page, and tried again after a failure', async () => {
  const { settle, say, answers, asked, messages, sockets, wait } = play()
  await settle()
  say(HELLO)
  const { type: _, ...page } = finding(111)
  const { type: __, ...rest } = finding(119)
  answers.push({ findings: [page], more: true }, new Error('busy'))
  say({ type: 'gap', seq: 130, from: 110, to: 120, count: 2, reason: 'slow' }, finding(121))
  await settle()
  expect(asked.slice(1)).toEqual([
    '/api/v1/findings?after=109&upTo=120&limit=500',
    '/api/v1/findings?after=111&upTo=120&limit=500',
  ])
  expect(seqs(messages)).toEqual([121, 111])
  sockets[0]!.closed()
  answers.push({}, { findings: [rest], more: false })
  await wait(250)
  say({ ...HELLO, seq: 130 })
  await settle()
  expect(asked.at(-1)).toBe('/api/v1/findings?after=111&upTo=120&limit=500')
  expect(seqs(messages)).toEqual([121, 111, 119])
  expect(sockets.at(-1)!.path).toContain('after=121')
})

test('what was forgotten is told on', async () => {
  const { settle, say, messages } = play()
  await settle()
  say(HELLO, { type: 'gap', seq: 100, from: 1, to: 9, count: null, reason: 'retention' })
  expect(messages).toMatchObject([{ type: 'gap' }])
})

test.each<[string, Partial<HelloMessage>]>([
  ['another store', { store: 'b' }],
  ['numbers that start over', { seq: 3 }],
])('%s ends it', async (_, changes) => {
  const { settle, say, sockets, told, wait } = play()
  await settle()
  say(HELLO)
  sockets[0]!.closed()
  await wait(250)
  say({ ...HELLO, ...changes }, finding(101))
  expect(told).toEqual(['connected', 'lost', 'replaced'])
  await wait(60_000)
  expect(sockets).toHaveLength(2)
})

test('a session that has ended ends it', async () => {
  const { settle, say, sockets, told, wait, answers } = play()
  await settle()
  say(HELLO)
  answers.push(new SignedOut())
  sockets[0]!.closed()
  await wait(60_000)
  expect(told).toEqual(['connected', 'lost', 'signed out'])
  expect(sockets).toHaveLength(1)
})

test('what is no JSON and what is of a later version does no harm', async () => {
  const { settle, say, sockets, messages } = play()
  await settle()
  say(HELLO)
  sockets[0]!.heard('{')
  sockets[0]!.heard(new ArrayBuffer(3))
  say({ type: 'of-a-later-version', seq: 1 })
  say(finding(101))
  expect(seqs(messages.filter(({ type }) => type === 'finding'))).toEqual([101])
})

describe('with a service', () => {
  let running: RunningService
  beforeEach(async () => {
    running = await runService()
  })
  afterEach(() => running.stop())

  const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

  /** Over the UNIX socket, where nobody has to sign in. */
  function platformOf(): StreamPlatform {
    return {
      open(path, heard, closed) {
        const socket = new WebSocket(`ws+unix:${running.socketPath}:${path}`)
        socket.on('message', (data) => heard(String(data)))
        socket.on('close', closed)
        socket.on('error', () => {})
        return () => socket.terminate()
      },
      async ask() {
        if (running.told.includes('gone')) throw new Error('gone')
        return {}
      },
      later(millis, action) {
        const timer = setTimeout(action, millis)
        return () => clearTimeout(timer)
      },
      now: () => performance.now(),
    }
  }

  test('nothing is lost and nothing comes twice, over cuts and restarts', async () => {
    const { makeFinding } = await import('../support/findings.ts')
    const received: number[] = []
    const keys = new Map<string, number>()
    const stream = openStream(platformOf(), running.service.state.lastSeq(), {
      connected() {},
      message(message) {
        if (message.type !== 'finding') return
        received.push(message.seq)
        keys.set(message.finding.key, message.finding.count)
      },
      lost() {},
      replaced: () => expect('replaced').toBe('never'),
      signedOut() {},
    })
    for (let round = 0; round < 4; round++) {
      for (let index = 0; index < 300; index++) {
        running.service.publish(makeFinding({ key: `r${round} n${index}`, count: 1 }))
        running.service.publish(makeFinding({ key: `r${round} n${index % 7}`, count: index + 2 }))
        if (index % 50 === 0) await sleep(2)
      }
      running.told.push('gone')
      await running.stop(true)
      running = await runService({}, running.folder)
    }
    const expected = running.service.state.reader().countFindings({})
    const end = Date.now() + 15_000
    while (keys.size < expected && Date.now() < end) await sleep(20)
    await sleep(100)
    stream.close()
    expect([keys.size, expected]).toEqual([1200, 1200])
    for (const { body } of running.service.state.reader().findings({ limit: 2000 })) {
      const { key, count } = JSON.parse(body) as { key: string; count: number }
      expect([key, keys.get(key)]).toEqual([key, count])
    }
    expect(received).toEqual([...new Set(received)].sort((left, right) => left - right))
  })
})
