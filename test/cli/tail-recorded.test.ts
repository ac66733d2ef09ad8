// What a person sees of two scenarios of the lab, at two widths: the messages that a real daemon sent, played into the screen.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ServerMessage, serverMessageSchema } from '../../src/api/messages.ts'
import { streamHandlers, type TailOutput } from '../../src/cli/commands/tail.ts'
import { createTailScreen } from '../../src/cli/screen/tail-screen.ts'
import { createStyle } from '../../src/text/style.ts'
import { expectGolden } from '../support/golden.ts'
import { playTerminal } from '../support/screen.ts'

const ROWS = 24

function recorded(name: string): ServerMessage[] {
  const lines = readFileSync(join(import.meta.dirname, `recorded/${name}.jsonl`), 'utf8')
    .trim()
    .split('\n')
  return lines.map((line) => serverMessageSchema.parse(JSON.parse(line)))
}

/** The rows of the terminal when all was said, each message painted as it came. */
function screenOf(messages: readonly ServerMessage[], columns: number): string[] {
  const timeText = (iso: string) => iso.slice(11, 19)
  const screen = createTailScreen({ columns, rows: ROWS, style: createStyle(false), timeText })
  const output: TailOutput = {
    finding: ({ finding }) => screen.finding(finding),
    note: screen.note,
    status: screen.status,
    message() {},
    end() {},
  }
  const fail = (error: Error) => {
    throw error
  }
  const handlers = streamHandlers(output, fail, timeText)
  let bytes = screen.paint()
  for (const message of messages) {
    if (message.type === 'hello') handlers.connected?.(message, false)
    handlers.message(message)
    bytes += screen.paint()
  }
  return playTerminal(bytes, columns, ROWS)
}

describe.each(['leak-mixed', 'tunnel-flap'])('%s', (name) => {
  test.each([80, 160])('at %i columns', (columns) => {
    const golden = join(import.meta.dirname, `golden/tail-${name}-${columns}.golden.txt`)
    expectGolden(golden, `${screenOf(recorded(name), columns).join('\n')}\n`)
  })
})
