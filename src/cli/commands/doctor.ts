// `doctor`: may we capture, what is watched and why, where DNS would leave, what would make a verdict incomplete.
import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { DEFAULT_CONFIG } from '../../constants/paths.ts'
import { defaultConfig, readConfig } from '../../daemon/config.ts'
import type { DoctorLevel, DoctorLine } from '../../daemon/doctor.ts'
import { escapeForTerminal, escapeInJson } from '../../text/escape.ts'
import { createStyle, type Style } from '../../text/style.ts'
import { EXIT_FINDINGS } from '../exit-codes.ts'
import { usesColour } from '../terminal.ts'

const SIGN: Readonly<Record<DoctorLevel, string>> = Object.freeze({
  ok: 'ok',
  note: 'note',
  warning: 'warn',
  problem: 'PROBLEM',
})
const SIGN_COLUMNS = 8

export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('Can we capture, which resolvers and routes are in force, what would make a verdict incomplete.')
    .option('--config <file>', `the daemon’s settings (default: ${DEFAULT_CONFIG}, when it is there)`)
    .option('--socket <path>', 'the service’s UNIX socket (default: that of the settings)')
    .option('--json', 'print the lines as JSON')
    .action(runDoctor)
}

async function runDoctor(flags: { config?: string; socket?: string; json?: boolean }): Promise<void> {
  const { diagnose } = await import('../../daemon/doctor.ts')
  const { doctorFacts } = await import('../../daemon/doctor-facts.ts')
  const file = flags.config ?? (existsSync(DEFAULT_CONFIG) ? DEFAULT_CONFIG : undefined)
  const config = file === undefined ? defaultConfig() : readConfig(file)
  const lines = diagnose(await doctorFacts(config, { socketPath: flags.socket ?? config.api.socket }))
  const text =
    flags.json === true
      ? escapeInJson(JSON.stringify(lines, undefined, 2))
      : doctorText(lines, createStyle(usesColour(process.stdout)))
  process.stdout.write(`${text}\n`)
  if (lines.some(({ level }) => level === 'problem')) process.exitCode = EXIT_FINDINGS
}

/** The lines for a person: a heading a section, what to do below what is wrong. */
export function doctorText(lines: readonly DoctorLine[], style: Style): string {
  const paint = { ok: style.good, note: style.dim, warning: style.warn, problem: style.bad }
  const out: string[] = []
  let section = ''
  for (const line of lines) {
    if (line.section !== section) out.push(...(section === '' ? [] : ['']), style.bold(line.section))
    section = line.section
    out.push(`  ${paint[line.level](SIGN[line.level].padEnd(SIGN_COLUMNS))}${escapeForTerminal(line.words)}`)
    if (line.advice !== undefined) out.push(`  ${' '.repeat(SIGN_COLUMNS)}-> ${escapeForTerminal(line.advice)}`)
  }
  return out.join('\n')
}
