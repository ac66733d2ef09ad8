// Installing into a directory that holds another system, and taking everything away again.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DEFAULT_CONFIG } from '../../src/constants/paths.ts'
import { defaultConfig, readConfig } from '../../src/daemon/config.ts'
import { findAccount } from '../../src/daemon/privileges.ts'
import { installSteps, runSteps, type Step, UNIT_PATH, uninstallSteps } from '../../src/daemon/service-install.ts'
import { sayNotRun } from '../support/not-run.ts'

const exampleConfig = fileURLToPath(new URL('../../packaging/tunnelscope.toml', import.meta.url))
const isRoot = process.geteuid?.() === 0

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tunnelscope-install-'))
  mkdirSync(join(root, 'etc'))
  for (const name of ['passwd', 'group', 'shadow', 'gshadow']) writeFileSync(join(root, 'etc', name), '')
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const steps = () =>
  installSteps({ root, command: ['/usr/bin/node', '/usr/lib/x/dist/cli/main.js'], exampleConfig, start: false })
const files = () =>
  execFileSync('find', ['.', '-type', 'f', '-o', '-type', 'l'], { cwd: root, encoding: 'utf8' })
    .trim()
    .split('\n')
    .sort()

test('the plan says each step and does nothing by itself', () => {
  const before = files()
  expect(steps().map(({ words }) => words)).toEqual([
    `useradd --prefix ${root} --system --user-group --home-dir /var/lib/tunnelscope --no-create-home --shell /usr/sbin/nologin tunnelscope`,
    `write ${root}${DEFAULT_CONFIG}`,
    `write ${root}${UNIT_PATH}`,
  ])
  expect(files()).toEqual(before)
})

test('a step that fails has itself and the ones before it undone, latest first', () => {
  const log: string[] = []
  const step = (words: string, fails = false): Step => ({
    words,
    run() {
      log.push(`run ${words}`)
      if (fails) throw new Error('no room')
    },
    undo: () => void log.push(`undo ${words}`),
  })
  const said: string[] = []
  expect(() => runSteps([step('a'), step('b'), step('c', true), step('d')], (line) => said.push(line))).toThrow(
    '"c" failed: no room; what was done before is undone.',
  )
  // `systemctl enable` may fail half done.
  expect(log).toEqual(['run a', 'run b', 'run c', 'undo c', 'undo b', 'undo a'])
  expect(said).toEqual(['a', 'b', 'c', 'undo: c', 'undo: b', 'undo: a'])
})

test('what cannot be undone is told and does not keep the rest from it; a step without undo promises nothing', () => {
  const log: string[] = []
  const fails = () => {
    throw new Error('no room')
  }
  const said: string[] = []
  const steps: Step[] = [
    { words: 'a', run: () => {}, undo: () => void log.push('undo a') },
    { words: 'b', run: () => {}, undo: fails },
    { words: 'c', run: fails },
  ]
  expect(() => runSteps(steps, (line) => said.push(line))).toThrow(
    '"c" failed: no room; what was done before is undone.',
  )
  expect(log).toEqual(['undo a'])
  expect(said).toContain('  not undone: no room')
  expect(() => runSteps([{ words: 'c', run: fails }], () => {})).toThrow('"c" failed: no room.')
})

test('taking away what is gone already is no failure', () => {
  const runDirectory = join(root, 'run/tunnelscope')
  mkdirSync(runDirectory, { recursive: true })
  const plan = uninstallSteps(root, false)
  rmSync(runDirectory, { recursive: true })
  const said: string[] = []
  runSteps(plan, (line) => said.push(line))
  expect(said).toContain(`rm -rf ${runDirectory}`)
})

if (!isRoot) {
  test('installing did not run', () => sayNotRun('installing into a directory', 'root'))
} else {
  test('makes user, configuration and unit; a second time changes only the unit', () => {
    runSteps(steps(), () => {})
    expect(findAccount('tunnelscope', root)).toMatchObject({ uid: expect.any(Number) })
    expect(readConfig(join(root, DEFAULT_CONFIG))).toEqual(defaultConfig())
    expect(readFileSync(join(root, UNIT_PATH), 'utf8')).toContain(
      'ExecStart=/usr/bin/node /usr/lib/x/dist/cli/main.js daemon',
    )
    writeFileSync(join(root, DEFAULT_CONFIG), '# mine\n')
    expect(steps().map(({ words }) => words)).toEqual([`write ${root}${UNIT_PATH}`])
    runSteps(steps(), () => {})
    expect(readFileSync(join(root, DEFAULT_CONFIG), 'utf8')).toBe('# mine\n')
  })

  test('uninstalling leaves nothing but the store, which is root’s then', () => {
    const before = files()
    runSteps(steps(), () => {})
    const { uid } = findAccount('tunnelscope', root)!
    const state = join(root, 'var/lib/tunnelscope')
    mkdirSync(join(state, 'evidence'), { recursive: true })
    mkdirSync(join(root, 'run/tunnelscope'), { recursive: true })
    mkdirSync(join(root, 'var/log/tunnelscope'), { recursive: true })
    writeFileSync(join(root, 'var/log/tunnelscope/eve.json'), '')
    writeFileSync(join(state, 'store.db'), 'data')
    writeFileSync(join(root, 'bystander'), '')
    symlinkSync(join(root, 'bystander'), join(state, 'link'))
    execFileSync('chown', ['-hR', `${uid}:${uid}`, state])
    execFileSync('chown', [String(uid), join(root, 'bystander')])
    const said: string[] = []
    runSteps(uninstallSteps(root, false), (line) => said.push(line))
    console.log(said.join('\n').replaceAll(root, 'ROOT'))
    const left = files().filter((path) => !before.includes(path) && !/^.\/etc\/.*-$/.test(path))
    expect(left).toEqual(['./bystander', './var/lib/tunnelscope/link', './var/lib/tunnelscope/store.db'])
    expect(findAccount('tunnelscope', root)).toBeUndefined()
    expect(existsSync(join(root, 'etc/tunnelscope'))).toBe(false)
    expect(existsSync(join(root, 'run/tunnelscope'))).toBe(false)
    expect(statSync(join(state, 'store.db')).uid).toBe(0)
    expect(statSync(join(root, 'bystander')).uid).toBe(uid)
    expect(uninstallSteps(root, false).map(({ words }) => words.split(' ')[0])).toEqual(['chown'])
  })

  test('a failing step leaves the system as it was', () => {
    const before = files()
    const failing: Step = {
      words: 'fail',
      run() {
        throw new Error('x')
      },
    }
    expect(() => runSteps([...steps(), failing], () => {})).toThrow('"fail" failed')
    expect(files().filter((path) => !/^.\/etc\/.*-$/.test(path))).toEqual(before)
    expect(findAccount('tunnelscope', root)).toBeUndefined()
  })
}
