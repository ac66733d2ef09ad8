// Network namespaces for tests, removed when the test is over, and programs that run inside them.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { loadAddon } from '../../src/capture/native-addon.ts'

/** False on a machine without a compiler; tests that need the addon say so. */
export const hasAddon = canLoad()

/** Root with iproute2; tests that need it say so once when it is not there. */
export const canMakeNamespaces = hasAddon && hasRights()

export function sayNotRun(what: string): void {
  console.log(`did not run: ${what} (needs ${hasAddon ? 'root and iproute2' : 'the addon: npm run build:native'})`)
}

export const hasTcpreplay = spawnSync('which', ['tcpreplay']).status === 0

/** A test that sends packets with tcpreplay; where that is not installed it says that it did not run. */
export function replayTest(name: string, run: () => Promise<void>, timeoutMillis?: number): void {
  if (hasTcpreplay) test(name, run, timeoutMillis)
  else test(`${name}: did not run`, () => console.log(`did not run: ${name} (needs tcpreplay)`))
}

let made = 0

export class Namespace {
  readonly name = `ts${process.pid}n${made++}`
  readonly #programs: ChildProcess[] = []

  constructor() {
    execFileSync('ip', ['netns', 'add', this.name])
    this.ip('link set lo up')
  }

  /** `ip ARGUMENTS` inside. */
  ip(words: string): string {
    return execFileSync('ip', ['-n', this.name, ...words.split(' ')], { encoding: 'utf8' })
  }

  /** A veth pair between here and another namespace, both ends up. */
  cable(own: string, other: Namespace, theirs: string): void {
    this.ip(`link add ${own} type veth peer name ${theirs} netns ${other.name}`)
    this.ip(`link set ${own} up`)
    other.ip(`link set ${theirs} up`)
  }

  /** Starts a program inside; `isSpokenTo`: with a standard input. */
  start(command: string, words: readonly string[], isSpokenTo = false): Program {
    const input = isSpokenTo ? 'pipe' : 'ignore'
    const child = spawn('ip', ['netns', 'exec', this.name, command, ...words], { stdio: [input, 'pipe', 'pipe'] })
    this.#programs.push(child)
    return new Program(child)
  }

  /** Starts programs/NAME.ts inside. */
  startScript(name: string, ...words: string[]): Program {
    const loader = new URL('./register-typescript.mjs', import.meta.url).href
    const script = fileURLToPath(new URL(`./programs/${name}.ts`, import.meta.url))
    return this.start(process.execPath, ['--import', loader, script, ...words])
  }

  remove(): void {
    for (const child of this.#programs) child.kill('SIGKILL')
    execFileSync('ip', ['netns', 'del', this.name])
  }
}

/** A running program; `ip netns exec` becomes it, so its process id is the child's. */
export class Program {
  readonly child: ChildProcess
  readonly #ended: Promise<number | null>
  output = ''
  errors = ''
  #line: (() => void) | undefined

  constructor(child: ChildProcess) {
    this.child = child
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.output += text
      this.#line?.()
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.errors += text
    })
    this.#ended = new Promise((resolve) => child.once('close', (code) => resolve(code)))
  }

  get pid(): number {
    return this.child.pid!
  }

  /** Resolves when the output contains the words. */
  says(words: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (!this.output.includes(words)) return
        this.#line = undefined
        resolve()
      }
      this.#line = look
      look()
      void this.#ended.then((code) => reject(new Error(`ended (${code}) without "${words}": ${this.errors}`)))
    })
  }

  /** Its exit status; null when a signal ended it. */
  ends(): Promise<number | null> {
    return this.#ended
  }

  /** The last line of its output as JSON. */
  async result<T>(): Promise<T> {
    const code = await this.#ended
    if (code !== 0) throw new Error(`exit ${code}: ${this.errors}`)
    return JSON.parse(this.output.trim().split('\n').at(-1)!) as T
  }
}

function canLoad(): boolean {
  try {
    loadAddon()
    return true
  } catch {
    return false
  }
}

function hasRights(): boolean {
  if (process.getuid?.() !== 0) return false
  try {
    const probe = `ts${process.pid}probe`
    execFileSync('ip', ['netns', 'add', probe], { stdio: 'ignore' })
    execFileSync('ip', ['netns', 'del', probe], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
