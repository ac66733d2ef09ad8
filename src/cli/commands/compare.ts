// `compare A [B]`: the same sites in two network contexts: two captures, the epochs inside one, or two epochs of the store.
import { existsSync, writeFileSync } from 'node:fs'
import type { Command } from 'commander'
import { compareSites } from '../../analysis/compare/compare-sites.ts'
import { networkWords } from '../../analysis/compare/observation.ts'
import { openCaptures } from '../../capture/open-captures.ts'
import { analyze } from '../../daemon/pipeline.ts'
import { VERSION } from '../../daemon/version.ts'
import type { InputSummary } from '../../model/capture-interface.ts'
import { COMPARISON_SCHEMA, type Comparison, type LabelledObservation } from '../../model/comparison.ts'
import { OperatorError } from '../../model/operator-error.ts'
import type { Epoch, Report } from '../../model/report.ts'
import type { SiteObservation } from '../../model/site.ts'
import { comparisonHtml } from '../../text/comparison-html.ts'
import { redactComparison } from '../../text/comparison-redact.ts'
import { comparisonText } from '../../text/comparison-text.ts'
import { EXIT_DAMAGED } from '../exit-codes.ts'
import { createProgress } from '../progress.ts'
import { addServiceOptions, type ServiceFlags, serviceAddress } from '../service-options.ts'
import { tellDamage } from '../tell-damage.ts'
import { outputWidth, usesColour } from '../terminal.ts'

interface CompareFlags extends ServiceFlags {
  tunnel: string[]
  physical: string[]
  epochs?: string[]
  json?: boolean
  html?: string
  redact?: boolean
}

/** One side: a capture, or several that belong together, or an epoch of the store. */
interface Side {
  /** '' when there is only one. */
  name: string
  files: string[]
  epochs: Epoch[]
  sites: SiteObservation[]
  findings: Report['findings']
}

export function addCompareCommand(program: Command): void {
  const command = program
    .command('compare')
    .description(
      'Say what changed for each site between two captures, the epochs inside one, or two epochs of the store.',
    )
    .argument('[a]', 'a capture, or several with commas between them, merged by time')
    .argument('[b]', 'the other side; without it the epochs inside A are compared')
    .option('--epochs <number...>', 'compare two epochs of the daemon’s store: --epochs 3 4')
    .option('--tunnel <name>', 'this interface or file is the tunnel (repeatable)', collect, [])
    .option('--physical <name>', 'this interface or file is a way out of the machine (repeatable)', collect, [])
    .option('--json', 'print the comparison as JSON')
    .option('--html <file>', 'write it as one HTML file that asks nobody for anything')
    .option('--redact', 'replace names, addresses and files by words that say nothing')
  addServiceOptions(command).action(runCompare)
}

/** @throws OperatorError */
async function runCompare(a: string | undefined, b: string | undefined, flags: CompareFlags): Promise<void> {
  const sides = flags.epochs === undefined ? await captureSides(a, b, flags) : await storeSides(a, flags.epochs, flags)
  const whole = comparisonOf(sides, flags.site)
  const comparison = flags.redact === true ? redactComparison(whole) : whole
  if (flags.html !== undefined) writeHtml(flags.html, comparisonHtml(comparison))
  if (flags.json === true) process.stdout.write(`${JSON.stringify(comparison, undefined, 2)}\n`)
  else if (flags.html === undefined) {
    process.stdout.write(comparisonText(comparison, { width: outputWidth(), colour: usesColour(process.stdout) }))
  }
}

async function captureSides(a: string | undefined, b: string | undefined, flags: CompareFlags): Promise<Side[]> {
  if (a === undefined) throw new OperatorError('bad-flag', 'compare needs a capture, or --epochs with two numbers.')
  const named = b === undefined ? [['', a] as const] : [['A', a] as const, ['B', b] as const]
  const sides: Side[] = []
  for (const [name, argument] of named) sides.push(await readSide(name, argument, flags))
  return sides
}

async function readSide(name: string, argument: string, flags: CompareFlags): Promise<Side> {
  const files = existsSync(argument) ? [argument] : argument.split(',')
  const source = await openCaptures(files)
  const progress = createProgress(source)
  let report: Report
  let inputs: readonly InputSummary[]
  try {
    const options = { version: VERSION, tunnels: flags.tunnel, physicals: flags.physical, vpnResolvers: [] }
    report = (await analyze(source, options, progress.batch)).report()
    inputs = source.inputs
  } finally {
    progress.end()
    await source.close()
  }
  if (tellDamage(inputs)) process.exitCode = EXIT_DAMAGED
  return { name, files, epochs: report.epochs, sites: report.sites, findings: report.findings }
}

/** What the service keeps of two epochs. */
async function storeSides(a: string | undefined, numbers: readonly string[], flags: CompareFlags): Promise<Side[]> {
  if (a !== undefined || numbers.length !== 2 || numbers.some((one) => !/^\d{1,15}$/.test(one))) {
    throw new OperatorError('bad-flag', '--epochs takes two numbers and no capture: --epochs 3 4.')
  }
  const { createClient } = await import('../../api/client.ts')
  const client = createClient(serviceAddress(flags))
  const { epochs } = (await client.get('epochs')) as { epochs: Epoch[] }
  const sides: Side[] = []
  for (const number of numbers) {
    const epoch = epochs.find((one) => one.id === Number(number))
    if (epoch === undefined) throw new OperatorError('no-such-epoch', `the store has no epoch ${number}.`)
    const { sites } = (await client.get(`sites?epoch=${number}`)) as { sites: SiteObservation[] }
    sides.push({ name: '', files: [], epochs: [epoch], sites, findings: [] })
  }
  return sides
}

/** Everything held against everything, in order of sides and time. */
function comparisonOf(sides: readonly Side[], site: string | undefined): Comparison {
  const wanted = site?.toLowerCase().replace(/\.$/, '')
  const observations = sides.flatMap((side) =>
    side.sites
      .filter(({ host }) => wanted === undefined || host === wanted || host.endsWith(`.${wanted}`))
      .map((observation): LabelledObservation => ({ label: labelOf(side, observation.epoch), observation })),
  )
  return {
    tool: { name: 'tunnelscope', version: VERSION },
    schema: COMPARISON_SCHEMA,
    contexts: sides.flatMap((side) =>
      side.epochs.map((epoch) => ({
        label: labelOf(side, epoch.id),
        files: side.files,
        network: networkOf(side, epoch),
        resolvers: epoch.resolvers,
        start: epoch.start,
      })),
    ),
    sites: compareSites(observations),
    notes: sides.flatMap((side) =>
      side.findings
        .filter((one) => one.severity !== 'info' && NOTED.test(one.id))
        .map((one) => ({ label: labelOf(side, one.epoch), id: one.id, severity: one.severity, summary: one.summary })),
    ),
  }
}

/** Findings about a whole network, which its sites suffer from. */
const NOTED = /^(mtu-|dns-slow|dns-failing|dns-unanswered|tcp-lossy|tunnel-down)/

function labelOf(side: Side, epoch: number): string {
  if (side.name === '') return `epoch ${epoch}`
  return side.epochs.length > 1 ? `${side.name} epoch ${epoch}` : side.name
}

function networkOf(side: Side, epoch: Epoch): string {
  const seen = side.sites.find((one) => one.epoch === epoch.id)
  if (seen !== undefined) return networkWords(seen)
  return epoch.tunnelUp ? `tunnel up: ${epoch.tunnelInterfaces.join(', ')}` : 'no tunnel'
}

function writeHtml(path: string, html: string): void {
  try {
    writeFileSync(path, html, { mode: 0o600 })
  } catch (error) {
    throw new OperatorError('cannot-write', `cannot write ${path}: ${(error as NodeJS.ErrnoException).code}.`)
  }
}

function collect(value: string, before: string[]): string[] {
  return [...before, value]
}
