// `findings`: what the daemon's store holds, one line a finding or as JSON.
import type { Command } from 'commander'
import type { FindingsAnswer } from '../../api/client.ts'
import { OperatorError } from '../../model/operator-error.ts'
import { createStyle } from '../../text/style.ts'
import { findingIdFlag } from '../finding-ids.ts'
import { findingRow, type ShownFinding } from '../screen/finding-row.ts'
import { localDateTime } from '../screen/local-time.ts'
import { countText } from '../screen/status-row.ts'
import {
  addServiceOptions,
  allFindings,
  collect,
  messageFilter,
  type ServiceFlags,
  serviceAddress,
  sinceTime,
} from '../service-options.ts'
import { rowWidth, usesColour } from '../terminal.ts'

interface FindingsFlags extends ServiceFlags {
  epoch?: string
  id: string[]
  json?: boolean
}

export function addFindingsCommand(program: Command): void {
  const command = program
    .command('findings')
    .description('Show the findings in the daemon’s store, oldest first.')
    .option('--since <when>', 'last seen since: 90s, 10m, 2h, 7d, or a time')
    .option('--epoch <number>', 'of this epoch')
    .option('--id <id>', 'with this finding id (repeatable)', collect, [])
    .option('--json', 'print one JSON object a line')
  addServiceOptions(command).action(runFindings)
}

async function runFindings(flags: FindingsFlags): Promise<void> {
  const { createClient } = await import('../../api/client.ts')
  const client = createClient(serviceAddress(flags))
  const question = {
    ...messageFilter(flags, await findingIdFlag('--id', flags.id)),
    ...(flags.since !== undefined && { since: sinceTime(flags.since, Date.now()) }),
    ...(flags.epoch !== undefined && { epoch: epochNumber(flags.epoch) }),
  }
  const print = flags.json === true ? jsonLine : textLine()
  let count = 0
  await allFindings(client.findings, question, (item) => {
    count++
    process.stdout.write(`${print(item)}\n`)
  })
  if (flags.json !== true) {
    process.stderr.write(
      count === 0
        ? 'No such finding in the store.\n'
        : `${countText(count)} finding${count === 1 ? '' : 's'}; --json tells each in full, with what to do.\n`,
    )
  }
}

type Item = FindingsAnswer['findings'][number]

function jsonLine({ number, finding }: Item): string {
  return asciiJson({ number, ...finding })
}

/** JSON that no terminal acts on. */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function textLine(): (item: Item) => string {
  const style = createStyle(usesColour(process.stdout))
  const options = { columns: rowWidth(process.stdout) - NUMBER_COLUMNS - 1, style, timeText: localDateTime }
  return ({ number, finding }) =>
    `${style.dim(`#${number}`.padStart(NUMBER_COLUMNS))} ${findingRow(finding as ShownFinding, options)}`
}

/** `#12345`. */
const NUMBER_COLUMNS = 6

function epochNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new OperatorError('bad-flag', `--epoch ${text}: give the epoch’s number.`)
}
