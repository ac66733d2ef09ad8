// What `compare` holds against each other, gathered: captures, epochs inside one capture, or epochs of the daemon's store.
import { existsSync } from 'node:fs'
import { networkWords } from '../analysis/compare/observation.ts'
import type { KeyLog } from '../analysis/key-log.ts'
import { openCaptures } from '../capture/open-captures.ts'
import { openKeyLogs } from '../daemon/key-log-files.ts'
import { analyze } from '../daemon/pipeline.ts'
import { VERSION } from '../daemon/version.ts'
import type { InputSummary } from '../model/capture-interface.ts'
import type { Comparison, ComparisonNote, LabelledObservation } from '../model/comparison.ts'
import type { Finding } from '../model/finding.ts'
import { OperatorError } from '../model/operator-error.ts'
import type { Epoch, Report } from '../model/report.ts'
import type { SiteObservation } from '../model/site.ts'
import { EXIT_DAMAGED } from './exit-codes.ts'
import { createProgress } from './progress.ts'
import { type AddressFlags, serviceAddress } from './service-options.ts'
import { tellDamage } from './tell-damage.ts'
import { tellKeyLog } from './tell-key-log.ts'

export interface SideFlags extends AddressFlags {
  tunnel: string[]
  physical: string[]
  keylog?: string[]
  /** True when no number is given. */
  epochs?: string[] | true
}

/** One side: a capture, or several that belong together, or an epoch of the store. */
export interface Side {
  /** '' when its epochs are told apart by their numbers alone. */
  name: string
  files: string[]
  epochs: Epoch[]
  sites: SiteObservation[]
  findings: Finding[]
}

/** The sides that arguments and flags name. @throws OperatorError */
export async function readSides(captures: readonly string[], flags: SideFlags): Promise<Side[]> {
  const numbers = flags.epochs === undefined || flags.epochs === true ? undefined : epochNumbers(flags.epochs)
  if (captures.length === 0) {
    if ((flags.keylog ?? []).length > 0) {
      throw new OperatorError('bad-flag', '--keylog opens what captures hold; the store has no packets to open.')
    }
    if (numbers !== undefined) return storeSides(numbers, flags)
    if (flags.epochs === true) return storedEpochs(flags)
    throw new OperatorError('bad-flag', 'compare needs a capture, or --epochs with two numbers.')
  }
  if (numbers !== undefined && captures.length > 1) {
    throw new OperatorError(
      'bad-flag',
      '--epochs chooses epochs of one capture or of the store, not of several captures.',
    )
  }
  if (captures.length > MAX_CAPTURES) {
    throw new OperatorError('bad-flag', `compare takes at most ${MAX_CAPTURES} captures.`)
  }
  const sides: Side[] = []
  const keyLog = openKeyLogs(flags.keylog ?? [])
  for (const [index, argument] of captures.entries()) {
    const name = captures.length === 1 ? '' : String.fromCharCode(A_CODE + index)
    sides.push(await readSide(name, argument, flags, keyLog))
  }
  tellKeyLog(keyLog)
  return numbers === undefined ? sides : sides.map((side) => onlyEpochs(side, numbers))
}

/** One letter for each. */
const MAX_CAPTURES = 26
const A_CODE = 65

function epochNumbers(given: readonly string[]): number[] {
  const numbers = given.map(Number)
  if (given.length < 2 || new Set(numbers).size < given.length || given.some((one) => !/^\d{1,15}$/.test(one))) {
    throw new OperatorError(
      'bad-flag',
      '--epochs takes two different numbers or more, after the capture: --epochs 3 4.',
    )
  }
  return numbers
}

async function readSide(name: string, argument: string, flags: SideFlags, keyLog: KeyLog | undefined): Promise<Side> {
  const files = existsSync(argument) ? [argument] : argument.split(',')
  const source = await openCaptures(files)
  const progress = createProgress(source)
  let report: Report
  let inputs: readonly InputSummary[]
  try {
    const options = { version: VERSION, tunnels: flags.tunnel, physicals: flags.physical, vpnResolvers: [] }
    const more = { namesAreSites: true, ...(keyLog === undefined ? {} : { keyLog }) }
    report = (await analyze(source, { ...options, ...more }, progress.batch)).report()
    inputs = source.inputs
  } finally {
    progress.end()
    await source.close()
  }
  if (tellDamage(inputs)) process.exitCode = EXIT_DAMAGED
  return { name, files, epochs: report.epochs, sites: report.sites, findings: report.findings }
}

function onlyEpochs(side: Side, numbers: readonly number[]): Side {
  const missing = numbers.find((number) => !side.epochs.some(({ id }) => id === number))
  if (missing !== undefined) {
    throw new OperatorError('no-such-epoch', `the capture has no epoch ${missing}, only 1 to ${side.epochs.length}.`)
  }
  return {
    ...side,
    epochs: side.epochs.filter(({ id }) => numbers.includes(id)),
    sites: side.sites.filter(({ epoch }) => numbers.includes(epoch)),
    findings: side.findings.filter(({ epoch }) => numbers.includes(epoch)),
  }
}

/** The epochs that the service keeps, without their sites. */
async function storedEpochs(flags: AddressFlags): Promise<Side[]> {
  const { createClient } = await import('../api/client.ts')
  const { epochs } = (await createClient(serviceAddress(flags)).get('epochs')) as { epochs: Epoch[] }
  return [{ name: '', files: [], epochs, sites: [], findings: [] }]
}

/** What the service keeps of some epochs. */
async function storeSides(numbers: readonly number[], flags: AddressFlags): Promise<Side[]> {
  const { createClient } = await import('../api/client.ts')
  const client = createClient(serviceAddress(flags))
  const { epochs } = (await client.get('epochs')) as { epochs: Epoch[] }
  const sides: Side[] = []
  for (const number of numbers) {
    const epoch = epochs.find(({ id }) => id === number)
    if (epoch === undefined) throw new OperatorError('no-such-epoch', `the store has no epoch ${number}.`)
    const sites = await client.sites(number)
    const { findings } = await client.findings({ epoch: number, severity: 'warning', limit: MAX_FINDINGS })
    sides.push({ name: '', files: [], epochs: [epoch], sites, findings: findings.map((one) => one.finding as Finding) })
  }
  return sides
}

/** Of one epoch; more are not read by anybody. */
const MAX_FINDINGS = 1000

export function labelOf(side: Side, epoch: number): string {
  if (side.name === '') return `epoch ${epoch}`
  return side.epochs.length > 1 ? `${side.name} epoch ${epoch}` : side.name
}

/**
 * Everything seen of the sites, in order of sides and time. `site`: only that one and what lies below it.
 * @throws OperatorError `no-such-site`
 */
export function observationsOf(sides: readonly Side[], site: string | undefined): LabelledObservation[] {
  const wanted = site?.toLowerCase().replace(/\.$/, '')
  const seen = sides.flatMap((side) =>
    side.sites.map((observation) => ({ label: labelOf(side, observation.epoch), observation })),
  )
  if (wanted === undefined) return seen
  const found = seen.filter(({ observation: { host } }) => host === wanted || host.endsWith(`.${wanted}`))
  if (found.length > 0) return found
  const hosts = [...new Set(seen.map(({ observation: { host } }) => host))]
  const named = hosts.length === 0 ? 'no site' : hosts.slice(0, MAX_NAMED_SITES).join(', ')
  const more = hosts.length > MAX_NAMED_SITES ? ` and ${hosts.length - MAX_NAMED_SITES} more` : ''
  throw new OperatorError('no-such-site', `--site ${site}: not seen there; seen was ${named}${more}.`)
}

/** In one sentence. */
const MAX_NAMED_SITES = 10

export function contextsOf(sides: readonly Side[]): Comparison['contexts'] {
  return sides.flatMap((side) =>
    side.epochs.map((epoch) => ({
      label: labelOf(side, epoch.id),
      files: side.files,
      network: networkOf(side, epoch),
      resolvers: epoch.resolvers,
      start: epoch.start,
    })),
  )
}

function networkOf(side: Side, epoch: Epoch): string {
  const seen = side.sites.find((one) => one.epoch === epoch.id)
  if (seen !== undefined) return networkWords(seen)
  if (epoch.tunnelUp) {
    const server = [epoch.transport, epoch.endpoint].filter((part) => part !== undefined).join(' ')
    return `tunnel up: ${epoch.tunnelInterfaces.join(', ')}${server === '' ? '' : ` (${server})`}`
  }
  return epoch.connected ? 'the tunnel is lost' : 'no tunnel'
}

/** Findings about a whole network, which its sites suffer from. */
const NOTED = /^(mtu-|dns-slow|dns-failing|dns-unanswered|tcp-lossy|tunnel-down)/

export function notesOf(sides: readonly Side[]): ComparisonNote[] {
  return sides.flatMap((side) =>
    side.findings
      .filter((one) => one.severity !== 'info' && NOTED.test(one.id))
      .map((one) => ({ label: labelOf(side, one.epoch), id: one.id, severity: one.severity, summary: one.summary })),
  )
}
