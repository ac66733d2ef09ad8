// The published schema is the code's, and what was once published still holds.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { clientMessageSchema, messageJsonSchema, serverMessageSchema } from '../../src/api/messages.ts'
import { makeEpoch, makeFinding, makeStats, makeVerdict } from '../support/findings.ts'

type Schema = Record<string, unknown>
const read = (path: string) => JSON.parse(readFileSync(join(import.meta.dirname, path), 'utf8')) as Schema

test('docs/messages.schema.json is up to date (npm run messages)', () => {
  expect(read('../../docs/messages.schema.json')).toEqual(messageJsonSchema())
})

/** Every way in which `now` no longer gives what `then` promised. */
function broken(then: unknown, now: unknown, path = ''): string[] {
  if (Array.isArray(then)) {
    if (!Array.isArray(now)) return [`${path}: no list any more`]
    // Lists of alternatives and of required names may grow at the writer's side only.
    return then.flatMap((item, index) =>
      typeof item === 'object'
        ? broken(item, now[index], `${path}/${index}`)
        : now.includes(item)
          ? []
          : [`${path}: ${item} is gone`],
    )
  }
  if (typeof then !== 'object' || then === null) return then === now ? [] : [`${path}: ${then} became ${now}`]
  if (typeof now !== 'object' || now === null) return [`${path} is gone`]
  return Object.entries(then).flatMap(([name, value]) => broken(value, (now as Schema)[name], `${path}/${name}`))
}

test('nothing that schema 1 promised is gone or has another type', () => {
  const { version: _, ...published } = read('released/messages-1.schema.json')
  expect(broken(published, messageJsonSchema())).toEqual([])
})

test('the comparison sees a renamed field, a changed type, a dropped message', () => {
  const then = { oneOf: [{ properties: { a: { type: 'string' } }, required: ['a'] }, { const: 'x' }] }
  expect(
    broken(then, { oneOf: [{ properties: { b: { type: 'string' } }, required: ['b'] }, { const: 'x' }] }),
  ).toHaveLength(2)
  expect(
    broken(then, { oneOf: [{ properties: { a: { type: 'number' } }, required: ['a'] }, { const: 'x' }] }),
  ).toHaveLength(1)
  expect(broken(then, { oneOf: [then.oneOf[0]] })).toHaveLength(1)
  expect(broken(then, { oneOf: [...then.oneOf, { const: 'y' }] })).toEqual([])
})

test('what the engine makes passes, with fields of a later version too', () => {
  const finding = { ...makeFinding({ process: { pid: 1, name: 'a', uid: 0 } }), later: true }
  expect(serverMessageSchema.parse({ type: 'finding', seq: 1, number: 1, finding })).toMatchObject({ finding })
  for (const [type, value] of [
    ['epoch', makeEpoch()],
    ['verdict', makeVerdict()],
  ] as const) {
    expect(serverMessageSchema.parse({ type, seq: 1, [type]: value })).toMatchObject({ [type]: value })
  }
  const stats = { type: 'stats', seq: 1, stats: makeStats(), store: { paused: false, waiting: 0, lost: 0 } }
  expect(serverMessageSchema.parse(stats)).toEqual(stats)
})

test.each([
  [{ type: 'resume' }],
  [{ type: 'resume', after: '1' }],
  [{ type: 'resume', after: 1.5 }],
  [{ type: 'resume', after: Number.MAX_SAFE_INTEGER + 1 }],
  [{ type: 'filter', id: 'dns-leak' }],
  [{ type: 'filter', id: new Array(65).fill('a') }],
  [{ type: 'filter', severity: 'fatal' }],
  [{ type: 'hello' }],
  [null],
])('a client may not say %j', (message) => {
  expect(clientMessageSchema.safeParse(message).success).toBe(false)
})
