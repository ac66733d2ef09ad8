// `export`: the packets that show a finding of the store, as pcapng.
import { copyFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { DEFAULT_CONFIG, STANDARD_OUTPUT } from '../../constants/paths.ts'
import { defaultConfig, evidenceDirectory, readConfig } from '../../daemon/config.ts'
import type { Finding } from '../../model/finding.ts'
import { OperatorError } from '../../model/operator-error.ts'
import { systemErrorText } from '../../text/system-error.ts'

interface ExportFlags {
  finding: string
  write: string
  config?: string
  store?: string
  evidence?: string
}

/** Findings asked of the store at a time. */
const PAGE = 1000

export function addExportCommand(program: Command): void {
  program
    .command('export')
    .description('Write the packets that show a finding to a pcapng file.')
    .requiredOption('--finding <number>', 'its number, as tunnelscope findings shows it')
    .requiredOption('-w, --write <file>', 'the file; "-" is standard output')
    .option('--config <file>', `the daemon’s settings (default: ${DEFAULT_CONFIG}, when it is there)`)
    .option('--store <file>', 'the database of findings (default: that of the settings)')
    .option('--evidence <directory>', 'where the daemon keeps evidence (default: that of the settings)')
    .action(runExport)
}

async function runExport(flags: ExportFlags): Promise<void> {
  const { openReader } = await import('../../store/reader.ts')
  const { evidenceFilter } = await import('../../daemon/evidence.ts')
  const { evidenceName } = await import('../../daemon/evidence-files.ts')
  const file = flags.config ?? (existsSync(DEFAULT_CONFIG) ? DEFAULT_CONFIG : undefined)
  const config = file === undefined ? defaultConfig() : readConfig(file)
  const storePath = flags.store ?? config.store.path
  const finding = findingOf(storePath, numberOf(flags.finding), openReader)
  const from = join(flags.evidence ?? evidenceDirectory(config, flags.store), evidenceName(finding))
  try {
    if (flags.write === STANDARD_OUTPUT) process.stdout.write(readFileSync(from))
    else copyFileSync(from, flags.write)
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' && path === from) {
      throw new OperatorError(
        'no-evidence',
        `finding ${flags.finding} (${finding.id}) has no packets on disk: they are too old, or it was not seen in packets.`,
      )
    }
    if (code === 'EACCES' && path === from)
      throw new OperatorError('no-permission', `${from} is closed to you: use sudo.`)
    throw new OperatorError(
      'write-file',
      `${flags.write} cannot be written: ${systemErrorText(error)}; name another file with -w.`,
    )
  }
  // Into a pipe the packets alone; the sentence still for the person.
  const isPiped = flags.write === STANDARD_OUTPUT
  const into = isPiped ? process.stderr : process.stdout
  into.write(`${isPiped ? 'standard output' : flags.write}; the packets that show it: ${evidenceFilter(finding)}\n`)
}

/** @throws OperatorError `no-permission`, `no-store`, `no-finding` */
function findingOf(
  path: string,
  number: number,
  openReader: typeof import('../../store/reader.ts').openReader,
): Finding {
  let reader: ReturnType<typeof openReader>
  try {
    reader = openReader(path)
  } catch (error) {
    throw new OperatorError(
      'no-store',
      `The store ${path} cannot be read (${(error as Error).message}): use sudo, or give --store.`,
    )
  }
  try {
    for (let after = 0; ; ) {
      const page = reader.findings({ after, limit: PAGE })
      const found = page.find((one) => one.number === number)
      if (found !== undefined) return JSON.parse(found.body) as Finding
      if (page.length < PAGE) break
      after = page.at(-1)!.seq
    }
  } finally {
    reader.close()
  }
  throw new OperatorError('no-finding', `There is no finding ${number} in ${path}; tunnelscope findings lists them.`)
}

function numberOf(text: string): number {
  if (/^#?\d{1,15}$/.test(text)) return Number(text.replace('#', ''))
  throw new OperatorError('bad-flag', `--finding ${text}: give the finding’s number.`)
}
