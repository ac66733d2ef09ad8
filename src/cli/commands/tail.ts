// `tail`: live findings from the daemon: a live screen on a terminal, plain lines into a pipe, JSON when asked.
import type { Command } from 'commander'
import type { FindingMessage, HelloMessage, ServerMessage, StreamHandlers } from '../../api/client.ts'
import type { Verdict } from '../../model/report.ts'
import { durationText } from '../../text/duration.ts'
import { escapeForTerminal } from '../../text/escape.ts'
import { createStyle } from '../../text/style.ts'
import { findingIdFlag } from '../finding-ids.ts'
import { findingRow, type ShownFinding } from '../screen/finding-row.ts'
import { localTime } from '../screen/local-time.ts'
import { createRepeatFilter } from '../screen/repeat-filter.ts'
import { countText, type StatusFacts } from '../screen/status-row.ts'
import { createTailScreen } from '../screen/tail-screen.ts'
import {
  addServiceOptions,
  allFindings,
  collect,
  messageFilter,
  type ServiceFlags,
  serviceAddress,
  sinceTime,
} from '../service-options.ts'
import { canMoveCursor, rowWidth, usesColour } from '../terminal.ts'
import { asciiJson } from './findings.ts'

interface TailFlags extends ServiceFlags {
  since: string
  finding: string[]
  json?: boolean
}

/** Where the tail goes: one of the three forms. */
export interface TailOutput {
  finding(message: FindingMessage): void
  note(text: string): void
  status(facts: Partial<Pick<StatusFacts, 'connection' | 'verdict' | 'stats' | 'store'>>): void
  /** Every message of the stream, as it came. */
  message(message: ServerMessage): void
  end(): void
}

/** 20 frames a second are as fast as an eye follows. */
const PAINT_MS = 50

export function addTailCommand(program: Command): void {
  const command = program
    .command('tail')
    .description('Follow the daemon’s findings live. Keys: q quit, / search, p pause, f filter.')
    .option('--since <when>', 'begin with what was last seen since: 90s, 10m, 2h, 7d, or a time', '10m')
    .option('--finding <id>', 'only this finding id (repeatable)', collect, [])
    .option('--json', 'print one JSON message a line')
  addServiceOptions(command).action(runTail)
}

/** Ends when the person quits, the reader of the pipe goes away, or the service refuses us. */
export async function runTail(flags: TailFlags): Promise<void> {
  const { createClient } = await import('../../api/client.ts')
  const client = createClient(serviceAddress(flags))
  const filter = messageFilter(flags, await findingIdFlag('--finding', flags.finding))
  const since = sinceTime(flags.since, Date.now())
  let end: () => void = () => {}
  let fail: (error: Error) => void = () => {}
  const ended = new Promise<void>((resolve, reject) => {
    end = resolve
    fail = reject
  })
  const output = flags.json === true ? jsonOutput() : canMoveCursor(process.stdout) ? screenOutput(end) : pipeOutput()
  process.once('SIGTERM', end)
  try {
    const after = await firstFindings(client.findings, { ...filter, since }, output, ended)
    if (after === undefined) return
    const handlers = streamHandlers(output, fail)
    const stream = client.stream({ filter, after }, handlers)
    try {
      await ended
    } finally {
      stream.close()
    }
  } finally {
    output.end()
  }
}

type Ask = Parameters<typeof allFindings>[0]

/** What was found before now; waits for the daemon to be there. Undefined when the person left first. */
async function firstFindings(
  ask: Ask,
  question: Parameters<typeof allFindings>[1],
  output: TailOutput,
  ended: Promise<void>,
): Promise<number | undefined> {
  let left = false
  void ended.then(() => {
    left = true
  })
  let told = false
  while (!left) {
    try {
      return await allFindings(ask, question, ({ seq, number, finding }) => {
        const message: FindingMessage = { type: 'finding', seq, number, finding }
        output.message(message)
        output.finding(message)
      })
    } catch (error) {
      if ((error as { code?: string }).code !== 'no-service') throw error
      if (!told) output.note(`${(error as Error).message} Waiting for it.`)
      told = true
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 500))])
    }
  }
  return undefined
}

/** What the stream's messages come to on `output`; `timeText` as the person reads times. */
export function streamHandlers(
  output: TailOutput,
  fail: (error: Error) => void,
  timeText: TimeText = localTime,
): StreamHandlers {
  let lostAt: number | undefined
  let started: string | undefined
  let lastEpoch = 0
  /** An epoch is told when it begins; its figures change all the time. */
  const noteEpoch = (epoch: StreamEpoch) => {
    if (epoch.id <= lastEpoch) return
    lastEpoch = epoch.id
    output.note(epochText(epoch))
  }
  return {
    message(message) {
      output.message(message)
      if (message.type === 'finding') output.finding(message)
      else if (message.type === 'verdict') output.status({ verdict: message.verdict as unknown as Verdict })
      else if (message.type === 'stats') output.status({ stats: message.stats, store: message.store })
      else if (message.type === 'epoch') noteEpoch(message.epoch)
      else if (message.type === 'gap') output.note(gapText(message))
    },
    connected(hello, back) {
      output.status({
        connection: 'connected',
        verdict: (hello.verdict ?? undefined) as unknown as Verdict | undefined,
        stats: hello.stats ?? undefined,
      })
      if (back && lostAt !== undefined)
        output.note(backText(hello, performance.now() - lostAt, hello.started !== started, timeText))
      if (!back) {
        output.note(greetingText(hello, timeText))
        lastEpoch = hello.epoch?.id ?? 0
      } else if (hello.epoch !== null) noteEpoch(hello.epoch)
      started = hello.started
      lostAt = undefined
    },
    lost(_, everConnected) {
      output.status({ connection: everConnected ? 'lost' : 'waiting' })
      if (everConnected && lostAt === undefined) output.note('The daemon is gone; reconnecting.')
      lostAt ??= performance.now()
    },
    storeReplaced() {
      lastEpoch = 0
      output.note('The daemon has a new store, because the old one was damaged or moved; everything in it follows.')
    },
    failed: fail,
  }
}

type TimeText = (iso: string) => string

function greetingText({ version, started, epoch }: HelloMessage, timeText: TimeText): string {
  const context = epoch === null ? '' : ` ${epochText(epoch)}`
  return `Following tunnelscope ${version}, which has been watching since ${timeText(started)}.${context}`
}

type StreamEpoch = Extract<ServerMessage, { type: 'epoch' }>['epoch']

function epochText(epoch: StreamEpoch): string {
  const up = `tunnel up (${epoch.tunnelInterfaces.join(', ')})`
  const tunnel = epoch.tunnelUp ? up : epoch.connected ? 'tunnel lost' : 'no tunnel'
  const resolvers = epoch.resolvers.length === 0 ? '' : `, resolvers ${epoch.resolvers.join(', ')}`
  return `Epoch ${epoch.id} (${epoch.reason}): ${tunnel}${resolvers}.`
}

function gapText(gap: Extract<ServerMessage, { type: 'gap' }>): string {
  return gap.reason === 'slow'
    ? `${countText(gap.count ?? 0)} findings came faster than this terminal reads; fetching them.`
    : 'Some findings of the time away are no longer kept.'
}

function backText(hello: HelloMessage, awayMs: number, restarted: boolean, timeText: TimeText): string {
  const away = durationText(awayMs * 1000)
  const missed = `${countText(hello.missed)} finding${hello.missed === 1 ? '' : 's'} from meanwhile`
  if (!restarted) return `Connected again after ${away}; ${missed}.`
  return `The daemon is back after ${away} (started ${timeText(hello.started)}); ${missed}. Nothing was captured while it was gone.`
}

function jsonOutput(): TailOutput {
  return {
    finding() {},
    note: (text) => process.stderr.write(`tunnelscope: ${escapeForTerminal(text)}\n`),
    status() {},
    message(message) {
      if (message.type !== 'hello' && message.type !== 'stats') process.stdout.write(`${asciiJson(message)}\n`)
    },
    end() {},
  }
}

function pipeOutput(): TailOutput {
  const style = createStyle(usesColour(process.stdout))
  const options = { columns: rowWidth(process.stdout), style, timeText: localTime }
  const isWorthALine = createRepeatFilter()
  return {
    finding({ finding }) {
      if (isWorthALine(finding)) process.stdout.write(`${findingRow(finding as ShownFinding, options)}\n`)
    },
    note: (text) => process.stderr.write(`— ${escapeForTerminal(text)}\n`),
    status() {},
    message() {},
    end() {},
  }
}

function screenOutput(quit: () => void): TailOutput {
  const { stdout, stdin } = process
  const screen = createTailScreen({
    columns: stdout.columns,
    rows: stdout.rows,
    style: createStyle(usesColour(stdout)),
    timeText: localTime,
  })
  const paint = () => {
    const bytes = screen.paint()
    if (bytes !== '') stdout.write(bytes)
  }
  const timer = setInterval(paint, PAINT_MS)
  const resize = () => screen.resize(stdout.columns, stdout.rows)
  const press = (data: Buffer) => {
    for (const key of keysOf(data.toString('utf8'))) if (screen.press(key)) quit()
    paint()
  }
  stdout.on('resize', resize)
  if (stdin.isTTY) {
    stdin.setRawMode(true)
    stdin.on('data', press)
    stdin.resume()
  } else process.once('SIGINT', quit)
  paint()
  return {
    finding: ({ finding }) => screen.finding(finding as ShownFinding),
    note: (text) => screen.note(text),
    status: (facts) => screen.status(facts),
    message() {},
    end() {
      clearInterval(timer)
      stdout.off('resize', resize)
      if (stdin.isTTY) {
        stdin.off('data', press)
        stdin.setRawMode(false)
        stdin.pause()
      }
      paint()
      stdout.write(screen.leave())
    },
  }
}

/** One string a key: escape sequences whole, everything else by character. */
function keysOf(text: string): string[] {
  return text.match(/\x1b\[[0-9;]*[A-Za-z~]|\x1bO.|\x1b|[\s\S]/gu) ?? []
}
