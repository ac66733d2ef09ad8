// A client whose machine is gone answers no ping; one that sends nothing but answers is left alone.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import WebSocket, { WebSocketServer } from 'ws'
import type { ServiceState } from '../../src/api/service-state.ts'
import { createStream, STREAM_LIMITS } from '../../src/api/stream.ts'

const emptyService: ServiceState = {
  version: 'test',
  started: '2026-01-02T03:04:05Z',
  reader: () => ({ storeId: () => 'a', forgottenSeq: () => 500, countFindings: () => 7, messages: () => [] }) as never,
  lastSeq: () => 1000,
  epoch: () => undefined,
  firstEpoch: () => 1,
  verdict: () => undefined,
  stats: () => undefined,
  store: () => ({ paused: false, waiting: 0, lost: 0, folded: 0 }),
  leaked: () => [],
  leaks: () => ({ leaks: [], forgotten: 0 }),
  interfaces: () => [],
  resolverTotals: () => [],
  interfaceTotals: () => [],
}

/** What each client was sent. */
const heard = new Map<WebSocket, string[]>()

async function withClients(
  use: (connect: (after?: number) => Promise<WebSocket>, stream: ReturnType<typeof createStream>) => Promise<void>,
) {
  const stream = createStream(emptyService, { ...STREAM_LIMITS, pingEveryMs: 50, resumeWaitMs: 10 })
  const server = createServer().listen(0, '127.0.0.1')
  const sockets = new WebSocketServer({ server })
  let after: number | undefined
  sockets.on('connection', (socket) => stream.add(socket, { filter: {}, after, batch: 1 }))
  await new Promise((resolve) => server.once('listening', resolve))
  const opened: WebSocket[] = []
  try {
    await use(async (from) => {
      after = from
      const socket = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
      opened.push(socket)
      heard.set(socket, [])
      socket.on('message', (data) => heard.get(socket)!.push(String(data)))
      await new Promise((resolve) => socket.once('open', resolve))
      return socket
    }, stream)
  } finally {
    for (const socket of opened) socket.terminate()
    stream.close()
    sockets.close()
    server.close()
  }
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

test('only the dead one is ended', async () => {
  await withClients(async (connect, stream) => {
    const living = await connect()
    const dead = await connect()
    dead.pause()
    await sleep(400)
    expect(stream.counters()).toMatchObject({ clients: 1, ended: 1 })
    expect(living.readyState).toBe(WebSocket.OPEN)
  })
})

test('what retention forgot is told as a gap without a count, but not to one that starts from nothing', async () => {
  await withClients(async (connect) => {
    const [fresh, away, recent] = [await connect(0), await connect(100), await connect(600)]
    await sleep(100)
    expect(heard.get(fresh)!.map((text) => JSON.parse(text).type)).toEqual(['hello'])
    expect(heard.get(recent)!.map((text) => JSON.parse(text).type)).toEqual(['hello'])
    expect(JSON.parse(heard.get(away)![0]!)).toMatchObject({ type: 'hello', missed: 7, seq: 1000 })
    expect(JSON.parse(heard.get(away)![1]!)).toEqual({
      type: 'gap',
      seq: 1000,
      from: 101,
      to: 500,
      count: null,
      reason: 'retention',
    })
  })
})
