// `check URL`: the same site over each interface and resolver, judged by the same engine. The only command that sends packets.
import type { Command } from 'commander'
import type { CheckReport } from '../../model/check.ts'
import { SEVERITY_RANK, type Severity } from '../../model/finding.ts'
import type { IpFamily } from '../../model/network-context.ts'
import { OperatorError } from '../../model/operator-error.ts'
import { checkText } from '../../text/check-text.ts'
import { escapeForTerminal, escapeInJson } from '../../text/escape.ts'
import { EXIT_FINDINGS } from '../exit-codes.ts'
import { addressFlag, severityFlag } from '../network-flags.ts'
import { collect } from '../service-options.ts'
import { outputWidth, usesColour } from '../terminal.ts'

interface CheckFlags {
  interface: string[]
  resolver: string[]
  ipv4?: boolean
  ipv6?: boolean
  timeout: string
  ca?: string
  write?: string
  dryRun?: boolean
  json?: boolean
  failOn?: string
  user?: string
}

/** Seconds of one connection: less shows nothing, more nobody waits for. */
const MIN_TIMEOUT = 2
const MAX_TIMEOUT = 120
/** 128 and the signal's number, as a shell has it. */
const EXIT_INTERRUPTED = 130

export function addCheckCommand(program: Command): void {
  program
    .command('check')
    .description(
      'Open a site once over each interface and resolver and say what differs. This sends packets; nothing else here does.',
    )
    .argument('<url>', 'http:// or https://; https without either')
    .option('-i, --interface <name>', 'go by this interface only (repeatable)', collect, [])
    .option('--resolver <address>', 'ask this resolver too (repeatable)', collect, [])
    .option('-4, --ipv4', 'IPv4 only')
    .option('-6, --ipv6', 'IPv6 only')
    .option('--timeout <seconds>', 'for one connection with all that follows', '10')
    .option('--ca <file>', 'trust these certificates (PEM) too; NODE_EXTRA_CA_CERTS is heeded as well')
    .option('-w, --write <file>', 'keep the packets and the network context in this pcapng file')
    .option('--dry-run', 'say what would be sent and from where, and send nothing')
    .option('--json', 'print the report as JSON')
    .option(
      '--fail-on <severity>',
      'exit 1 when there is a finding of this severity or worse (info, warning, critical); a site that fails is a warning',
    )
    .option('--user <name>', 'who root becomes (default: who called sudo, else the service’s user)')
    .action(runCheckCommand)
}

async function runCheckCommand(url: string, flags: CheckFlags): Promise<void> {
  const { parseTarget } = await import('../../check/target.ts')
  const target = parseTarget(url)
  const failOn = severityFlag(flags.failOn)
  const timeoutMillis = timeoutFlag(flags.timeout)
  if (flags.write === '-') throw new OperatorError('bad-flag', '-w -: standard output is for the report; name a file.')
  const options = {
    interfaces: flags.interface,
    resolvers: flags.resolver.map((value) => addressFlag('--resolver', value)),
    ...familyOf(flags),
  }
  const { dryRun, runCheck } = await import('../../check/check.ts')
  if (flags.dryRun === true) {
    for (const line of dryRun(target, options)) process.stdout.write(`${escapeForTerminal(line)}\n`)
    return
  }
  const pathOf = await withoutRights(flags)
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  process.once('SIGTERM', () => stop.abort())
  const { readTrusted } = await import('../../check/certificate.ts')
  const ca = flags.ca === undefined ? undefined : readTrusted(flags.ca)
  const report = await runCheck({
    ...options,
    target,
    timeoutMillis,
    ...(ca === undefined ? {} : { ca }),
    ...(flags.write === undefined ? {} : { file: { path: pathOf(flags.write), name: flags.write } }),
    signal: stop.signal,
    tell,
  })
  print(report, flags)
  if (failOn !== undefined && worstOf(report) >= SEVERITY_RANK[failOn]) process.exitCode = EXIT_FINDINGS
  if (report.verdict.reasons.length > 0 && stop.signal.aborted) process.exitCode = EXIT_INTERRUPTED
}

/**
 * As root, or with more rights than CAP_NET_RAW, the program starts again without them: it is going to read what strangers
 * send. The first call then never returns.
 */
async function withoutRights(flags: CheckFlags): Promise<(path: string) => string> {
  const { enterService, findAccount, inheritedPath, takeInherited } = await import('../../daemon/privileges.ts')
  const { SERVICE_USER } = await import('../../constants/paths.ts')
  const inherited = takeInherited()
  if (inherited === undefined) {
    const caller = process.env.SUDO_USER
    const isKnown = caller !== undefined && findAccount(caller) !== undefined
    enterService({
      user: flags.user ?? (isKnown ? caller : SERVICE_USER),
      keepNetRaw: true,
      directories: [],
      files: flags.write === undefined ? [] : [flags.write],
    })
  }
  return (path) => inheritedPath(inherited, path)
}

function print(report: CheckReport, flags: CheckFlags): void {
  const text =
    flags.json === true
      ? `${escapeInJson(JSON.stringify(report, undefined, 2))}\n`
      : checkText(report, { width: outputWidth(), colour: usesColour(process.stdout) })
  process.stdout.write(text)
}

function tell(line: string): void {
  process.stderr.write(`${escapeForTerminal(line)}\n`)
}

/** −1 when there is nothing. */
function worstOf({ verdict, findings }: CheckReport): number {
  const own: Severity[] = verdict.word === 'differs' || verdict.word === 'fails' ? ['warning'] : []
  return Math.max(-1, ...[...own, ...findings.map((one) => one.severity)].map((one) => SEVERITY_RANK[one]))
}

function familyOf({ ipv4, ipv6 }: CheckFlags): { family?: IpFamily } {
  if (ipv4 === ipv6) return {}
  return { family: ipv4 === true ? 4 : 6 }
}

function timeoutFlag(text: string): number {
  const seconds = /^\d{1,3}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN
  if (seconds >= MIN_TIMEOUT && seconds <= MAX_TIMEOUT) return seconds * 1000
  throw new OperatorError('bad-number', `--timeout ${text}: give seconds from ${MIN_TIMEOUT} to ${MAX_TIMEOUT}.`)
}
