// The live stream: every client is a place in the numbering. It first gets what the store holds after its place, then
// what is stored from now on, out of a log of frames that all clients with the same wish share. A client's socket is
// given little ahead; who falls so far behind that the log has gone on is told exactly which numbers it was not sent,
// and they are still in the store.
import type { WebSocket } from 'ws'
import type { StoredMessage } from '../store/reader.ts'
import { clientMessageSchema, type GapMessage, MESSAGE_SCHEMA, type MessageFilter } from './messages.ts'
import type { ServiceState } from './service-state.ts'
import { frameText, messageText, storeFilter } from './stream-frames.ts'
import { createStreamGroups, type Group } from './stream-groups.ts'

export interface StreamLimits {
  /** Unsent bytes from which a client's socket is given no more. */
  readonly aheadBytes: number
  /** Bytes of frames kept for clients that are behind, all logs together. */
  readonly logBytes: number
  /** Messages a client may send a second. */
  readonly messagesPerSecond: number
  /** A client that answers no ping for two rounds is ended. */
  readonly pingEveryMs: number
  /** How long a new client may think about resuming before the stream starts. */
  readonly resumeWaitMs: number
}

export const STREAM_LIMITS: StreamLimits = Object.freeze({
  aheadBytes: 256 << 10,
  // Four seconds of 10,000 findings a second.
  logBytes: 32 << 20,
  messagesPerSecond: 20,
  pingEveryMs: 15_000,
  resumeWaitMs: 500,
})

/** Messages read from the store at a time: some 5 ms of work. */
const PAGE_MESSAGES = 500
/** Largest number of messages a client may ask for in one frame. */
export const MAX_FRAME_MESSAGES = 500
/** Gaps of one connection that a resume can still fill; older ones are left to `GET /api/v1/findings`. */
const MAX_MISSING_RANGES = 1000
/** How often a client whose socket is full is looked at. */
const DRAIN_CHECK_MS = 20

/** Made as bytes once, sent as text. */
const TEXT = Object.freeze({ binary: false })

/** WebSocket close codes, RFC 6455 7.4.1 and IANA's registry. */
const CLOSE_NOT_JSON = 1007
const CLOSE_POLICY = 1008
const CLOSE_RESTART = 1012

/** Numbers after < seq ≤ upTo. */
interface Range {
  after: number
  upTo: number
}

interface Client {
  readonly socket: WebSocket
  group: Group<Client>
  /** While live: the next frame of the log, and the messages before it. */
  position: number
  messagesBefore: number
  /** Everything up to here was sent, told as a gap, or lies in `missing`; a live client without waiting frames has more. */
  cursor: number
  /** Ranges not sent on this connection, ascending. */
  missing: Range[]
  /** Ranges asked for and not yet sent. */
  wanted: Range[]
  state: 'waiting' | 'catching-up' | 'live'
  /** What its socket calls when it has written. */
  readonly written: () => void
  answersPing: boolean
  budget: number
}

export interface StreamOptions {
  filter: MessageFilter
  /** Start after this number instead of waiting for a resume. */
  after: number | undefined
  batch: number
}

export interface Stream {
  /** Takes over an open WebSocket. */
  add(socket: WebSocket, options: StreamOptions): void
  /** Messages just stored, ascending. */
  publish(messages: readonly StoredMessage[]): void
  publishStats(): void
  counters(): StreamCounters
  /** Ends every client with "service restart"; they come back by themselves. */
  restart(): void
  close(): void
}

export interface StreamCounters {
  clients: number
  sent: number
  /** Messages not sent because a client did not read. */
  skipped: number
  gaps: number
  /** Clients ended because they were dead or too far behind. */
  ended: number
}

export function createStream(service: ServiceState, limits: StreamLimits): Stream {
  const clients = new Set<Client>()
  const groups = createStreamGroups<Client>(limits.logBytes, ({ state, position }) =>
    state === 'live' ? position : Number.POSITIVE_INFINITY,
  )
  const counters = { sent: 0, skipped: 0, gaps: 0, ended: 0 }
  const pingTimer = setInterval(pingAll, limits.pingEveryMs)
  const secondTimer = setInterval(() => {
    for (const client of clients) {
      client.budget = limits.messagesPerSecond
    }
    groups.release()
  }, 1000)

  function add(socket: WebSocket, options: StreamOptions): void {
    const start = service.lastSeq()
    // A number we never gave is another store's: such a client starts over.
    const after = options.after !== undefined && options.after > start ? 0 : options.after
    const client: Client = {
      socket,
      group: groups.groupOf(storeFilter(options.filter), options.batch),
      position: 0,
      messagesBefore: 0,
      cursor: after ?? start,
      missing: [{ after: 0, upTo: after ?? start }],
      wanted: [],
      state: 'waiting',
      written: () => sendWaiting(client),
      answersPing: true,
      budget: limits.messagesPerSecond,
    }
    clients.add(client)
    client.group.members.add(client)
    socket.on('close', () => forget(client))
    // ws itself answers what breaks the protocol (1002, 1007, 1009) and closes; there is nothing left to do.
    socket.on('error', () => {})
    socket.on('pong', () => {
      client.answersPing = true
    })
    socket.on('message', (data) => receive(client, String(data)))
    sendTexts(client, [helloText(client, after)])
    if (after !== undefined) {
      tellForgotten(client, after)
      void catchUp(client)
    } else {
      setTimeout(() => {
        if (client.state === 'waiting') void catchUp(client)
      }, limits.resumeWaitMs)
    }
  }

  function forget(client: Client): boolean {
    groups.leave(client, client.group)
    return clients.delete(client)
  }

  function helloText(client: Client, after: number | undefined): string {
    const missed =
      after === undefined
        ? 0
        : service.reader().countFindings({ ...client.group.filter, after, upTo: service.lastSeq() })
    return JSON.stringify({
      type: 'hello',
      seq: service.lastSeq(),
      schema: MESSAGE_SCHEMA,
      version: service.version,
      store: service.reader().storeId(),
      started: service.started,
      epoch: service.epoch() ?? null,
      verdict: service.verdict() ?? null,
      stats: service.stats() ?? null,
      missed,
      firstEpoch: service.firstEpoch(),
    })
  }

  function receive(client: Client, text: string): void {
    if (client.budget-- <= 0) {
      client.socket.close(CLOSE_POLICY, 'too many messages')
      return
    }
    let parsed: unknown
    try {
      parsed = JSON.parse(text)
    } catch {
      client.socket.close(CLOSE_NOT_JSON, 'not JSON')
      return
    }
    const message = clientMessageSchema.safeParse(parsed)
    if (!message.success) {
      client.socket.close(CLOSE_POLICY, 'unknown message')
      return
    }
    if (message.data.type === 'filter') {
      const { type: _, ...fields } = message.data
      const { group } = client
      noteCursor(client)
      groups.leave(client, group)
      client.group = groups.groupOf(storeFilter(fields), group.batch)
      client.group.members.add(client)
      if (client.state === 'live') void catchUp(client)
    } else resume(client, message.data.after)
  }

  /** What lies after the number and was not sent on this connection is wanted now. */
  function resume(client: Client, after: number): void {
    const start = after > service.lastSeq() ? 0 : after
    noteCursor(client)
    const left: Range[] = []
    for (const range of client.missing) {
      if (range.upTo > start) client.wanted.push({ after: Math.max(range.after, start), upTo: range.upTo })
      if (range.after < start) left.push({ after: range.after, upTo: Math.min(range.upTo, start) })
    }
    client.missing = left
    tellForgotten(client, start)
    if (client.state !== 'catching-up') void catchUp(client)
  }

  /** Sends what is wanted and then what was stored meanwhile, a page at a time, as fast as the client reads. */
  async function catchUp(client: Client): Promise<void> {
    client.state = 'catching-up'
    while (client.socket.readyState === client.socket.OPEN) {
      if (client.socket.bufferedAmount > limits.aheadBytes) {
        await new Promise((resolve) => setTimeout(resolve, DRAIN_CHECK_MS))
        continue
      }
      const range = client.wanted[0] ?? { after: client.cursor, upTo: service.lastSeq() }
      const page = service.reader().messages(range.after, range.upTo, client.group.filter, PAGE_MESSAGES)
      sendMessages(client, page)
      const reached = page.length === PAGE_MESSAGES ? page.at(-1)!.seq : range.upTo
      if (client.wanted.length > 0) {
        range.after = reached
        if (reached === range.upTo) client.wanted.shift()
      } else {
        client.cursor = reached
        if (reached === service.lastSeq()) {
          goLive(client)
          return
        }
      }
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** What is published from now on goes to the client out of the log. */
  function goLive(client: Client): void {
    const { log } = client.group
    client.state = 'live'
    client.position = log.end
    client.messagesBefore = log.messagesBefore(log.end)
  }

  /** Gives a live client's socket what it has not been given, little ahead of what it takes. */
  function sendWaiting(client: Client): void {
    const { socket, group } = client
    const { log } = group
    while (client.state === 'live' && client.position < log.end) {
      if (socket.readyState !== socket.OPEN || socket.bufferedAmount > limits.aheadBytes) return
      if (client.position < log.start) {
        tellGap(client)
        continue
      }
      const frame = log.at(client.position++)
      client.messagesBefore += frame.count
      client.cursor = frame.last
      counters.sent += frame.count
      socket.send(frame.bytes, TEXT, client.written)
    }
  }

  /** The log went on without the client: it is told what it was not sent. */
  function tellGap(client: Client): void {
    const { log } = client.group
    const count = log.messagesBefore(log.start) - client.messagesBefore
    const gap = { from: client.cursor + 1, to: log.goneTo, count, reason: 'slow' } as const
    client.position = log.start
    client.messagesBefore += count
    client.cursor = gap.to
    client.missing.push({ after: gap.from - 1, upTo: gap.to })
    if (client.missing.length > MAX_MISSING_RANGES) client.missing.shift()
    counters.gaps++
    counters.skipped += count
    sendTexts(client, [gapText(gap)])
  }

  /** The place of a live client up to which nothing is left to send, before it is used for asking the store. */
  function noteCursor(client: Client): void {
    const { log } = client.group
    if (client.state !== 'live') return
    if (client.position < log.start) tellGap(client)
    if (client.position === log.end) client.cursor = service.lastSeq()
  }

  function tellForgotten(client: Client, after: number): void {
    const to = service.reader().forgottenSeq()
    if (after === 0 || to <= after) return
    sendTexts(client, [gapText({ from: after + 1, to, count: null, reason: 'retention' })])
  }

  function gapText(gap: Pick<GapMessage, 'from' | 'to' | 'count' | 'reason'>): string {
    return JSON.stringify({ type: 'gap', seq: service.lastSeq(), ...gap })
  }

  function publishStats(): void {
    const { folded: _, ...store } = service.store()
    const text = JSON.stringify({ type: 'stats', seq: service.lastSeq(), stats: service.stats(), store })
    for (const client of clients) {
      if (client.state !== 'waiting' && client.socket.bufferedAmount <= limits.aheadBytes) sendTexts(client, [text])
    }
  }

  function sendMessages(client: Client, messages: readonly StoredMessage[]): void {
    sendTexts(client, messages.map(messageText))
  }

  function sendTexts(client: Client, texts: readonly string[]): void {
    const { batch } = client.group
    for (let at = 0; at < texts.length; at += batch) {
      client.socket.send(frameText(texts.slice(at, at + batch), batch), client.written)
    }
    counters.sent += texts.length
  }

  function end(client: Client): void {
    if (!forget(client)) return
    counters.ended++
    client.socket.terminate()
  }

  function pingAll(): void {
    for (const client of clients) {
      if (!client.answersPing) end(client)
      else {
        client.answersPing = false
        client.socket.ping()
      }
    }
  }

  function closeAll(): void {
    for (const client of clients) client.socket.close(CLOSE_RESTART, 'service restart')
    clients.clear()
    groups.clear()
  }

  return {
    add,
    publish: (messages) => groups.publish(messages, sendWaiting),
    publishStats,
    counters: () => ({ clients: clients.size, ...counters }),
    restart: closeAll,
    close() {
      clearInterval(pingTimer)
      clearInterval(secondTimer)
      closeAll()
    },
  }
}
