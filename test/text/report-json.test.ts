import { expect, test } from '@jest/globals'
import type { Report } from '../../src/model/report.ts'
import { reportJson } from '../../src/text/report-json.ts'

const made = {
  tool: { name: 'tunnelscope', version: '0' },
  schema: 1,
  inputs: [],
  nothing: undefined,
  verdict: { dns: 'no-tunnel', reasons: ['a\nb', '\u2028"'] },
  epochs: [
    { id: 1, list: [] },
    { id: 2, list: [1, [2]] },
  ],
  words: ['one', 'two\n'],
  counters: {},
} as unknown as Report

test('the pieces are what JSON.stringify gives, but for what a terminal would act on', () => {
  const text = [...reportJson(made)].join('')
  expect(text).toBe(`${JSON.stringify(made, undefined, 2).replace('\u2028', '\\u2028')}\n`)
  expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(made)))
})

test('what servers say acts on no terminal, within lists and outside', () => {
  const server = 'a\u009b2J\u202e\x7f\x1b[2J \u00e4\u2019'
  const text = [...reportJson({ one: { server }, sites: [{ http: { server } }] } as unknown as Report)].join('')
  expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e]/)
  expect(text).toContain('\u00e4\u2019')
  expect(JSON.parse(text)).toEqual({ one: { server }, sites: [{ http: { server } }] })
})

test('a long list comes in as many pieces', () => {
  const long = { epochs: Array.from({ length: 1000 }, (_, id) => ({ id })) } as unknown as Report
  const pieces = [...reportJson(long)]
  expect(pieces.length).toBeGreaterThan(1000)
  expect(JSON.parse(pieces.join(''))).toEqual(long)
})
