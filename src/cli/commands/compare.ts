// `compare A [B …]`: the same sites in several network contexts: captures, the epochs inside one, or epochs of the store.
import type { Command } from 'commander'
import { compareSites } from '../../analysis/compare/compare-sites.ts'
import { VERSION } from '../../daemon/version.ts'
import { COMPARISON_SCHEMA, type Comparison } from '../../model/comparison.ts'
import { comparisonHtml } from '../../text/comparison-html.ts'
import { comparisonText, epochsText } from '../../text/comparison-text.ts'
import { escapeInJson } from '../../text/escape.ts'
import { redact } from '../../text/redact.ts'
import { contextsOf, notesOf, observationsOf, readSides, type SideFlags } from '../comparison-sides.ts'
import { KEYLOG_HELP } from '../network-flags.ts'
import { addAddressOptions } from '../service-options.ts'
import { outputWidth, usesColour } from '../terminal.ts'
import { checkPage, writePage } from '../write-page.ts'

interface CompareFlags extends SideFlags {
  site?: string
  json?: boolean
  html?: string
  redact?: boolean
}

export function addCompareCommand(program: Command): void {
  const command = program
    .command('compare')
    .description('Say what changed for each site between captures, the epochs inside one, or epochs of the store.')
    .argument(
      '[captures...]',
      'one: its epochs are compared; more: each is a side. Commas join files that belong together',
    )
    .option(
      '--epochs [number...]',
      'only these epochs of the capture or, without one, of the daemon’s store; lists them when no number is given',
    )
    .option('--tunnel <name>', 'this interface or file is the tunnel (repeatable)', collect, [])
    .option('--physical <name>', 'this interface or file is a way out of the machine (repeatable)', collect, [])
    .option('--keylog <file>', KEYLOG_HELP, collect, [])
    .option('--site <host>', 'only this host and the names below it')
    .option('--json', 'print the comparison as JSON')
    .option('--html <file>', 'write it as one HTML file that asks nobody for anything')
    .option('--redact', 'replace names, addresses and files by words that say nothing')
  addAddressOptions(command).action(runCompare)
}

/** @throws OperatorError */
async function runCompare(captures: readonly string[], flags: CompareFlags): Promise<void> {
  checkPage(flags.html, flags.json)
  const sides = await readSides(captures, flags)
  if (flags.epochs === true) {
    const options = { width: outputWidth(), colour: usesColour(process.stdout) }
    process.stdout.write(epochsText(contextsOf(sides), options))
    return
  }
  const whole: Comparison = {
    tool: { name: 'tunnelscope', version: VERSION },
    schema: COMPARISON_SCHEMA,
    contexts: contextsOf(sides),
    sites: compareSites(observationsOf(sides, flags.site)),
    notes: notesOf(sides),
  }
  const comparison = flags.redact === true ? redact(whole) : whole
  if (flags.html !== undefined) writePage(flags.html, comparisonHtml(comparison))
  if (flags.json === true) process.stdout.write(`${escapeInJson(JSON.stringify(comparison, undefined, 2))}\n`)
  else if (flags.html === undefined) {
    process.stdout.write(comparisonText(comparison, { width: outputWidth(), colour: usesColour(process.stdout) }))
  }
}

function collect(value: string, before: string[]): string[] {
  return [...before, value]
}
