// The files behind `--keylog`: what is read, what is refused with one sentence, and what a capture carries.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createKeyLog } from '../../src/analysis/key-log.ts'
import { createSecretsFeed, openKeyLogs } from '../../src/daemon/key-log-files.ts'
import { OperatorError } from '../../src/model/operator-error.ts'
import { session13 } from '../decoders/seal-tls.ts'

const folder = mkdtempSync(join(tmpdir(), 'tunnelscope-keylog-'))
afterAll(() => rmSync(folder, { recursive: true }))
const file = (name: string, content: Uint8Array | string): string => {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}
const one = session13({ name: 'one' })
const two = session13({ name: 'two' })

test('none', () => {
  expect(openKeyLogs([])).toBeUndefined()
})

test('several files are one log; damaged lines are counted', () => {
  const first = file('one.log', `# a comment\n${one.keyLog}half a li\n`)
  const keyLog = openKeyLogs([first, file('two.log', two.keyLog), first])!
  expect([keyLog.sessionCount, keyLog.damagedLines, keyLog.usesCaptures]).toEqual([2, 2, false])
})

test('a later line about the same secret counts', () => {
  const keyLog = createKeyLog()
  keyLog.add(Buffer.from(one.keyLog))
  keyLog.add(Buffer.from(one.keyLog.replaceAll(/[0-9a-f]$/gm, '0')))
  const random = Buffer.from(one.keyLog.split(' ')[1]!, 'hex').toString('latin1')
  expect(Buffer.from(keyLog.secretsOf(random)!.SERVER_TRAFFIC_SECRET_0!).toString('hex')).toMatch(/0$/)
  expect(keyLog.secretsOf('x'.repeat(32))).toBeUndefined()
})

test('an empty file, and one with other secrets only, are logs without a connection', () => {
  for (const content of ['', '# nothing yet\n', `EXPORTER_SECRET ${'00'.repeat(32)} ${'11'.repeat(32)}\n`]) {
    expect(openKeyLogs([file('empty.log', content)])).toMatchObject({ sessionCount: 0, damagedLines: 0 })
  }
})

test.each([
  ['that is not there', '/nowhere/keys.log', /--keylog \/nowhere\/keys\.log: no such file or directory\.$/],
  ['that is a folder', folder, /directory/],
  ['that never ends', '/dev/zero', /more than 64 MB; give the lines from the time of the capture\.$/],
  ['that is something else', file('notes.txt', 'dear diary,\nnothing leaked today\n'), /no TLS key log; give the file/],
])('a file %s is refused with one sentence', (_name, path, message) => {
  let caught: unknown
  try {
    openKeyLogs([path])
  } catch (error) {
    caught = error
  }
  expect(caught).toBeInstanceOf(OperatorError)
  expect(caught).toMatchObject({ code: 'keylog', message: expect.stringMatching(message) })
})

test('all files together are bounded', () => {
  const half = file('half.log', one.keyLog.padEnd(40 << 20, '\n'))
  expect(openKeyLogs([half])).toMatchObject({ sessionCount: 1 })
  expect(() => openKeyLogs([half, half])).toThrow(/more than 64 MB/)
})

test('what a capture carries is taken when it is wanted, and as it is met', () => {
  const annex = { tlsKeyLogs: [one.keyLog], names: [] }
  const unwanted = openKeyLogs([file('two.log', two.keyLog)])!
  createSecretsFeed(annex, unwanted)()
  expect(unwanted.sessionCount).toBe(1)
  const wanted = openKeyLogs(['capture'])!
  const feed = createSecretsFeed(annex, wanted)
  feed()
  feed()
  expect(wanted.sessionCount).toBe(1)
  annex.tlsKeyLogs.push(two.keyLog)
  feed()
  expect(wanted.sessionCount).toBe(2)
  // Without a key log there is nothing to do.
  createSecretsFeed(annex, undefined)()
})
