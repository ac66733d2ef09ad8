// Opening the site once, at one address over one interface: TCP, TLS, one GET without any credential. The other side may say
// what it likes: time, headers and body have their bounds, and nothing it says is followed.
import { type IncomingMessage, request } from 'node:http'
import type { Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { VERSION } from '../daemon/version.ts'
import { OperatorError } from '../model/operator-error.ts'
import type { ProbeEnds } from '../model/own-probes.ts'
import type { RequestStage, SiteCertificate, SiteRequest } from '../model/site.ts'
import { type BoundSockets, scoped } from './bound-sockets.ts'
import { certificateOf } from './certificate.ts'
import { faultWords, silenceWords } from './fetch-faults.ts'
import type { Target } from './target.ts'

export interface FetchOptions {
  readonly target: Target
  readonly interfaceName: string
  readonly address: string
  /** For everything; half of it for the connection. */
  readonly timeoutMillis: number
  /** Certificates of CAs trusted beside the usual ones, PEM. */
  readonly ca?: readonly string[]
  readonly signal: AbortSignal
}

/** What the server said, as far as it is kept. */
export interface FetchAnswer {
  readonly status: number
  readonly server?: string
  readonly via?: string
  readonly cfRay?: string
  readonly proxyStatus?: string
  readonly xCache?: string
}

export interface FetchOutcome {
  readonly interfaceName: string
  readonly address: string
  readonly request: SiteRequest
  /** Absent when no socket could be opened. */
  readonly ends?: ProbeEnds
  readonly tls?: { version?: string; alpn?: string; certificate?: SiteCertificate }
  readonly answer?: FetchAnswer
}

/** Bytes of a body that are read: two hundred full segments, enough to see whether they pass. */
const MAX_BODY_LEN = 256 << 10
/** Bytes of all headers together. */
const MAX_HEADERS_LEN = 16 << 10
/** Characters kept of one. */
const MAX_HEADER_LEN = 200
/** Interim answers (RFC 9110 15.2) that are waited through. */
const MAX_INTERIM = 8

/** Never throws but for bugs and `bind-right`. */
export function fetchOver(sockets: BoundSockets, options: FetchOptions): Promise<FetchOutcome> {
  const { target, interfaceName, address, timeoutMillis, signal } = options
  const started = performance.now()
  const since = (from: number) => Math.round((performance.now() - from) * 100) / 100
  const base = { interfaceName, address }
  let opened: ReturnType<BoundSockets['openTcp']>
  try {
    opened = sockets.openTcp(interfaceName, address)
  } catch (error) {
    if (!(error instanceof OperatorError) || error.code === 'bind-right') throw error
    return Promise.resolve({ ...base, request: { stage: 'connect', fault: error.message, totalMs: 0, bodyLen: 0 } })
  }
  const { socket, ends } = opened
  return new Promise((resolve) => {
    const made: SiteRequest = { stage: 'connect', totalMs: 0, bodyLen: 0 }
    let tls: FetchOutcome['tls']
    let answer: FetchAnswer | undefined
    let isOver = false

    function finish(stage: RequestStage, fault?: string, code?: string): void {
      if (isOver) return
      isOver = true
      clearTimeout(connectTimer)
      clearTimeout(timer)
      signal.removeEventListener('abort', stopped)
      socket.destroy()
      made.stage = stage
      made.totalMs = since(started)
      if (fault !== undefined) made.fault = fault
      if (code !== undefined) made.code = code
      resolve({
        ...base,
        ends,
        request: made,
        ...(tls === undefined ? {} : { tls }),
        ...(answer === undefined ? {} : { answer }),
      })
    }
    const failed = (error: Error) => {
      const { code } = error as NodeJS.ErrnoException
      finish(made.stage, faultWords(error, made.stage), code)
    }
    const timedOut = () => finish(made.stage, silenceWords(made.stage, since(started)))
    const stopped = () => finish(made.stage, 'interrupted')
    const connectTimer = setTimeout(timedOut, timeoutMillis / 2)
    const timer = setTimeout(timedOut, timeoutMillis)
    signal.addEventListener('abort', stopped, { once: true })

    socket.on('error', failed)
    socket.setNoDelay(true)
    socket.connect({ port: target.port, host: scoped(address, interfaceName) }, () => {
      clearTimeout(connectTimer)
      made.connectMs = since(started)
      if (target.scheme === 'http') ask(socket)
      else secure(socket)
    })

    function secure(plain: Socket): void {
      made.stage = 'tls'
      const from = performance.now()
      const secured = connectTls({
        socket: plain,
        host: target.host,
        // The name of an address is not sent (RFC 6066 3).
        ...(target.addressFamily === undefined ? { servername: target.host } : {}),
        ALPNProtocols: ['http/1.1'],
        // Looked at and reported, so that what lies behind a wrong certificate is seen too; nothing of the person's is sent.
        rejectUnauthorized: false,
        ...(options.ca === undefined ? {} : { ca: [...options.ca] }),
      })
      secured.on('error', failed)
      secured.once('secureConnect', () => {
        made.tlsMs = since(from)
        tls = tlsOf(secured)
        ask(secured)
      })
    }

    function ask(over: Socket): void {
      made.stage = 'answer'
      const from = performance.now()
      let interim = 0
      const asked = request({
        method: 'GET',
        path: target.requestTarget,
        setHost: false,
        headers: {
          Host: target.hostHeader,
          'User-Agent': `tunnelscope/${VERSION} (check)`,
          Accept: '*/*',
          Connection: 'close',
        },
        maxHeaderSize: MAX_HEADERS_LEN,
        createConnection: () => over,
      })
      asked.on('error', failed)
      asked.on('information', () => {
        if (++interim > MAX_INTERIM) finish('answer', 'interim answers without end')
      })
      asked.on('upgrade', (head) => take(head, from))
      asked.on('response', (head) => {
        take(head, from)
        read(head)
      })
      asked.end()
    }

    function take(head: IncomingMessage, from: number): void {
      made.stage = 'body'
      made.firstByteMs = since(from)
      answer = answerOf(head)
      const location = textOf(head.headers.location)
      if (location !== undefined) made.location = location.replace(/[?#].*/s, '').replace(/\/\/[^/]*@/, '//')
      // Another protocol has no body for us.
      if (head.statusCode === 101) finish('done')
    }

    function read(head: IncomingMessage): void {
      head.on('data', (part: Buffer) => {
        if (isOver) return
        made.bodyLen += part.length
        if (made.bodyLen < MAX_BODY_LEN) return
        made.bodyLen = MAX_BODY_LEN
        made.bodyCut = true
        finish('done')
      })
      head.on('error', failed)
      head.on('end', () => finish('done'))
    }
  })
}

function tlsOf(socket: TLSSocket): NonNullable<FetchOutcome['tls']> {
  const version = socket.getProtocol()
  const certificate = certificateOf(socket)
  return {
    ...(version === null ? {} : { version: version.replace(/^TLSv/, 'TLS ').replace(/^(TLS \d)$/, '$1.0') }),
    ...(typeof socket.alpnProtocol === 'string' ? { alpn: socket.alpnProtocol } : {}),
    ...(certificate === undefined ? {} : { certificate }),
  }
}

function answerOf({ statusCode, headers }: IncomingMessage): FetchAnswer {
  const server = textOf(headers.server)
  const via = textOf(headers.via)
  const cfRay = textOf(headers['cf-ray'])
  const proxyStatus = textOf(headers['proxy-status'])
  const xCache = textOf(headers['x-cache'])
  return {
    status: statusCode ?? 0,
    ...(server === undefined ? {} : { server }),
    ...(via === undefined ? {} : { via }),
    ...(cfRay === undefined ? {} : { cfRay }),
    ...(proxyStatus === undefined ? {} : { proxyStatus }),
    ...(xCache === undefined ? {} : { xCache }),
  }
}

function textOf(value: string | string[] | undefined): string | undefined {
  return value === undefined ? undefined : [value].flat().join(', ').slice(0, MAX_HEADER_LEN)
}
