// `analyze FILE…`: the engine over capture files, merged by time; a report for a person or as JSON.
import { once } from 'node:events'
import type { Command } from 'commander'
import type { AnalyzerOptions } from '../../analysis/analyzer-interface.ts'
import { openCaptures } from '../../capture/open-captures.ts'
import type { CaptureSource } from '../../capture/source.ts'
import { openAsDatabase } from '../../daemon/as-database.ts'
import { openKeyLogs } from '../../daemon/key-log-files.ts'
import { analyze } from '../../daemon/pipeline.ts'
import { VERSION } from '../../daemon/version.ts'
import { SEVERITY_RANK } from '../../model/finding.ts'
import { OperatorError } from '../../model/operator-error.ts'
import type { Report } from '../../model/report.ts'
import { redact } from '../../text/redact.ts'
import { reportText } from '../../text/report.ts'
import { reportHtml } from '../../text/report-html.ts'
import { reportJson } from '../../text/report-json.ts'
import { addCaptureFiles, type CaptureFileFlags, captureFiles, captureFilter } from '../capture-files.ts'
import { EXIT_DAMAGED, EXIT_FINDINGS } from '../exit-codes.ts'
import { addressFlag, dohFlag, endpointFlag, KEYLOG_HELP, severityFlag } from '../network-flags.ts'
import { createProgress } from '../progress.ts'
import { collect } from '../service-options.ts'
import { tellDamage } from '../tell-damage.ts'
import { tellKeyLog } from '../tell-key-log.ts'
import { outputWidth, usesColour } from '../terminal.ts'
import { checkPage, writePage } from '../write-page.ts'

/** Characters written at once. */
const WRITE_LEN = 1 << 16

interface AnalyzeFlags extends CaptureFileFlags {
  tunnel: string[]
  physical: string[]
  vpnResolver: string[]
  doh: string[]
  endpoint?: string[]
  splitDns?: string[]
  asDatabase?: string
  keylog?: string[]
  json?: boolean
  html?: string
  redact?: boolean
  failOn?: string
}

export function addAnalyzeCommand(program: Command): void {
  const command = program
    .command('analyze')
    .description('Analyse capture files (pcap, pcapng, also .gz and .zst; "-" reads standard input), merged by time.')
  addCaptureFiles(command, 'captures; several are merged by time')
    .option('--tunnel <name>', 'this interface or file is the tunnel (repeatable)', collect, [])
    .option('--physical <name>', 'this interface or file is a way out of the machine (repeatable)', collect, [])
    .option('--vpn-resolver <address>', 'address of a resolver that belongs to the VPN (repeatable)', collect, [])
    .option('--endpoint <address[:port]>', 'a VPN server: what goes there is the VPN’s own (repeatable)', collect, [])
    .option('--split-dns <domain>', 'this domain is resolved outside the tunnel on purpose (repeatable)', collect, [])
    .option('--as-database <file>', 'AS-number database (.mmdb) that tells who runs a resolver')
    .option('--doh <name-or-address>', 'an encrypted resolver besides the well-known ones (repeatable)', collect, [])
    .option('--keylog <file>', KEYLOG_HELP, collect, [])
    .option('--json', 'print the report as JSON')
    .option('--html <file>', 'write the report as one HTML file that asks nobody for anything')
    .option('--redact', 'replace names, addresses and files by words that say nothing')
    .option('--fail-on <severity>', 'exit 1 when there is a finding of this severity or worse: info, warning, critical')
    .action(runAnalyze)
}

/** Analyses the files and prints the report. @throws OperatorError */
export async function runAnalyze(words: string[], flags: AnalyzeFlags): Promise<void> {
  const failOn = severityFlag(flags.failOn)
  checkPage(flags.html, flags.json)
  const options: AnalyzerOptions = {
    version: VERSION,
    tunnels: flags.tunnel,
    physicals: flags.physical,
    vpnResolvers: flags.vpnResolver.map((value) => addressFlag('--vpn-resolver', value)),
    endpoints: (flags.endpoint ?? []).map(endpointFlag),
    splitDomains: flags.splitDns ?? [],
    ...(flags.asDatabase === undefined ? {} : { ownerOf: openAsDatabase(flags.asDatabase) }),
    encryptedResolvers: flags.doh.map(dohFlag),
  }
  const keyLog = openKeyLogs(flags.keylog ?? [])
  if (keyLog !== undefined) options.keyLog = keyLog
  const source = await openCaptures(captureFiles(words, flags), captureFilter(words, flags))
  const progress = createProgress(source)
  let report: Report
  try {
    const analyzer = await analyze(source, options, progress.batch)
    checkNames(source, [...flags.tunnel, ...flags.physical])
    report = flags.redact === true ? redact(analyzer.report()) : analyzer.report()
  } finally {
    progress.end()
    await source.close()
  }
  tellKeyLog(keyLog)
  if (flags.html !== undefined) writePage(flags.html, reportHtml(report))
  if (flags.json === true) await writeJson(report)
  else if (flags.html === undefined)
    process.stdout.write(reportText(report, { width: outputWidth(), colour: usesColour(process.stdout) }))
  const worst = Math.max(-1, ...report.findings.map((finding) => SEVERITY_RANK[finding.severity]))
  if (failOn !== undefined && worst >= SEVERITY_RANK[failOn]) process.exitCode = EXIT_FINDINGS
  if (tellDamage(source.inputs)) process.exitCode = EXIT_DAMAGED
}

/** Waits for a slow reader, so that not all of it is in memory. */
async function writeJson(report: Report): Promise<void> {
  let text = ''
  for (const piece of reportJson(report)) {
    text += piece
    if (text.length < WRITE_LEN) continue
    if (!process.stdout.write(text)) await once(process.stdout, 'drain')
    text = ''
  }
  process.stdout.write(text)
}

/** A role given to an interface that is not there would silently change nothing. */
function checkNames(source: CaptureSource, names: readonly string[]): void {
  for (const name of names) {
    if (source.interfaces.some((one) => one.name === name || one.inputName === name)) continue
    const known = [...new Set(source.interfaces.map((one) => one.name ?? one.inputName))].join(', ')
    throw new OperatorError('no-such-interface', `no interface or file "${name}" in the captures; there are: ${known}.`)
  }
}
