// A script that is asked for its usage prints it and starts nothing; a flag it does not know is told.
import { spawnSync } from 'node:child_process'
import { numbersOf } from '../lab/lab.mjs'

const SCRIPTS = [
  'bench/run.mjs',
  'bench/live.mjs',
  'bench/live-latency.mjs',
  'bench/soak.mjs',
  'test/lab/run.mjs',
  'test/lab/compare.mjs',
  'test/lab/compare-live.mjs',
  'test/machine/run.mjs',
]

const run = (script: string, ...words: string[]) =>
  spawnSync(process.execPath, [script, ...words], { encoding: 'utf8', timeout: 20_000 })

describe.each(SCRIPTS)('%s', (script) => {
  test('--help is its usage', () => {
    const { status, stdout, stderr } = run(script, '--help')
    expect(stdout).toMatch(/^usage: npm run [a-z:-]+ -- \[/)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })

  test('an unknown flag is told, with the usage', () => {
    const { status, stdout, stderr } = run(script, '--nosuch')
    expect(stderr).toMatch(/^Unknown option '--nosuch'.*\nusage: npm run/s)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  })
})

test.each([
  ['bench/live.mjs', ['many']],
  ['bench/live-latency.mjs', ['fast']],
  ['bench/soak.mjs', ['--minutes', 'long']],
  ['bench/run.mjs', ['--mb', '0']],
  ['test/lab/run.mjs', ['--seeds', 'x']],
  ['test/lab/run.mjs', ['--vpn', 'wireguard']],
  ['test/lab/run.mjs', ['--part', 'half']],
  ['test/lab/compare.mjs', ['1-3']],
])('%s %j is refused', (script, words) => {
  const { status, stderr } = run(script, ...words)
  expect(stderr).toMatch(/\nusage: npm run/)
  expect(status).toBe(2)
})

test.each([
  ['1', [1]],
  ['1-3,7', [1, 2, 3, 7]],
  ['1-', undefined],
  ['', undefined],
])('%j is a list of numbers', (text, numbers) => expect(numbersOf(text)).toEqual(numbers))
