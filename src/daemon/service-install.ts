// Installing the service and taking it away again: a list of steps, each of which says what it does and can be undone.
// `root` is '' on the running system, else a directory that holds another system (an image, a package under test).
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { DEFAULT_CONFIG, SERVICE_USER } from '../constants/paths.ts'
import { OperatorError } from '../model/operator-error.ts'
import { findAccount } from './privileges.ts'
import { serviceUnit, shownDirectories } from './service-unit.ts'

export const UNIT_PATH = '/etc/systemd/system/tunnelscope.service'
const UNIT = 'tunnelscope.service'
const STATE_DIRECTORY = '/var/lib/tunnelscope'
const RUN_DIRECTORY = '/run/tunnelscope'
const LOG_DIRECTORY = '/var/log/tunnelscope'

export interface Step {
  /** What it does, one line: a command, or a file. */
  readonly words: string
  run(): void
  /** Takes it back; absent when there is nothing to take back. */
  undo?(): void
}

export interface InstallOptions {
  readonly root: string
  /** Program and its first words, absolute: node and our main.js. */
  readonly command: readonly string[]
  /** The example configuration, to begin with. */
  readonly exampleConfig: string
  /** Start it now and at every boot. */
  readonly start: boolean
}

/** What install-service does on this system, in order. What is there already is left as it is. */
export function installSteps({ root, command, exampleConfig, start }: InstallOptions): Step[] {
  const steps: Step[] = []
  if (findAccount(SERVICE_USER, root) === undefined) {
    steps.push(
      commandStep(
        [...userCommand('useradd', root), ...USER_WORDS, SERVICE_USER],
        userCommand('userdel', root, SERVICE_USER),
      ),
    )
  }
  const config = join(root, DEFAULT_CONFIG)
  if (!existsSync(config)) steps.push(fileStep(config, readFileSync(exampleConfig, 'utf8'), 0o644))
  const unit = serviceUnit({ command, user: SERVICE_USER, shownDirectories: shownDirectories(command) })
  steps.push(fileStep(join(root, UNIT_PATH), unit, 0o644))
  if (root === '' && start) {
    steps.push(commandStep(['systemctl', 'daemon-reload']))
    steps.push(commandStep(['systemctl', 'enable', UNIT], ['systemctl', 'disable', UNIT]))
    // Restarted rather than started: what runs already is the unit and the program of before.
    steps.push(commandStep(['systemctl', 'restart', UNIT], ['systemctl', 'stop', UNIT]))
  }
  return steps
}

/** What uninstall-service does: everything but the store and its evidence goes; those are root's then. */
export function uninstallSteps(root: string, isManaged: boolean): Step[] {
  const steps: Step[] = []
  const at = (path: string) => join(root, path)
  if (root === '' && isManaged && existsSync(UNIT_PATH)) {
    steps.push(commandStep(['systemctl', 'disable', '--now', UNIT]))
  }
  for (const path of [UNIT_PATH, DEFAULT_CONFIG]) {
    if (existsSync(at(path))) steps.push({ words: `rm ${at(path)}`, run: () => rmSync(at(path), { force: true }) })
  }
  for (const path of [dirname(DEFAULT_CONFIG), RUN_DIRECTORY, LOG_DIRECTORY]) {
    if (existsSync(at(path))) steps.push(removeStep(at(path), path === dirname(DEFAULT_CONFIG)))
  }
  const state = at(STATE_DIRECTORY)
  if (existsSync(state)) {
    steps.push({
      words: `chown -R root:root ${state} (the store stays; rm -r ${state} removes it)`,
      run: () => takeBack(state),
    })
  }
  if (findAccount(SERVICE_USER, root) !== undefined) steps.push(commandStep(userCommand('userdel', root, SERVICE_USER)))
  if (root === '' && isManaged) steps.push(commandStep(['systemctl', 'daemon-reload']))
  return steps
}

/**
 * Runs the steps, `say` hears of each before it is done. One that fails has itself and those before it undone, latest first.
 * @throws OperatorError `install-failed`
 */
export function runSteps(steps: readonly Step[], say: (line: string) => void): void {
  for (const [index, step] of steps.entries()) {
    say(step.words)
    try {
      step.run()
    } catch (error) {
      const undone = undoSteps(steps.slice(0, index + 1).reverse(), say)
      const rest = undone === 0 ? '' : '; what was done before is undone'
      throw new OperatorError('install-failed', `"${step.words}" failed: ${reasonOf(error)}${rest}.`)
    }
  }
}

/** How many were undone. One that cannot be taken back does not keep the others from it. */
function undoSteps(steps: readonly Step[], say: (line: string) => void): number {
  let undone = 0
  for (const step of steps) {
    if (step.undo === undefined) continue
    say(`undo: ${step.words}`)
    try {
      step.undo()
      undone++
    } catch (error) {
      say(`  not undone: ${reasonOf(error)}`)
    }
  }
  return undone
}

const USER_WORDS = [
  '--system',
  '--user-group',
  '--home-dir',
  STATE_DIRECTORY,
  '--no-create-home',
  '--shell',
  '/usr/sbin/nologin',
]

function userCommand(program: string, root: string, ...words: string[]): string[] {
  return [program, ...(root === '' ? [] : ['--prefix', root]), ...words]
}

function commandStep(words: readonly string[], undo?: readonly string[]): Step {
  const run = ([program, ...rest]: readonly string[]) =>
    execFileSync(program!, rest, { stdio: 'pipe', encoding: 'utf8' })
  return {
    words: words.join(' '),
    run: () => void run(words),
    ...(undo === undefined ? {} : { undo: () => void run(undo) }),
  }
}

function fileStep(path: string, text: string, mode: number): Step {
  let made: string | undefined
  let before: string | undefined
  return {
    words: `write ${path}`,
    run() {
      made = mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
      if (existsSync(path)) before = readFileSync(path, 'utf8')
      writeFileSync(path, text)
      chmodSync(path, mode)
    },
    undo() {
      if (before !== undefined) return writeFileSync(path, before)
      rmSync(path, { force: true })
      if (made !== undefined) rmSync(made, { recursive: true })
    },
  }
}

function removeStep(path: string, onlyWhenEmpty: boolean): Step {
  // May be gone by then: systemd takes its runtime directory away when the service stops.
  if (!onlyWhenEmpty) return { words: `rm -rf ${path}`, run: () => rmSync(path, { recursive: true, force: true }) }
  return {
    words: `rmdir ${path}, when it is empty`,
    run() {
      if (readdirSync(path).length === 0) rmdirSync(path)
    },
  }
}

/** The user goes, so its files become root's: whoever gets the number later must not read them. Links are not followed. */
function takeBack(path: string): void {
  const status = lstatSync(path)
  if (status.isSymbolicLink()) return
  chownSync(path, 0, 0)
  if (!status.isDirectory()) return
  chmodSync(path, 0o700)
  for (const name of readdirSync(path)) takeBack(join(path, name))
}

function reasonOf(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string }
  return (stderr ?? '').trim().split('\n')[0] || message
}
