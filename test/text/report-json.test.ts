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

test('the pieces are what JSON.stringify gives', () => {
  expect([...reportJson(made)].join('')).toBe(`${JSON.stringify(made, undefined, 2)}\n`)
})

test('a long list comes in as many pieces', () => {
  const long = { epochs: Array.from({ length: 1000 }, (_, id) => ({ id })) } as unknown as Report
  const pieces = [...reportJson(long)]
  expect(pieces.length).toBeGreaterThan(1000)
  expect(JSON.parse(pieces.join(''))).toEqual(long)
})
