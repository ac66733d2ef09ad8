// HTTP and WebSocket on a UNIX socket and, when asked for, on loopback: both the same routes, each with its own door.
import { chmodSync, chownSync, mkdirSync, readFileSync, statSync, unlinkSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { dirname } from 'node:path'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { OperatorError } from '../model/operator-error.ts'
import { systemErrorText } from '../text/system-error.ts'
import { type Access, createLoopbackAccess, createSocketAccess, type Proof } from './access.ts'
import { PAGE_POLICY, type PageFile, type PageFiles } from './page-files.ts'
import {
  type Answer,
  answerGet,
  BROWSER_URL_PATH,
  json,
  refusal,
  SESSION_PATH,
  STREAM_PATH,
  splitUrl,
  streamOptions,
} from './routes.ts'
import type { ServiceState } from './service-state.ts'
import type { Stream } from './stream.ts'

export interface ServerLimits {
  /** Clients of the stream at a time. */
  readonly streamClients: number
  /** Connections a door holds at a time. */
  readonly connections: number
  /** HTTP requests a second through one door, and how many at once after a pause. */
  readonly requestsPerSecond: number
  readonly requestBurst: number
  /** How long a client may take over its request's head, and over all of it. */
  readonly headersMs: number
  readonly requestMs: number
  /** Bytes of a request's head, of its body, of a WebSocket message. */
  readonly headBytes: number
  readonly bodyBytes: number
  readonly messageBytes: number
}

export const SERVER_LIMITS: ServerLimits = Object.freeze({
  streamClients: 128,
  connections: 256,
  requestsPerSecond: 50,
  requestBurst: 200,
  headersMs: 5_000,
  requestMs: 10_000,
  headBytes: 8 << 10,
  bodyBytes: 1 << 10,
  messageBytes: 16 << 10,
})

const CLOSE_WAIT_MS = 200
/** Linux has 108 bytes with the NUL, macOS 104. */
const MAX_SOCKET_PATH_LEN = process.platform === 'linux' ? 107 : 103

export interface Door {
  /** `http://127.0.0.1:8477` or the socket's path. */
  readonly address: string
  /** URL with a one-time code for a browser; on loopback only. */
  browserUrl(): string
  close(): Promise<void>
}

interface DoorOptions {
  readonly service: ServiceState
  readonly stream: Stream
  readonly limits: ServerLimits
  /** URL with a one-time code; undefined when nothing listens on loopback. */
  browserUrl(): string | undefined
}

/**
 * Opens the UNIX socket at `path`, mode 0660, owned by `group` where that exists. A socket left by a dead process is
 * replaced.
 * @throws OperatorError `socket-in-use`, `socket-unusable`
 */
export async function openSocketDoor(path: string, group: string, options: DoorOptions): Promise<Door> {
  // sun_path (unix(7)); more would silently be cut off.
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH_LEN) {
    const reason = `its path is longer than the ${MAX_SOCKET_PATH_LEN} bytes a UNIX socket can have`
    throw new OperatorError('socket-unusable', `The socket ${path} cannot be opened: ${reason}.`)
  }
  const { server, close } = createDoor(createSocketAccess(), new Map(), options)
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
    await removeStaleSocket(path)
    // Nobody may come in between bind and chmod.
    const umask = process.umask(0o177)
    const listening = listen(server, { path })
    process.umask(umask)
    await listening
    const groupId = groupIdOf(group)
    if (groupId !== undefined && process.getuid?.() === 0) chownSync(path, 0, groupId)
    chmodSync(path, 0o660)
  } catch (error) {
    server.close()
    if (error instanceof OperatorError) throw error
    throw new OperatorError('socket-unusable', `The socket ${path} cannot be opened: ${systemErrorText(error)}.`)
  }
  return { address: path, browserUrl: () => '', close }
}

/**
 * Opens `port` (0 = any free one) on a loopback address; every request needs `token` or a session, but for the page's files.
 * @throws OperatorError `address-not-loopback`, `port-unusable`
 */
export async function openLoopbackDoor(
  host: string,
  port: number,
  token: string,
  page: PageFiles,
  options: DoorOptions,
): Promise<Door> {
  if (host !== '127.0.0.1' && host !== '::1') {
    throw new OperatorError('address-not-loopback', `The API listens on 127.0.0.1 or ::1 only, not on ${host}.`)
  }
  const hosts: string[] = []
  const access = createLoopbackAccess(token, hosts, () => Date.now())
  const { server, close } = createDoor(access, page, options)
  try {
    await listen(server, { host, port })
  } catch (error) {
    throw new OperatorError(
      'port-unusable',
      `Port ${port} on ${host} cannot be opened: ${systemErrorText(error)}; choose another one to listen on.`,
    )
  }
  const bound = (server.address() as AddressInfo).port
  const name = host === '::1' ? '[::1]' : host
  hosts.push(`${name}:${bound}`, `localhost:${bound}`)
  const address = `http://${name}:${bound}`
  return {
    address,
    browserUrl: () => `${address}/#${access.oneTimeCode()}`,
    close,
  }
}

function createDoor(
  access: Access,
  page: PageFiles,
  { service, stream, limits, browserUrl }: DoorOptions,
): { server: Server; close(): Promise<void> } {
  const server = createServer({
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    connectionsCheckingInterval: Math.min(1000, limits.headersMs),
    maxHeaderSize: limits.headBytes,
    keepAliveTimeout: limits.requestMs,
  })
  server.maxConnections = limits.connections
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: limits.messageBytes })
  // Two budgets: whoever may not come in must not use up what the others need.
  const provenRate = createRate(limits.requestsPerSecond, limits.requestBurst)
  const strangerRate = createRate(limits.requestsPerSecond, limits.requestBurst)

  /** Status of the refusal; undefined when the request may pass. */
  function judge(request: IncomingMessage, proof: Proof): number | undefined {
    const refused = access.judge(request, proof)
    // The page's files need no proof, but who has one gets them while strangers knock.
    const isProven = access.judge(request, 'session') === undefined
    return (isProven ? provenRate() : strangerRate()) ? refused : 429
  }

  function proofFor(path: string): Proof {
    if (path === SESSION_PATH || path === '/' || page.has(path)) return 'none'
    return path === BROWSER_URL_PATH ? 'token' : 'session'
  }

  server.on('request', (request, response) => {
    void handle(request, response).catch(() => send(response, refusal(500)))
  })

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = request.url ?? '/'
    const { path } = splitUrl(url)
    const refused = judge(request, proofFor(path))
    if (refused !== undefined) return send(response, refusal(refused))
    if (path === SESSION_PATH) return send(response, ...(await openSession(request)))
    if (path === BROWSER_URL_PATH) return send(response, newBrowserUrl(request))
    if (request.method !== 'GET') return send(response, refusal(405))
    const file = page.get(path)
    if (file !== undefined) return sendFile(request, response, file)
    send(response, answerGet(url, service, stream))
  }

  function newBrowserUrl(request: IncomingMessage): Answer {
    if (request.method !== 'POST') return refusal(405, 'POST')
    const url = browserUrl()
    return url === undefined ? refusal(404) : json({ url })
  }

  async function openSession(request: IncomingMessage): Promise<[Answer, Record<string, string>?]> {
    if (request.method !== 'POST') return [refusal(405, 'POST')]
    const body = await readBody(request, limits.bodyBytes)
    if (body === undefined) return [refusal(413)]
    const cookie = access.openSession(body.trim())
    if (cookie === undefined) return [refusal(401)]
    return [{ status: 204, contentType: 'text/plain', body: '' }, { 'Set-Cookie': cookie }]
  }

  server.on('upgrade', (request, socket, head) => {
    const url = request.url ?? '/'
    const refused = judge(request, 'session')
    if (refused !== undefined) return refuseUpgrade(socket, refused)
    if (splitUrl(url).path !== STREAM_PATH) return refuseUpgrade(socket, 404)
    const options = streamOptions(url)
    if (options === undefined) return refuseUpgrade(socket, 400)
    if (stream.counters().clients >= limits.streamClients) return refuseUpgrade(socket, 503)
    sockets.handleUpgrade(request, socket, head, (client) => stream.add(client, options))
  })

  function close(): Promise<void> {
    return new Promise((resolve) => {
      server.close(() => resolve())
      // Answers and close frames on their way get a moment.
      setTimeout(() => {
        server.closeAllConnections()
        for (const client of sockets.clients) client.terminate()
      }, CLOSE_WAIT_MS)
    })
  }
  return { server, close }
}

/** Token bucket: false when a request comes too soon. */
function createRate(perSecond: number, burst: number): () => boolean {
  let tokens = burst
  let last = performance.now()
  return () => {
    const now = performance.now()
    tokens = Math.min(burst, tokens + ((now - last) / 1000) * perSecond)
    last = now
    if (tokens < 1) return false
    tokens--
    return true
  }
}

const FIXED_HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
}

function headersOf(answer: Answer): Record<string, string | number> {
  return {
    ...FIXED_HEADERS,
    'Content-Type': answer.contentType,
    'Content-Length': Buffer.byteLength(answer.body),
    ...(answer.status === 401 && { 'WWW-Authenticate': 'Bearer' }),
    ...(answer.status === 405 && { Allow: answer.allow ?? 'GET' }),
    ...(answer.status === 429 && { 'Retry-After': '1' }),
  }
}

function send(response: ServerResponse, answer: Answer, headers: Record<string, string> = {}): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  // A refused request's body is not read, so its connection cannot be used again.
  const connection = answer.status >= 400 ? { Connection: 'close' } : {}
  response.writeHead(answer.status, { ...headersOf(answer), ...headers, ...connection })
  response.end(answer.body)
}

/** A file of the page: what the browser has already is not sent again, but it asks every time. */
function sendFile(request: IncomingMessage, response: ServerResponse, { contentType, bytes, tag }: PageFile): void {
  const headers = { ...FIXED_HEADERS, 'Content-Security-Policy': PAGE_POLICY, 'Cache-Control': 'no-cache', ETag: tag }
  if (request.headers['if-none-match'] === tag) {
    response.writeHead(304, headers).end()
    return
  }
  response.writeHead(200, { ...headers, 'Content-Type': contentType, 'Content-Length': bytes.length }).end(bytes)
}

function refuseUpgrade(socket: Duplex, status: number): void {
  const answer = refusal(status)
  const headers = Object.entries({ ...headersOf(answer), Connection: 'close' })
  const head = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  socket.on('error', () => socket.destroy())
  // No timeout of the server's holds any more: who is refused and does not hang up would keep a connection for ever.
  socket.end(`HTTP/1.1 ${status} Refused\r\n${head}\r\n${answer.body}`, () => socket.destroy())
}

/** The body as text; undefined when it is longer than `limit` bytes, whose rest is not read. */
function readBody(request: IncomingMessage, limit: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = []
    let length = 0
    request.on('data', (part: Buffer) => {
      length += part.length
      if (length <= limit) parts.push(part)
      else {
        request.pause()
        resolve(undefined)
      }
    })
    request.on('end', () => resolve(Buffer.concat(parts).toString('utf8')))
    request.on('error', reject)
  })
}

function listen(server: Server, where: { path: string } | { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(where, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/** A socket nobody answers at is what a killed process left; one that answers is a running service. */
async function removeStaleSocket(path: string): Promise<void> {
  const status = statSync(path, { throwIfNoEntry: false })
  if (status === undefined) return
  if (!status.isSocket()) throw new OperatorError('socket-unusable', `${path} is in the way: it is not a socket.`)
  const answers = await new Promise<boolean>((resolve) => {
    const probe = connect(path)
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', () => resolve(false))
  })
  if (answers) {
    throw new OperatorError(
      'socket-in-use',
      `Another tunnelscope is already serving ${path}: end that one, or name another place with --socket.`,
    )
  }
  unlinkSync(path)
}

/** Group id by name; Node has no getgrnam. */
function groupIdOf(name: string): number | undefined {
  try {
    const line = readFileSync('/etc/group', 'utf8')
      .split('\n')
      .find((entry) => entry.startsWith(`${name}:`))
    const id = Number(line?.split(':')[2])
    return Number.isInteger(id) ? id : undefined
  } catch {
    return undefined
  }
}
