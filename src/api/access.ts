// Who may ask: on the UNIX socket the file's mode decides; on loopback every request proves itself by bearer token or
// session cookie, and Host and Origin are checked against rebinding and foreign pages.
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { dirname } from 'node:path'
import { OperatorError } from '../model/operator-error.ts'
import { systemErrorText } from '../text/system-error.ts'

export const SESSION_COOKIE = 'tunnelscope_session'
/** A working day; a browser left open overnight asks for a new one. */
const SESSION_MS = 12 * 3600_000
/** Long enough to paste a URL. */
const ONE_TIME_CODE_MS = 5 * 60_000
/** Codes that wait for their browser, of one person. */
const MAX_CODES = 64
const MIN_TOKEN_LEN = 32
/** A session in hexadecimal: its last moment in milliseconds, what makes it unlike any other, and the token's seal on both. */
const SESSION_TIME_LEN = 12
const SESSION_NONCE_BYTES = 16
const SESSION_HEAD_LEN = SESSION_TIME_LEN + 2 * SESSION_NONCE_BYTES
const SESSION_LEN = SESSION_HEAD_LEN + 64

/** Why a request is refused; undefined = it may pass. */
export type Refusal = 401 | 403 | 421 | undefined

/**
 * What a request has to show. `none`: what a browser must load before it can prove anything. `token`: what gives access to
 * others, for which a browser's session is not enough.
 */
export type Proof = 'none' | 'session' | 'token'

export interface Access {
  judge(request: IncomingMessage, proof: Proof): Refusal
  /** Exchanges a one-time code for a Set-Cookie value; undefined when the code is wrong, old or used. */
  openSession(code: string): string | undefined
  /** A code for the fragment of a browser's URL, good once. */
  oneTimeCode(): string
}

/** Access over the UNIX socket: no proof, but no page of a browser either. */
export function createSocketAccess(): Access {
  return {
    judge: (request) => (request.headers.origin === undefined ? undefined : 403),
    openSession: () => undefined,
    oneTimeCode: () => '',
  }
}

/**
 * Access over loopback. `hosts` are the Host values that are ours, port included (`127.0.0.1:8477`); `now` is the time of
 * day in milliseconds. A session bears the token's seal and is kept nowhere, so that a page stays signed in when the daemon
 * starts again; another token ends them all.
 */
export function createLoopbackAccess(token: string, hosts: readonly string[], now: () => number): Access {
  const tokenDigest = digest(token)
  /** By digest, so that a lookup's time says nothing about the secret. */
  const codes = new Map<string, number>()

  const seal = (head: string) => createHmac('sha256', token).update(`session ${head}`).digest()

  function isSession(session: string): boolean {
    const head = session.slice(0, SESSION_HEAD_LEN)
    if (session.length !== SESSION_LEN) return false
    if (!timingSafeEqual(Buffer.from(session.slice(SESSION_HEAD_LEN), 'hex'), seal(head))) return false
    return isLeft(Number.parseInt(head.slice(0, SESSION_TIME_LEN), 16), SESSION_MS)
  }

  /** Whether a secret that is good for `lifeMs` is still good. More time left than that: the clock was set back. */
  function isLeft(until: number, lifeMs: number): boolean {
    const leftMs = until - now()
    return leftMs > 0 && leftMs <= lifeMs
  }

  function isProven({ headers }: IncomingMessage, proof: Proof): boolean {
    const { authorization, cookie } = headers
    if (authorization !== undefined) {
      const bearer = /^Bearer +(\S+)$/i.exec(authorization)
      return bearer !== null && timingSafeEqual(digest(bearer[1]!), tokenDigest)
    }
    const session = new RegExp(`(?:^|; *)${SESSION_COOKIE}=([0-9a-f]+)`).exec(cookie ?? '')
    return proof === 'session' && session !== null && isSession(session[1]!)
  }

  return {
    judge(request, proof) {
      if (!hosts.includes((request.headers.host ?? '').toLowerCase())) return 421
      const { origin } = request.headers
      if (origin !== undefined && !hosts.some((host) => origin.toLowerCase() === `http://${host}`)) return 403
      return proof !== 'none' && !isProven(request, proof) ? 401 : undefined
    },
    openSession(code) {
      const name = digest(code).toString('hex')
      const until = codes.get(name)
      codes.delete(name)
      if (until === undefined || !isLeft(until, ONE_TIME_CODE_MS)) return undefined
      const time = (now() + SESSION_MS).toString(16).padStart(SESSION_TIME_LEN, '0')
      const head = time + randomBytes(SESSION_NONCE_BYTES).toString('hex')
      const session = head + seal(head).toString('hex')
      return `${SESSION_COOKIE}=${session}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${SESSION_MS / 1000}`
    },
    oneTimeCode() {
      const code = randomBytes(32).toString('hex')
      codes.set(digest(code).toString('hex'), now() + ONE_TIME_CODE_MS)
      if (codes.size > MAX_CODES) codes.delete(codes.keys().next().value!)
      return code
    },
  }
}

/**
 * The bearer token in `path`, made when there is none (0600 in a 0700 directory).
 * @throws OperatorError when the file cannot be used or others may read it
 */
export function loadToken(path: string): string {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    try {
      writeFileSync(path, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx' })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    chmodSync(path, 0o600)
    const token = readFileSync(path, 'utf8').trim()
    if (/^\S+$/.test(token) && token.length >= MIN_TOKEN_LEN) return token
  } catch (error) {
    throw new OperatorError('token-unusable', `The token file ${path} cannot be used: ${systemErrorText(error)}.`)
  }
  throw new OperatorError(
    'token-unusable',
    `The token file ${path} must hold one token of at least ${MIN_TOKEN_LEN} characters; delete it to have a new one made.`,
  )
}

function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}
