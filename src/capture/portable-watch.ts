// The network where no netlink tells it: the system's programs are asked at the start and then again and again. What they
// do not say is a gap of the context, and with it of the verdict.
import { execFile, execFileSync } from 'node:child_process'
import type { NetworkContext } from '../model/network-context.ts'
import type { NetworkWatch } from './context-watch.ts'
import { interfaceStates } from './interface-roles.ts'
import { MACOS } from './macos-network.ts'
import type { NetworkReader, NetworkReading } from './network-reading.ts'
import { describeChanges, egressStates, endpointHints, tunnelStates } from './network-view.ts'
import { WINDOWS } from './windows-network.ts'

type Outputs = Readonly<Record<string, string | undefined>>

/** Runs the programs of a reader; what fails gives nothing. */
export interface ProgramRunner {
  now(commands: NetworkReader['commands']): Outputs
  later(commands: NetworkReader['commands']): Promise<Outputs>
}

const PROGRAM_TIMEOUT_MILLIS = 20_000
const MAX_OUTPUT_LEN = 16 << 20

/** The platform's reader; undefined where there is none (and on Linux, which has netlink). */
export function platformReader(platform: NodeJS.Platform = process.platform): NetworkReader | undefined {
  if (platform === 'darwin') return MACOS
  return platform === 'win32' ? WINDOWS : undefined
}

export class PortableWatch implements NetworkWatch {
  readonly #reader: NetworkReader
  readonly #timer: NodeJS.Timeout
  #outputs: Outputs
  #current: NetworkContext
  #changes: NetworkContext[]
  #linksChanged = true
  #isAsking = false

  constructor(reader: NetworkReader, runner: ProgramRunner = SYSTEM) {
    this.#reader = reader
    this.#outputs = runner.now(reader.commands)
    this.#current = this.#build(this.#outputs)
    this.#changes = [this.#current]
    this.#timer = setInterval(() => void this.#ask(runner), reader.everyMillis)
    this.#timer.unref()
  }

  get current(): NetworkContext {
    return this.#current
  }

  takeChanges(): NetworkContext[] {
    const changes = this.#changes
    this.#changes = []
    return changes
  }

  startAnew(timeMicros: number, words: string): void {
    this.#current = { ...this.#current, timeMicros, changes: [words] }
    this.#changes = [this.#current]
  }

  refreshLinks(): boolean {
    const changed = this.#linksChanged
    this.#linksChanged = false
    return changed
  }

  linkName(interfaceIndex: number): string | undefined {
    return this.#current.interfaces.find(({ link }) => link.index === interfaceIndex)?.link.name
  }

  deviceName(interfaceIndex: number): string | undefined {
    const name = this.linkName(interfaceIndex)
    return name === undefined ? undefined : this.#reader.deviceOf?.(this.#outputs, name)
  }

  linkIndices(): Iterable<number> {
    return this.#current.interfaces.map(({ link }) => link.index)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  async #ask(runner: ProgramRunner): Promise<void> {
    // A machine that is slow to answer is not asked twice at once.
    if (this.#isAsking) return
    this.#isAsking = true
    const outputs = await runner.later(this.#reader.commands)
    this.#isAsking = false
    const next = this.#build(outputs)
    this.#outputs = outputs
    const changes = describeChanges(this.#current, next)
    if (changes.length === 0 && next.gaps!.join() === this.#current.gaps!.join()) return
    const names = (context: NetworkContext) => context.interfaces.map(({ link }) => `${link.index} ${link.name}`).join()
    if (names(next) !== names(this.#current)) this.#linksChanged = true
    this.#current = { ...next, changes }
    this.#changes.push(this.#current)
  }

  #build(outputs: Outputs): NetworkContext {
    const reading: NetworkReading = this.#reader.read(outputs)
    const { links, addresses, routes, dnsServers, searchDomains } = reading
    const interfaces = interfaceStates(links, addresses, routes)
    const egress = egressStates(interfaces, routes, [])
    const seconds = this.#reader.everyMillis / 1000
    return {
      timeMicros: Date.now() * 1000,
      changes: ['start'],
      interfaces,
      routes,
      rules: [],
      dnsServers,
      searchDomains,
      egress,
      tunnels: tunnelStates(interfaces),
      endpoints: endpointHints(interfaces, routes, egress),
      routesCut: false,
      gaps: [
        ...reading.gaps,
        `The network is looked at every ${seconds} s here: what changed in between is judged by what was known before.`,
      ],
    }
  }
}

const SYSTEM: ProgramRunner = {
  now: (commands) =>
    mapped(commands, ([program, ...words]) => {
      try {
        return execFileSync(program!, words, { ...LIMITS, stdio: ['ignore', 'pipe', 'ignore'] })
      } catch {
        return undefined
      }
    }),
  async later(commands) {
    const asked = mapped(
      commands,
      ([program, ...words]) =>
        new Promise<string | undefined>((resolve) => {
          execFile(program!, words, LIMITS, (error, stdout) => resolve(error === null ? stdout : undefined))
        }),
    )
    const outputs: Record<string, string | undefined> = {}
    for (const [name, output] of Object.entries(asked)) outputs[name] = await output
    return outputs
  },
}

const LIMITS = {
  encoding: 'utf8',
  timeout: PROGRAM_TIMEOUT_MILLIS,
  maxBuffer: MAX_OUTPUT_LEN,
  windowsHide: true,
} as const

function mapped<Value>(
  commands: NetworkReader['commands'],
  run: (words: readonly string[]) => Value,
): Record<string, Value> {
  return Object.fromEntries(Object.entries(commands).map(([name, words]) => [name, run(words)]))
}
