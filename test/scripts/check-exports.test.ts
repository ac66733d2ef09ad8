// Dead exports: each way of being used is seen, and what nobody uses gives one message.
import { checkExports } from '../../scripts/check-exports.mjs'
import { withTree } from './bad-tree.ts'

const GOOD = {
  'src/model/row.ts': 'export interface Row { a: number }\nexport const NONE = 0\nexport const MANY = 0xff\n',
  'src/text/row-text.ts':
    "import type { Row } from '../model/row.ts'\nexport const rowText = (row: Row) => words(row)\nexport const words = String\n",
  'src/text/lines.ts': "export { rowText as lineText } from './row-text.ts'\n",
  'src/cli/print.ts': 'export function print() {}\nexport function show() {}\nexport function draw() {}\n',
  'src/cli/main.ts': "const print = (await import('./print.ts')).print\nprint()\n",
  'src/api/client.ts': 'export const connect = 1 + 1\n',
  'test/text/lines.test.ts':
    "import { lineText } from '../../src/text/lines.ts'\nimport * as all from '../../src/cli/print.ts'\nlineText(all.show)\n",
  'bench/draw.mjs': "import { draw } from '../dist/cli/print.js'\ndraw()\n",
}

function violationsWith(files: Record<string, string>): string[] {
  return withTree({ ...GOOD, ...files }, (root) => checkExports(root).violations)
}

test('a tree in which every export is used has no violation', () => {
  expect(violationsWith({})).toEqual([])
})

test.each([
  ['a function', 'src/text/x.ts', 'export function unread() {}\n', "src/text/x.ts:1: 'unread' is exported"],
  ['a type', 'src/model/x.ts', '\nexport type Unread = string\n', "src/model/x.ts:2: 'Unread' is exported"],
  ['a list', 'src/model/x.ts', 'export const LIST = Object.freeze([1])\n', "'LIST' is exported"],
  ['a re-export', 'src/text/x.ts', "export { words as unread } from './row-text.ts'\n", "'unread' is exported"],
  ['a namesake that is imported from another file', 'src/text/x.ts', 'export const rowText = 1 + 1\n', "'rowText' is"],
])('%s that nobody uses is told', (_, path, text, message) => {
  const violations = violationsWith({ [path]: text })
  expect(violations).toHaveLength(1)
  expect(violations[0]).toContain(message)
})
