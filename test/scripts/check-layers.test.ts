// The import table: a good tree passes, and each way of breaking it gives exactly one message.
import { checkLayers } from '../../scripts/check-layers.mjs'
import { withTree } from './bad-tree.ts'

const GOOD = {
  'src/constants/wire.ts': 'export const A = 1\n',
  'src/model/row.ts': "import { A } from '../constants/wire.ts'\nexport interface Row { a: typeof A }\n",
  'src/decoders/udp.ts':
    "import type { Row } from '../model/row.ts'\nexport function decode(row: Row) { return row.a }\n",
  'src/analysis/analyzer.ts': "import { decode } from '../decoders/udp.ts'\nexport const analyze = decode\n",
  'src/store/reader.ts': "import Database from 'better-sqlite3'\nexport const read = Database\n",
  'src/store/writer.ts': "import { read } from './reader.ts'\nexport const write = read\n",
  'src/api/routes.ts': "import { read } from '../store/reader.ts'\nexport const routes = read\n",
  'src/daemon/pipeline.ts':
    "import { analyze } from '../analysis/analyzer.ts'\nimport fs from 'node:fs'\nexport { analyze, fs }\n",
  'src/check/ask.ts':
    "import { createSocket } from 'node:dgram'\nimport { analyze } from '../daemon/pipeline.ts'\nexport const ask = [createSocket, analyze]\n",
  'src/api/messages.ts': "import { z } from 'zod'\nexport const schema = z.string()\nexport type Message = string\n",
  'src/web/main.ts':
    "import type { Message } from '../api/messages.ts'\nimport { word } from '../text/words.ts'\nexport const show = (message: Message) => word + message\n",
  'src/text/words.ts': "export const word = 'said: '\n",
  'src/cli/main.ts': "import { analyze } from '../daemon/pipeline.ts'\nanalyze\n",
}

function violationsWith(files: Record<string, string>): string[] {
  return withTree({ ...GOOD, ...files }, (root) => checkLayers(root).violations)
}

test('a tree that keeps the table has no violation', () => {
  expect(violationsWith({})).toEqual([])
})

test.each([
  [
    'a sibling',
    'src/capture/x.ts',
    "import { decode } from '../decoders/udp.ts'\nvoid decode",
    'capture may not import decoders',
  ],
  [
    'a type of a higher layer',
    'src/model/x.ts',
    "import type { analyze } from '../analysis/analyzer.ts'\nexport type X = typeof analyze",
    'model may not import analysis',
  ],
  ['a re-export', 'src/text/x.ts', "export * from '../decoders/udp.ts'", 'text may not import decoders'],
  [
    'an import type expression',
    'src/model/x.ts',
    "export type X = import('../text/y.ts').Y",
    "'src/text/y.ts' does not exist",
  ],
  [
    'a dynamic import',
    'src/capture/x.ts',
    "export const x = import('../daemon/pipeline.ts')",
    'capture may not import daemon',
  ],
  [
    'whoever else would send packets',
    'src/daemon/x.ts',
    "import { createSocket } from 'node:dgram'\nvoid createSocket",
    "only check sends packets, so that daemon may not import 'node:dgram'",
  ],
  ['a computed import', 'src/cli/x.ts', 'export const x = (p: string) => import(p)', 'not a plain string'],
  [
    'only cli knows daemon',
    'src/api/x.ts',
    "import { analyze } from '../daemon/pipeline.ts'\nvoid analyze",
    'api may not import daemon',
  ],
  [
    'api reads only the reader',
    'src/api/x.ts',
    "import { write } from '../store/writer.ts'\nvoid write",
    'api may not import store',
  ],
  [
    'npm in decoders',
    'src/decoders/x.ts',
    "import ip from 'ipaddr.js'\nvoid ip",
    "decoders is pure and may not import 'ipaddr.js'",
  ],
  [
    'node: in analysis, types too',
    'src/analysis/x.ts',
    "import type { Hash } from 'node:crypto'\nexport type X = Hash",
    "may not import 'node:crypto'",
  ],
  ['npm in web', 'src/web/x.ts', "import u from 'uplot'\nvoid u", "web runs in a browser, where there is no 'uplot'"],
  ['node: in web', 'src/web/x.ts', "import fs from 'node:fs'\nvoid fs", "where there is no 'node:fs'"],
  [
    'a schema in web',
    'src/web/x.ts',
    "import { schema } from '../api/messages.ts'\nvoid schema",
    "web may import only types of 'src/api/messages.ts'",
  ],
  [
    'the service in web',
    'src/web/x.ts',
    "import type { routes } from '../api/routes.ts'\nexport type X = typeof routes",
    'web may not import api',
  ],
  ['nobody imports web', 'src/api/x.ts', "import { show } from '../web/main.ts'\nvoid show", 'api may not import web'],
  ['a clock', 'src/analysis/x.ts', 'export const now = () => Date.now()', 'may not use Date.now'],
  ['the current date', 'src/analysis/x.ts', 'export const now = () => new Date()', 'may not use new Date()'],
  ['a timer', 'src/analysis/x.ts', 'export const t = () => setTimeout(() => {}, 1)', 'may not use setTimeout()'],
  ['the environment', 'src/decoders/x.ts', 'export const e = process.env', 'may not use process'],
  ['no extension', 'src/cli/x.ts', "import { A } from '../constants/wire'\nvoid A", 'without its .ts extension'],
  ['outside src', 'src/cli/x.ts', "import { A } from '../../test/a.ts'\nvoid A", 'lies outside src'],
  [
    'a folder nobody planned',
    'src/extra/x.ts',
    "import { A } from '../constants/wire.ts'\nvoid A",
    "folder 'extra' is not in the import table",
  ],
])('%s is one violation', (_name, path, text, message) => {
  const violations = violationsWith({ [path]: text })
  expect(violations).toHaveLength(1)
  expect(violations[0]).toContain(message)
  expect(violations[0]).toMatch(new RegExp(`^${path}:\\d+: `))
})

test('a cycle is told once, as the shortest way around, type imports included', () => {
  const violations = violationsWith({
    'src/text/a.ts': "import type { B } from './b.ts'\nexport interface A { b: B }",
    'src/text/b.ts': "import type { C } from './c.ts'\nexport interface B { c: C }",
    'src/text/c.ts': "import type { A } from './a.ts'\nexport interface C { a: A }",
  })
  expect(violations).toEqual([
    'src/text/a.ts: import cycle src/text/a.ts -> src/text/b.ts -> src/text/c.ts -> src/text/a.ts',
  ])
})

test('a date made from packet time is pure', () => {
  expect(violationsWith({ 'src/text/x.ts': 'export const iso = (ms: number) => new Date(ms).toISOString()' })).toEqual(
    [],
  )
})
