// Who may ask: on the UNIX socket the file's mode decides; on loopback every request proves itself by bearer token or
// session cookie, and Host and Origin are checked against rebinding and foreign pages.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
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
/** Browsers of one person. */
const MAX_SESSIONS = 64
const MIN_TOKEN_LEN = 32

/** Why a request is refused; undefined = it may pass. */
export type Refusal = 401 | 403 | 421 | undefined

export interface Access {
  /** `needsProof` false: for what a browser must load before it can prove anything. */
  judge(request: IncomingMessage, needsProof: boolean): Refusal
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
 * Access over loopback. `hosts` are the Host values that are ours, port included (`127.0.0.1:8477`); `now` is
 * milliseconds of a clock that does not go back.
 */
export function createLoopbackAccess(token: string, hosts: readonly string[], now: () => number): Access {
  const tokenDigest = digest(token)
  /** By digest, so that a lookup's time says nothing about the secret. */
  const sessions = new Map<string, number>()
  const codes = new Map<string, number>()

  function isProven(request: IncomingMessage): boolean {
    const { authorization, cookie } = request.headers
    if (authorization !== undefined) {
      const bearer = /^Bearer +(\S+)$/i.exec(authorization)
      return bearer !== null && timingSafeEqual(digest(bearer[1]!), tokenDigest)
    }
    const session = new RegExp(`(?:^|; *)${SESSION_COOKIE}=([0-9a-f]+)`).exec(cookie ?? '')
    return session !== null && isValid(sessions, session[1]!, now())
  }

  return {
    judge(request, needsProof) {
      if (!hosts.includes((request.headers.host ?? '').toLowerCase())) return 421
      const { origin } = request.headers
      if (origin !== undefined && !hosts.some((host) => origin.toLowerCase() === `http://${host}`)) return 403
      return needsProof && !isProven(request) ? 401 : undefined
    },
    openSession(code) {
      if (!isValid(codes, code, now())) return undefined
      codes.delete(digest(code).toString('hex'))
      const session = randomBytes(32).toString('hex')
      addBounded(sessions, session, now() + SESSION_MS)
      return `${SESSION_COOKIE}=${session}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${SESSION_MS / 1000}`
    },
    oneTimeCode() {
      const code = randomBytes(32).toString('hex')
      addBounded(codes, code, now() + ONE_TIME_CODE_MS)
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

function isValid(secrets: Map<string, number>, secret: string, now: number): boolean {
  const until = secrets.get(digest(secret).toString('hex'))
  return until !== undefined && now < until
}

/** Adds a secret by its digest; the oldest goes when there are too many. */
function addBounded(secrets: Map<string, number>, secret: string, until: number): void {
  secrets.set(digest(secret).toString('hex'), until)
  if (secrets.size > MAX_SESSIONS) secrets.delete(secrets.keys().next().value!)
}
