// The report for a person: verdict first, then what it rests on, then every finding with what to do. Cold path.
import type { Finding, Severity } from '../model/finding.ts'
import type { Epoch, Report, ReportInterface, ReportResolver } from '../model/report.ts'
import { escapeForTerminal } from './escape.ts'
import { leakServiceLines, leakTestLines } from './report-leak-level.ts'
import { pathLines } from './report-paths.ts'
import { tracerouteLines } from './report-traceroutes.ts'
import { tunnelLines } from './report-tunnels.ts'
import { createStyle, type Style } from './style.ts'
import { type Cell, tableLines, wrapText } from './table.ts'

export interface ReportTextOptions {
  /** Columns to use. */
  width: number
  colour: boolean
}

/** Leaked names listed in the text; --json has them all. */
const MAX_LISTED_LEAKS = 15

/** By the setting, what TCP of this machine does when large packets vanish. */
const PROBING_WORDS: Readonly<Record<number, string>> = Object.freeze({
  0: 'TCP never finds its way out of a black hole by itself',
  1: 'TCP looks for a size that passes after a black hole',
  2: 'TCP always looks for the size that passes',
})

/** The report as text, ending in a newline. Everything from the wire is escaped. */
export function reportText(report: Report, options: ReportTextOptions): string {
  const style = createStyle(options.colour)
  const sections = [
    verdictLines(report, style, options.width),
    interfaceLines(report, style, options.width),
    epochLines(report, style, options.width),
    tunnelLines(report.tunnels, style, options.width),
    resolverLines(report, style, options.width),
    leakLines(report, style, options.width),
    leakServiceLines(report.leakService, style, options.width),
    leakTestLines(report.leakTests, style, options.width),
    pathLines(report, style, options.width),
    tracerouteLines(report.traceroutes, style, options.width),
    findingLines(report, style, options.width),
  ]
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`
}

function verdictLines(report: Report, style: Style, width: number): string[] {
  const { verdict } = report
  const word = verdict.dns.toUpperCase().replace('-', ' ')
  const paint =
    verdict.dns === 'ok' ? style.good : verdict.dns === 'leak' || verdict.dns === 'mixed' ? style.bad : style.warn
  const indent = word.length + 2
  const [first = '', ...rest] = wrapText(verdictSentence(report), width - indent)
  const lines = [`${paint(word)}  ${style.bold(first)}`, ...rest.map((line) => ' '.repeat(indent) + style.bold(line))]
  for (const line of wrapText(coverageSentence(report), width - indent)) lines.push(' '.repeat(indent) + line)
  for (const reason of verdict.reasons) {
    wrapText(`not complete: ${clean(reason)}`, width - indent).forEach((line, index) => {
      lines.push(' '.repeat(indent + (index > 0 ? 2 : 0)) + style.warn(line))
    })
  }
  return lines
}

export function verdictSentence(report: Report): string {
  const { coverage, dns } = report.verdict
  const leaked = report.epochs.reduce((sum, epoch) => sum + epoch.verdict.leaked, 0)
  const questions = coverage.questionsOutside + coverage.questionsInTunnel
  switch (dns) {
    case 'no-tunnel':
      return coverage.packets === 0
        ? 'There is no packet in this capture, so nothing can be said.'
        : 'No tunnel was seen in this capture, so nothing that left can be called a leak.'
    case 'unknown':
      return 'What these packets say of a tunnel is not enough for a verdict.'
    case 'ok':
      return questions === 0
        ? 'No DNS question was seen while the tunnel was up.'
        : `None seen outside: ${count(coverage.questionsInTunnel, 'DNS question')} went through the tunnel${
            coverage.questionsOutside > 0 ? `, ${coverage.questionsOutside} outside for a legitimate reason` : ''
          }.`
    case 'leak':
    case 'mixed':
      return `${leaked} of ${count(questions, 'DNS question')} left outside the tunnel while it was up or wanted.`
  }
}

export function coverageSentence(report: Report): string {
  const { coverage } = report.verdict
  const parts = [
    `${count(coverage.packets, 'packet')} on ${count(coverage.interfacesWatched, 'interface')}`,
    coverage.dropped === undefined ? 'drops unknown' : `${coverage.dropped} dropped`,
    count(coverage.dnsMessages, 'DNS message'),
  ]
  if (coverage.connections > 0) {
    parts.push(
      `${coverage.explainedConnections} of ${count(coverage.connections, 'connection')} explained by a DNS answer seen`,
    )
  }
  return `${parts.join(', ')}.`
}

function interfaceLines(report: Report, style: Style, width: number): string[] {
  const rows = report.inputs.flatMap((input) =>
    input.interfaces.map((one): Cell[] => [
      { text: clean(one.name), paint: style.name },
      { text: one.role, paint: rolePaint(one, style) },
      { text: `${one.packets}`, paint: String, right: true },
      one.mtu === undefined ? 'packets' : `packets, MTU ${one.mtu}`,
      clean(one.reasons.join('; ')),
    ]),
  )
  if (rows.length === 0) return []
  const { tcpMtuProbing } = report.system
  return [
    style.bold('Interfaces'),
    ...tableLines(rows, width, 2),
    ...(tcpMtuProbing === undefined
      ? []
      : [`  tcp_mtu_probing ${tcpMtuProbing}: ${PROBING_WORDS[tcpMtuProbing] ?? ''}`]),
  ]
}

function rolePaint(one: ReportInterface, style: Style): (text: string) => string {
  return one.role === 'tunnel' ? style.good : one.role === 'unknown' ? style.warn : String
}

function epochLines(report: Report, style: Style, width: number): string[] {
  if (report.epochs.length === 0) return []
  const rows = report.epochs.map((epoch): Cell[] => [
    { text: `${epoch.id}`, paint: style.dim, right: true },
    clock(epoch.start),
    { text: epochState(epoch), paint: epoch.tunnelUp ? style.good : epoch.connected ? style.bad : String },
    clean(epochDetail(epoch)),
  ])
  return [style.bold(`Epochs (${report.epochs[0]!.start.slice(0, 10)}, UTC)`), ...tableLines(rows, width, 2)]
}

export function epochState(epoch: Epoch): string {
  if (epoch.tunnelUp) return `tunnel up: ${clean(epoch.tunnelInterfaces.join(', '))}`
  return epoch.connected ? 'tunnel lost' : 'no tunnel'
}

export function epochDetail(epoch: Epoch): string {
  const parts: string[] = []
  const { leaked, questionsInTunnel } = epoch.verdict
  if (epoch.connected) parts.push(`${leaked} leaked, ${questionsInTunnel} inside`)
  if (epoch.endpoint !== undefined) parts.push(`${epoch.transport ?? 'VPN'} with ${epoch.endpoint}`)
  if (epoch.resolvers.length > 0) parts.push(`asks ${epoch.resolvers.slice(0, 4).join(', ')}`)
  return parts.join('; ')
}

function resolverLines(report: Report, style: Style, width: number): string[] {
  if (report.resolvers.length === 0) return []
  const several = report.epochs.length > 1
  const head = ['resolver', 'port', 'over', 'interface', 'side', 'asked', 'answered', 'p50 ms', 'p95 ms']
  const rows: Cell[][] = [head.map((text, index) => ({ text, paint: style.dim, right: index >= 5 }))]
  if (several) rows[0]!.push({ text: 'epoch', paint: style.dim })
  const owned = report.resolvers.some((one) => ownerText(one) !== '')
  if (owned) rows[0]!.push({ text: 'run by', paint: style.dim })
  for (const one of [...report.resolvers].sort((a, b) => a.epoch - b.epoch || b.queries - a.queries)) {
    const right = (text: string): Cell => ({ text, paint: String, right: true })
    const row: Cell[] = [
      { text: one.server, paint: style.name },
      `${one.port}`,
      one.transport,
      clean(one.interface),
      one.side,
      right(`${one.queries}`),
      right(`${one.answered}`),
      right(one.p50Ms === undefined ? '-' : one.p50Ms.toFixed(1)),
      right(one.p95Ms === undefined ? '-' : one.p95Ms.toFixed(1)),
    ]
    if (several) row.push(`${one.epoch}`)
    if (owned) row.push(clean(ownerText(one)))
    rows.push(row)
  }
  return [style.bold('Resolvers'), ...tableLines(rows, width, 2)]
}

/** `AS64500 Example Net, DE`, as far as it is known. */
export function ownerText({ asn, organisation, country }: ReportResolver): string {
  const owner = [asn === undefined ? '' : `AS${asn}`, organisation ?? ''].filter((part) => part !== '').join(' ')
  return [owner, country ?? ''].filter((part) => part !== '').join(', ')
}

function leakLines(report: Report, style: Style, width: number): string[] {
  if (report.leaks.length === 0) return []
  const rows = report.leaks
    .slice(0, MAX_LISTED_LEAKS)
    .map((leak): Cell[] => [
      clock(leak.first),
      { text: leak.name === null ? '(encrypted)' : clean(leak.name === '' ? '.' : leak.name), paint: style.bad },
      leak.type === null ? '' : clean(leak.type),
      `${leak.transport} to ${leak.server}`,
      clean(leak.interface),
      `${leak.count > 1 ? `${leak.count} times, ` : ''}${leak.cause}`,
    ])
  const lines = [style.bold('Left outside the tunnel'), ...tableLines(rows, width, 2)]
  if (report.leaks.length > rows.length)
    lines.push(style.dim(`  … and ${report.leaks.length - rows.length} more (--json)`))
  return lines
}

function findingLines(report: Report, style: Style, width: number): string[] {
  if (report.findings.length === 0) return [style.bold('Findings'), '  none']
  return [style.bold('Findings'), ...report.findings.flatMap((finding) => oneFinding(finding, style, width))]
}

function oneFinding(finding: Finding, style: Style, width: number): string[] {
  const indent = 11
  const label = finding.severity.padEnd(indent - 2)
  const lines = [
    `  ${severityPaint(finding.severity, style)(label)}${style.bold(clean(finding.id))}  ${style.dim(basisText(finding))}`,
  ]
  const add = (text: string, paint: (line: string) => string): void => {
    for (const line of wrapText(clean(text), width - indent)) lines.push(' '.repeat(indent) + paint(line))
  }
  add(finding.summary, String)
  add(`→ ${finding.advice}`, String)
  if (finding.evidence.length > 0) add(`seen in ${evidenceText(finding)}`, style.dim)
  if (finding.filter !== undefined) add(`filter  ${finding.filter}`, style.dim)
  return lines
}

/** `eth0.pcapng frames 23, 33, …`: the files' names without their folders. */
export function evidenceText(finding: Finding): string {
  const frames = new Map<string, number[]>()
  for (const { source, frame } of finding.evidence) {
    const name = source.slice(source.lastIndexOf('/') + 1)
    frames.set(name, [...(frames.get(name) ?? []), frame])
  }
  const more = finding.count > finding.evidence.length ? ', …' : ''
  return (
    [...frames].map(([name, list]) => `${name} ${list.length > 1 ? 'frames' : 'frame'} ${list.join(', ')}`).join('; ') +
    more
  )
}

export function basisText(finding: Finding): string {
  return clean([finding.cause, finding.confidence, finding.basis].filter((part) => part !== undefined).join(', '))
}

function severityPaint(severity: Severity, style: Style): (text: string) => string {
  return severity === 'critical' ? style.bad : severity === 'warning' ? style.warn : style.dim
}

/** The time of day with milliseconds; the date stands in the heading. */
function clock(time: string): string {
  return time.slice(11, 23)
}

function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? '' : 's'}`
}

function clean(text: string): string {
  return escapeForTerminal(text)
}
