// The typed client of the service, published as `tunnelscope/client` and used by our own commands: questions over HTTP,
// and a stream that comes back by itself, goes on where it was, and fetches what it was too slow for.
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import WebSocket from 'ws'
import { OperatorError } from '../model/operator-error.ts'
import type { SiteObservation } from '../model/site.ts'
import { systemErrorText } from '../text/system-error.ts'
import {
  type FindingsAnswer,
  findingsAnswerSchema,
  type HelloMessage,
  type MessageFilter,
  type ServerMessage,
  serverMessageSchema,
} from './messages.ts'

export type {
  FindingMessage,
  FindingsAnswer,
  GapMessage,
  HelloMessage,
  MessageFilter,
  ServerMessage,
} from './messages.ts'

/** Where the service is: its UNIX socket, or its loopback address with the token (or the file that holds it). */
export type ServiceAddress =
  | { readonly socketPath: string }
  | { readonly url: string; readonly token: string }
  | { readonly url: string; readonly tokenPath: string }

export interface FindingsQuestion extends MessageFilter {
  readonly epoch?: number | undefined
  /** ISO 8601. */
  readonly since?: string | undefined
  readonly until?: string | undefined
  readonly after?: number | undefined
  readonly upTo?: number | undefined
  readonly limit?: number | undefined
}

export interface StreamHandlers {
  /** Every message in the order of arrival; what a gap held follows as ordinary finding messages. */
  message(message: ServerMessage): void
  /** A connection stands. `back` is false for the first one. */
  connected?(hello: HelloMessage, back: boolean): void
  /** The connection is gone or could not be made; the client tries again. `everConnected` as it says. */
  lost?(reason: string, everConnected: boolean): void
  /** The service works with another store than before: numbers start over, and everything in it follows. */
  storeReplaced?(): void
  /** It makes no sense to try again. */
  failed(error: OperatorError): void
}

export interface StreamQuestion {
  readonly filter?: MessageFilter
  /** Everything after this number first; absent: only what comes from now on. */
  readonly after?: number
}

export interface StreamHandle {
  /** Highest number seen: where a later stream can go on. */
  lastSeq(): number
  close(): void
}

export interface ServiceClient {
  /** @throws OperatorError `no-service`, `no-permission`, `refused` */
  findings(question: FindingsQuestion): Promise<FindingsAnswer>
  /** All that is kept of the sites of one epoch, by name. */
  sites(epoch: number): Promise<SiteObservation[]>
  /**
   * The dashboard's address with a code in it that works once, within five minutes.
   * @throws OperatorError as above, `no-dashboard` when the service has no loopback address
   */
  browserUrl(): Promise<string>
  /** The JSON of `GET /api/v1/<name>`: status, verdict, epochs, resolvers, sites, interfaces. */
  get(name: string): Promise<unknown>
  stream(question: StreamQuestion, handlers: StreamHandlers): StreamHandle
}

/** Messages a frame may hold: fewer, larger frames are what makes a busy stream cheap. */
const FRAME_MESSAGES = 50
const MAX_FRAME_LEN = 64 << 20
const FIRST_RETRY_MS = 100
const MAX_RETRY_MS = 2_000
/** The service pings every 15 s; after this silence the connection is taken for dead. */
const SILENCE_MS = 45_000
/** Tries, and the pause between them, when the service says that requests come too fast. */
const MAX_BUSY_ATTEMPTS = 10
const BUSY_WAIT_MS = 1_000
const GAP_RETRY_MS = 1_000
const ANSWER_MS = 10_000
const PAGE_FINDINGS = 1000

/** @throws OperatorError when the token file cannot be read */
export function createClient(address: ServiceAddress): ServiceClient {
  const headers = authorization(address)

  /** The answer's body; when the service is busy, once it is not. */
  async function getText(path: string): Promise<string> {
    for (let attempt = 1; ; attempt++) {
      const { status, body } = await askOnce('GET', path)
      if (status === 200) return body
      if (status !== 429 || attempt === MAX_BUSY_ATTEMPTS) throw refused(status)
      await new Promise((resolve) => setTimeout(resolve, BUSY_WAIT_MS))
    }
  }

  function askOnce(method: 'GET' | 'POST', path: string): Promise<{ status: number; body: string }> {
    const where = 'socketPath' in address ? { socketPath: address.socketPath } : urlParts(address.url)
    return new Promise((resolve, reject) => {
      const asked = request({ ...where, method, path, headers, timeout: ANSWER_MS }, (response) => {
        const parts: Buffer[] = []
        response.on('data', (part: Buffer) => parts.push(part))
        response.on('error', reject)
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts).toString('utf8') })
        })
      })
      asked.on('timeout', () => asked.destroy(new Error('no answer in time')))
      asked.on('error', (error) => reject(unreachable(address, error)))
      asked.end()
    })
  }

  async function findings(question: FindingsQuestion): Promise<FindingsAnswer> {
    const text = await getText(`/api/v1/findings${queryText({ ...question })}`)
    return findingsAnswerSchema.parse(JSON.parse(text))
  }

  async function browserUrl(): Promise<string> {
    const { status, body } = await askOnce('POST', '/api/v1/browser-url')
    if (status === 200) return (JSON.parse(body) as { url: string }).url
    if (status !== 404) throw refused(status)
    throw new OperatorError(
      'no-dashboard',
      'The daemon serves no dashboard: set listen = "127.0.0.1:8477" below [api] in its configuration and restart it, or give daemon --listen 127.0.0.1:8477.',
    )
  }

  async function sites(epoch: number): Promise<SiteObservation[]> {
    const all: SiteObservation[] = []
    for (let after: string | undefined; ; ) {
      const text = await getText(`/api/v1/sites${queryText({ epoch, after })}`)
      const answer = JSON.parse(text) as { sites: SiteObservation[]; more: boolean }
      all.push(...answer.sites)
      const last = answer.sites.at(-1)
      if (!answer.more || last === undefined) return all
      after = `${epoch},${last.host}`
    }
  }

  return {
    findings,
    sites,
    browserUrl,
    get: async (name) => JSON.parse(await getText(`/api/v1/${encodeURIComponent(name)}`)) as unknown,
    stream: (question, handlers) => openStream(address, headers, findings, question, handlers),
  }
}

function openStream(
  address: ServiceAddress,
  headers: Record<string, string>,
  findings: (question: FindingsQuestion) => Promise<FindingsAnswer>,
  { filter = {}, after }: StreamQuestion,
  handlers: StreamHandlers,
): StreamHandle {
  let seq = after
  let store: string | undefined
  let socket: WebSocket | undefined
  let closed = false
  let retryMs = FIRST_RETRY_MS
  let timer: NodeJS.Timeout | undefined
  /** Gaps not yet fetched; kept over reconnections. */
  const gaps: { from: number; to: number }[] = []
  let fetching = false
  let gapTimer: NodeJS.Timeout | undefined

  function connect(): void {
    const path = `/api/v1/stream${queryText({ ...filter, after: seq, batch: FRAME_MESSAGES })}`
    const url = 'socketPath' in address ? `ws+unix:${address.socketPath}:${path}` : `ws${address.url.slice(4)}${path}`
    const opened = new WebSocket(url, {
      headers,
      handshakeTimeout: ANSWER_MS,
      maxPayload: MAX_FRAME_LEN,
      perMessageDeflate: false,
    })
    socket = opened
    let reason = 'the connection ended'
    const listen = () => {
      clearTimeout(timer)
      timer = setTimeout(() => opened.terminate(), SILENCE_MS)
    }
    opened.on('open', listen)
    opened.on('ping', listen)
    opened.on('message', (data) => {
      listen()
      for (const message of parseFrame(String(data))) receive(message)
    })
    opened.on('unexpected-response', (_, response) => {
      const status = response.statusCode ?? 0
      reason = `the service answered ${status}`
      // Too many clients or requests pass; anything else is for the person to mend.
      if (status !== 503 && status !== 429) fail(refused(status))
      response.destroy()
      opened.terminate()
    })
    opened.on('error', (error) => {
      reason = error.message
      if ((error as NodeJS.ErrnoException).code === 'EACCES') fail(unreachable(address, error))
    })
    opened.on('close', () => {
      clearTimeout(timer)
      if (closed) return
      handlers.lost?.(reason, store !== undefined)
      timer = setTimeout(connect, retryMs)
      retryMs = Math.min(retryMs * 2, MAX_RETRY_MS)
    })
  }

  function receive(message: ServerMessage): void {
    if (closed) return
    if (message.type === 'hello') greet(message)
    handlers.message(message)
    if (message.type === 'finding' || message.type === 'verdict' || message.type === 'epoch') {
      seq = Math.max(seq ?? 0, message.seq)
    } else if (message.type === 'gap' && message.reason === 'slow') {
      gaps.push({ from: message.from, to: message.to })
      void fetchGaps()
    }
  }

  function greet(hello: HelloMessage): void {
    const back = store !== undefined
    retryMs = FIRST_RETRY_MS
    handlers.connected?.(hello, back)
    if (back && hello.store !== store) {
      handlers.storeReplaced?.()
      gaps.length = 0
      seq = 0
      // The stream was opened after the old store's number; whatever the new one holds is asked for too.
      socket?.send('{"type":"resume","after":0}')
    } else if (seq === undefined) {
      seq = hello.seq
      socket?.send(`{"type":"resume","after":${seq}}`)
    }
    store = hello.store
    void fetchGaps()
  }

  /** What we were too slow for is in the store; it is fetched a page at a time. */
  async function fetchGaps(): Promise<void> {
    if (fetching) return
    fetching = true
    clearTimeout(gapTimer)
    try {
      while (gaps.length > 0 && !closed) {
        const gap = gaps[0]!
        const page = await findings({ ...filter, after: gap.from - 1, upTo: gap.to, limit: PAGE_FINDINGS })
        for (const { seq: at, number, finding } of page.findings) {
          handlers.message({ type: 'finding', seq: at, number, finding })
        }
        if (page.more) gap.from = page.findings.at(-1)!.seq + 1
        else gaps.shift()
      }
    } catch {
      // Not reachable or too busy now; a new connection tries too.
      gapTimer = setTimeout(fetchGaps, GAP_RETRY_MS)
    }
    fetching = false
  }

  function fail(error: OperatorError): void {
    if (closed) return
    close()
    handlers.failed(error)
  }

  function close(): void {
    closed = true
    clearTimeout(timer)
    clearTimeout(gapTimer)
    socket?.terminate()
  }

  connect()
  return { lastSeq: () => seq ?? 0, close }
}

/** The messages of a frame; what this version does not know is left out. */
function parseFrame(text: string): ServerMessage[] {
  let frame: unknown
  try {
    frame = JSON.parse(text)
  } catch {
    return []
  }
  const messages: ServerMessage[] = []
  for (const item of Array.isArray(frame) ? frame : [frame]) {
    const parsed = serverMessageSchema.safeParse(item)
    if (parsed.success) messages.push(parsed.data)
  }
  return messages
}

function queryText(fields: Record<string, unknown>): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) query.set(name, Array.isArray(value) ? value.join(',') : String(value))
  }
  return query.size === 0 ? '' : `?${query}`
}

function urlParts(url: string): { host: string; port: number } {
  const { hostname, port } = new URL(url)
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || 80 }
}

function authorization(address: ServiceAddress): Record<string, string> {
  if ('socketPath' in address) return {}
  if ('token' in address) return { Authorization: `Bearer ${address.token}` }
  try {
    return { Authorization: `Bearer ${readFileSync(address.tokenPath, 'utf8').trim()}` }
  } catch (error) {
    throw new OperatorError('no-token', `The token cannot be read: ${systemErrorText(error)}.`)
  }
}

function unreachable(address: ServiceAddress, error: NodeJS.ErrnoException): OperatorError {
  const place = 'socketPath' in address ? address.socketPath : address.url
  if (error.code === 'EACCES') {
    return new OperatorError(
      'no-permission',
      `${place} may not be opened by this user: run as root, or join the group tunnelscope.`,
    )
  }
  return new OperatorError(
    'no-service',
    `Nothing answers at ${place} (${error.code ?? error.message}): start it with "sudo tunnelscope daemon".`,
  )
}

function refused(status: number): OperatorError {
  if (status === 401)
    return new OperatorError('refused', 'The service refused the token: use the one in its token file.')
  return new OperatorError('refused', `The service refused the request with status ${status}.`)
}
