// The hot path's lint: what may stand in a marked file, and one message for each thing that may not.
import { checkHotPath } from '../../scripts/check-hot-path.mjs'
import { withTree } from './bad-tree.ts'

function violationsOf(body: string, header = '// HOT PATH. A test.'): string[] {
  return withTree({ 'src/decoders/x.ts': `${header}\n${body}\n` }, (root) => checkHotPath(root).violations)
}

test.each([
  [
    'plain reads and writes',
    'export function f(bytes: Uint8Array, at: number): number { let sum = 0; for (let i = 0; i < 4; i++) sum += bytes[at + i]!; return sum }',
  ],
  ['object destructuring', 'export function f(c: { at: number }) { const { at } = c; return at }'],
  [
    'tables at module level',
    'const NAMES = Object.freeze([1, 2].map((n) => ({ n })))\nexport const f = (i: number) => NAMES[i]',
  ],
  [
    'types',
    'export type T = [a: number, b: `x${string}`]\nexport function f(x: unknown): number { return (x as { a: [number] }).a.length }',
  ],
  [
    'a factory',
    'export function createTable() { const rows = [new Uint8Array(4)]; return { at(i: number) { return rows[i] } } }',
  ],
  [
    'a constructor',
    'export class Table { rows: Uint8Array; constructor() { this.rows = new Uint8Array(4) } get(i: number) { return this.rows[i]! } }',
  ],
  ['a getter of a class', 'export class Table { count = 0; get twice() { return this.count * 2 } }'],
  [
    'a function that says why it is cold',
    '// COLD PATH: the table doubles, log n times in a run.\nexport function grow() { return new Uint8Array(8) }',
  ],
])('%s passes', (_name, body) => {
  expect(violationsOf(body)).toEqual([])
})

test.each([
  ['array literal', 'export function f() { return [1] }'],
  ['object literal', 'export function f() { return { a: 1 } }'],
  ['closure', 'export function f() { const g = () => 1; return g }'],
  ['template string', 'export function f(a: number) { return `${a}` }'],
  ['spread', 'export function f(g: (...a: number[]) => number, a: number[]) { return g(...a) }'],
  ['.slice()', 'export function f(b: Uint8Array) { return b.slice(1) }'],
  ['.subarray()', 'export function f(b: Uint8Array) { return b.subarray(1) }'],
  ['for-of', 'export function f(b: Uint8Array) { let n = 0; for (const x of b) n += x; return n }'],
  ['array destructuring', 'export function f(b: number[]) { const [a] = b; return a }'],
  ['rest element', 'export function f(...a: number[]) { return a.length }'],
  ['regular expression', 'export function f(s: string) { return s.search(/a/) }'],
  ['BigInt', 'export function f(n: unknown) { return n === 1n }'],
  ['.getBigUint64()', 'export function f(v: DataView) { return v.getBigUint64(0) }'],
  ['try', 'export function f() { try { return 1 } finally { } }'],
  ['throw', 'export function f() { throw 1 }'],
  ['new', 'export function f() { return new Uint8Array(1) }'],
  ['string concatenation', "export function f(a: string) { return a + 'x' }"],
  [
    'getter in an object literal',
    'export function createX() { let n = 0; return { get n() { return n }, add() { n++ } } }',
  ],
  ['async or generator', 'export async function f() { return 1 }'],
])('%s is one violation, with its line', (what, body) => {
  const violations = violationsOf(body)
  expect(violations).toHaveLength(1)
  expect(violations[0]).toContain('src/decoders/x.ts:2: ')
  expect(violations[0]).toContain(what)
})

test('what a factory returns runs per packet', () => {
  const body = 'export function createTable() {\n  const rows = [1]\n  return {\n    at() { return [rows] },\n  }\n}'
  expect(violationsOf(body)).toEqual(['src/decoders/x.ts:5: array literal on the hot path'])
})

test('a factory bound to a name is one too', () => {
  expect(violationsOf('export const createTable = () => { const rows = [1]; return rows }')).toEqual([])
})

test('methods of a class run per packet', () => {
  expect(violationsOf('export class T { m() { return [1] } }')).toHaveLength(1)
})

test('a cold mark without a reason counts for nothing', () => {
  expect(violationsOf('// COLD PATH:\nexport function grow() { return [1] }')).toHaveLength(1)
})

test('a file without the mark is not looked at, even when the words stand further down', () => {
  const body = 'export const a = 1\n/** HOT PATH. */\nexport function f() { return [1] }'
  expect(violationsOf(body, '// A cold file.')).toEqual([])
})
