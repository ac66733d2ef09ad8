// Who may come in over loopback: sessions that outlive the daemon but not their time, codes that work once.
import type { IncomingMessage } from 'node:http'
import { createLoopbackAccess } from '../../src/api/access.ts'

const TOKEN = 'a'.repeat(64)
const HOST = '127.0.0.1:8477'
const HOUR_MS = 3600_000
const START_MS = Date.UTC(2026, 4, 1)

function request(headers: Record<string, string>): IncomingMessage {
  return { headers: { host: HOST, ...headers } } as unknown as IncomingMessage
}

function door(token = TOKEN, start = START_MS) {
  let now = start
  const access = createLoopbackAccess(token, [HOST], () => now)
  return {
    ...access,
    at(millis: number) {
      now = millis
    },
    judgeSession: (cookie: string) => access.judge(request({ cookie }), 'session'),
  }
}

/** What a browser sends back of a Set-Cookie. */
const sent = (cookie: string | undefined) => cookie!.split(';')[0]!

test('a code works once, and within five minutes', () => {
  const { oneTimeCode, openSession, at } = door()
  const [first, second, third] = [oneTimeCode(), oneTimeCode(), oneTimeCode()]
  at(START_MS + 5 * 60_000 - 1)
  expect(openSession(first)).toBeDefined()
  expect(openSession(first)).toBeUndefined()
  at(START_MS + 5 * 60_000)
  expect(openSession(second)).toBeUndefined()
  at(START_MS - 1)
  expect(openSession(third)).toBeUndefined()
  expect(openSession('')).toBeUndefined()
})

test('of many codes the last 64 work', () => {
  const { oneTimeCode, openSession } = door()
  const codes = Array.from({ length: 65 }, oneTimeCode)
  expect(codes.map((code) => openSession(code) !== undefined)).toEqual([false, ...new Array(64).fill(true)])
})

test('a session lasts twelve hours, and over a restart of the daemon', () => {
  const before = door()
  const cookie = sent(before.openSession(before.oneTimeCode()))
  const after = door()
  after.at(START_MS + 12 * HOUR_MS - 1)
  expect(after.judgeSession(cookie)).toBeUndefined()
  after.at(START_MS + 12 * HOUR_MS)
  expect(after.judgeSession(cookie)).toBe(401)
})

test('a session ends when the clock is set back behind its beginning, and with another token', () => {
  const { oneTimeCode, openSession, judgeSession, at } = door()
  const cookie = sent(openSession(oneTimeCode()))
  at(START_MS - 1)
  expect(judgeSession(cookie)).toBe(401)
  expect(door('b'.repeat(64)).judgeSession(cookie)).toBe(401)
})

test('no character of a session can be another one', () => {
  const { oneTimeCode, openSession, judgeSession } = door()
  const cookie = sent(openSession(oneTimeCode()))
  const start = cookie.indexOf('=') + 1
  for (let at = start; at < cookie.length; at++) {
    const other = cookie[at] === '0' ? '1' : '0'
    expect([at, judgeSession(cookie.slice(0, at) + other + cookie.slice(at + 1))]).toEqual([at, 401])
    expect([at, judgeSession(cookie.slice(0, at))]).toEqual([at, 401])
  }
  expect(judgeSession(`${cookie}0`)).toBe(401)
})

test('a session is not enough where the token is asked for', () => {
  const { oneTimeCode, openSession, judge } = door()
  const cookie = sent(openSession(oneTimeCode()))
  expect(judge(request({ cookie }), 'token')).toBe(401)
  expect(judge(request({ authorization: `Bearer ${TOKEN}` }), 'token')).toBeUndefined()
  expect(judge(request({ authorization: `Bearer ${TOKEN}` }), 'session')).toBeUndefined()
  // A wrong token is not made good by a session.
  expect(judge(request({ cookie, authorization: 'Bearer x' }), 'session')).toBe(401)
})
