// One finding as one line: time, severity, interface, who, what, and how often. Everything from the wire is escaped here.
import type { Severity } from '../../model/finding.ts'
import { displayWidth, escapeForTerminal, fitToWidth, truncateToWidth } from '../../text/escape.ts'
import type { Style } from '../../text/style.ts'

/** What the line needs of a finding; both the engine's and the client's have it. */
export interface ShownFinding {
  readonly id: string
  readonly severity: Severity
  readonly key: string
  readonly epoch: number
  readonly last: string
  readonly count: number
  readonly interface?: string | undefined
  readonly process?: { readonly pid: number; readonly name: string } | undefined
  readonly summary: string
  readonly data: Record<string, unknown>
}

export interface RowOptions {
  readonly columns: number
  readonly style: Style
  /** The time as it is to be shown, always the same width. */
  timeText(iso: string): string
  /** Lower case; lines show where it occurs. */
  readonly search?: string | undefined
}

const SEVERITY_WORDS: Readonly<Record<Severity, string>> = Object.freeze({
  critical: 'crit',
  warning: 'warn',
  info: 'info',
})
/** From this width on, the id and longer names have room. */
const WIDE_COLUMNS = 120

/** The line, at most `columns` wide, without its newline. */
export function findingRow(finding: ShownFinding, options: RowOptions): string {
  const { columns, style } = options
  const isWide = columns >= WIDE_COLUMNS
  const cells = [
    { text: options.timeText(finding.last), paint: style.dim },
    { text: SEVERITY_WORDS[finding.severity], paint: severityPaint(finding.severity, style) },
    { text: fitToWidth(escapeForTerminal(finding.interface ?? '-'), isWide ? 10 : 6), paint: style.name },
    { text: fitToWidth(escapeForTerminal(whoOf(finding)), isWide ? 20 : 12), paint: plain },
    ...(isWide ? [{ text: fitToWidth(escapeForTerminal(finding.id), 22), paint: style.dim }] : []),
  ]
  const repeats = finding.count > 1 && !saysCount(finding) ? `×${finding.count}` : ''
  const used = cells.reduce((sum, cell) => sum + displayWidth(cell.text) + 1, 0)
  const room = columns - used - (repeats === '' ? 0 : displayWidth(repeats) + 1)
  const summary = truncateToWidth(escapeForTerminal(finding.summary), room)
  const head = cells.map((cell) => cell.paint(cell.text)).join(' ')
  const tail = repeats === '' ? '' : ` ${style.bold(repeats)}`
  return `${head} ${highlight(summary, options.search)}${tail}`
}

/** Whether the sentence itself has the count as a word of its own. */
function saysCount({ summary, count }: ShownFinding): boolean {
  return summary.split(' ').includes(String(count))
}

/** Whether all words occur somewhere in what the line shows. */
export function matchesWords(finding: ShownFinding, words: readonly string[]): boolean {
  const text = [finding.id, finding.severity, finding.interface ?? '', whoOf(finding), finding.summary]
    .join(' ')
    .toLowerCase()
  return words.every((word) => text.includes(word))
}

/** The program where it is known, else the site, else the server it is about. */
function whoOf({ process, data }: ShownFinding): string {
  if (process !== undefined) return `${process.name}[${process.pid}]`
  for (const value of [data.host, data.name, data.server]) if (typeof value === 'string' && value !== '') return value
  return '-'
}

export function severityPaint(severity: Severity, style: Style): (text: string) => string {
  return severity === 'critical' ? style.bad : severity === 'warning' ? style.warn : style.dim
}

function plain(text: string): string {
  return text
}

/** Reverse video is no colour: a search is visible under NO_COLOR too. */
function highlight(text: string, search: string | undefined): string {
  if (search === undefined || search === '') return text
  const lower = text.toLowerCase()
  let marked = ''
  let at = 0
  for (let hit = lower.indexOf(search); hit >= 0; hit = lower.indexOf(search, at)) {
    marked += `${text.slice(at, hit)}\x1b[7m${text.slice(hit, hit + search.length)}\x1b[27m`
    at = hit + search.length
  }
  return marked + text.slice(at)
}
