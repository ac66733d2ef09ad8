// One writer a store, whoever asks and however the last one ended.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { claimStore } from '../../src/store/claim.ts'
import { openStore } from '../../src/store/database.ts'
import { openReader } from '../../src/store/reader.ts'
import { compiled } from '../support/compiled.ts'

let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tunnelscope-claim-'))
  path = join(folder, 'data', 'store.db')
})
afterEach(() => rmSync(folder, { recursive: true }))

const IN_USE = expect.objectContaining({
  code: 'store-in-use',
  message: expect.stringMatching(/^Another .*--store\.$/),
})

test('a store has one writer; the next one comes after it has ended', () => {
  const giveUp = claimStore(path)
  expect(() => claimStore(path)).toThrow(IN_USE)
  expect(() => claimStore(path)).toThrow(IN_USE)
  giveUp()
  claimStore(path)()
})

test('by whatever name', () => {
  openStore(path, 0).db.close()
  const other = join(folder, 'other.db')
  symlinkSync(path, other)
  const giveUp = claimStore(path)
  expect(() => claimStore(other)).toThrow(IN_USE)
  giveUp()
})

test('readers need no claim, and the files are for their owner', () => {
  const giveUp = claimStore(path)
  const { db } = openStore(path, 0)
  openReader(path).close()
  db.close()
  expect(statSync(`${path}-lock`).mode & 0o777).toBe(0o600)
  giveUp()
})

test('a process that is killed leaves no claim behind', async () => {
  const script = `import { claimStore } from '${compiled('src/store/claim.ts')}'
claimStore('${path}')
console.log('claimed')
setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  expect(() => claimStore(path)).toThrow(IN_USE)
  child.kill('SIGKILL')
  await once(child, 'exit')
  claimStore(path)()
})

test('where no file can be made: one sentence', () => {
  writeFileSync(join(folder, 'in-the-way'), '')
  expect(() => claimStore(join(folder, 'in-the-way', 'store.db'))).toThrow(
    expect.objectContaining({
      code: 'store-unusable',
      message: expect.stringContaining('name another place with --store'),
    }),
  )
})
