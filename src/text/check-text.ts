// A check for a person: the verdict, the ways as a table, what differs and what to try next, then what else was noticed.
// Cold path. Everything from the wire is escaped.
import type { CheckReport, CheckWay } from '../model/check.ts'
import { type ComparisonTextOptions, siteLines } from './comparison-text.ts'
import { displayWidth, escapeForTerminal, truncateToWidth } from './escape.ts'
import { createStyle, type Style } from './style.ts'
import { type Cell, tableLines, wrapText } from './table.ts'

const HEAD = ['way', 'over', 'resolver', 'address', 'dns ms', 'conn ms', 'tls', 'status', 'server']
const NUMBERS: readonly number[] = [0, 4, 5]
const RESOLVER_AT = 2
const ADDRESS_AT = 3
const STATUS_AT = 7
const SERVER_AT = 8
/** Where lines would be too long, resolvers and addresses are cut to this; what then has no room is left out, in this order. */
const LEAST_COLUMNS = 12
const LEAST_SERVER = 8
const LEFT_OUT: readonly number[] = [SERVER_AT, 6, 5]

/** The report as text, ending in a newline. */
export function checkText(report: CheckReport, options: ComparisonTextOptions): string {
  const style = createStyle(options.colour)
  const { width } = options
  const differing = report.sites.filter((one) => one.verdict === 'differs')
  const sections = [
    verdictLines(report, style, width),
    wayLines(report.ways, style, width),
    ...differing.map((one) => siteLines(one, style, width)),
    faultLines(report, width),
    certificateLines(report, style, width),
    redirectLines(report.ways, width),
    findingLines(report, style, width),
    report.notes.flatMap((one) => wrapped(one, width, 0)).map(style.dim),
    endLines(report, width).map(style.dim),
  ]
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`
}

const SIGNS: Readonly<Record<CheckReport['verdict']['word'], string>> = Object.freeze({
  works: 'WORKS',
  differs: 'DIFFERS',
  fails: 'FAILS',
  unknown: 'UNKNOWN',
})

function verdictLines({ verdict }: CheckReport, style: Style, width: number): string[] {
  const word = SIGNS[verdict.word]
  const paint = verdict.word === 'works' ? style.good : verdict.word === 'unknown' ? style.warn : style.bad
  const [first = '', ...rest] = wrapText(escapeForTerminal(verdict.summary), width - word.length - 2)
  const indent = ' '.repeat(word.length + 2)
  const incomplete = verdict.complete
    ? []
    : wrapped(`Not complete. ${verdict.reasons.join(' ')}`, width - indent.length, 0)
  return [
    `${paint(word)}  ${style.bold(first)}`,
    ...rest.map((line) => indent + style.bold(line)),
    ...incomplete.map((line) => indent + style.warn(line)),
  ]
}

function wayLines(ways: readonly CheckWay[], style: Style, width: number): string[] {
  const rows = [HEAD, ...ways.map(wayTexts)]
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => displayWidth(row[column]!))))
  const least = widths.map((one, column) =>
    column === SERVER_AT ? LEAST_SERVER : isCut(column) ? Math.min(one, LEAST_COLUMNS) : one,
  )
  let shown = HEAD.map((_, column) => column)
  for (const column of LEFT_OUT) if (room(shown, least) > width) shown = shown.filter((one) => one !== column)
  let surplus =
    room(
      shown.filter((one) => one !== SERVER_AT),
      widths,
    ) +
    (shown.includes(SERVER_AT) ? LEAST_SERVER + 2 : 0) -
    width
  for (const column of [RESOLVER_AT, ADDRESS_AT]) {
    const cut = Math.max(0, Math.min(surplus, widths[column]! - least[column]!))
    widths[column] = widths[column]! - cut
    surplus -= cut
  }
  const cells = rows.map((row, index) =>
    shown.map(
      (column): Cell => ({
        text: isCut(column) ? truncateToWidth(row[column]!, widths[column]!) : row[column]!,
        paint: index === 0 ? style.dim : paintOf(column, ways[index - 1]!, style),
        right: NUMBERS.includes(column),
      }),
    ),
  )
  const servers = shown.includes(SERVER_AT)
    ? []
    : together(
        ways,
        (one) => one.server,
        (name, which) => `${name} on ${which}`,
      )
  return [...tableLines(cells, width, 0), ...servers.flatMap((one) => wrapped(one, width, 0))]
}

function isCut(column: number): boolean {
  return column === RESOLVER_AT || column === ADDRESS_AT
}

/** What these columns take. */
function room(columns: readonly number[], widths: readonly number[]): number {
  return columns.reduce((sum, column) => sum + widths[column]! + 2, -2)
}

function paintOf(column: number, { outcome }: CheckWay, style: Style): (text: string) => string {
  if (column === 0) return style.name
  if (column !== STATUS_AT) return (text) => text
  return { works: style.good, fails: style.bad, unknown: style.warn }[outcome]
}

/** Ways that have something in common, in one sentence. */
function together(
  ways: readonly CheckWay[],
  of: (one: CheckWay) => string | undefined,
  sentence: (what: string, which: string) => string,
): string[] {
  const found = new Map<string, number[]>()
  for (const one of ways) {
    const what = of(one)
    if (what !== undefined) found.set(what, [...(found.get(what) ?? []), one.way])
  }
  return [...found].map(([what, numbers]) => sentence(what, wayWords(numbers, ways.length)))
}

/** The row's cells, escaped. */
function wayTexts(one: CheckWay): string[] {
  const { resolver } = one
  const asked =
    resolver === undefined
      ? '-'
      : resolver.over === one.interface
        ? resolver.address
        : `${resolver.address} ${resolver.over}`
  return [
    `${one.way}`,
    one.interface,
    asked,
    one.address ?? one.answers[0] ?? '-',
    millisText(one.dnsMs),
    millisText(one.connectMs),
    one.tls === undefined
      ? '-'
      : `${one.tls.replace(/^TLS /, '')}${one.observation?.tls?.certificate?.fault === undefined ? '' : ' !'}`,
    statusText(one),
    one.server ?? '-',
  ].map(escapeForTerminal)
}

/** The status, or how far it came; the sentence stands below the table. */
function statusText({ status, outcome, observation, fault }: CheckWay): string {
  if (status !== undefined) return `${status}`
  if (outcome === 'unknown') return fault?.startsWith('no IPv') === true ? 'no address' : 'not gone'
  const { tcp, tls, request, dns } = observation ?? {}
  if (request === undefined) return dns !== undefined && dns.answered === 0 ? 'no answer' : (dns?.rcode ?? 'fails')
  if (request.stage === 'connect') return (tcp?.refused ?? 0) > 0 ? 'refused' : 'silent'
  if (request.stage === 'answer') return 'no answer'
  return tls?.alert !== undefined ? 'alert' : (tls?.resets ?? 0) > 0 ? 'reset' : 'TLS fails'
}

function millisText(value: number | undefined): string {
  if (value === undefined) return '-'
  return value >= 100 ? value.toFixed(0) : value.toFixed(1)
}

/** Why ways came to no answer. */
function faultLines({ ways }: CheckReport, width: number): string[] {
  const told = together(
    ways,
    (one) => one.fault,
    (fault, which) => `${which}: ${fault}`,
  )
  return told.flatMap((one) => wrapped(one, width, 0))
}

function certificateLines({ certificates, ways }: CheckReport, style: Style, width: number): string[] {
  // Several good ones are what large sites have.
  if (certificates.every((one) => one.fault === undefined)) return []
  return certificates.flatMap((one) => {
    const until = one.notAfter === undefined ? '' : `, until ${one.notAfter.slice(0, 10)}`
    const trust = one.fault === undefined ? 'trusted' : `not trusted, ${one.fault}`
    const which = wayWords(one.ways, ways.length)
    const lines = wrapped(
      `Certificate on ${which}: ${trust} (${one.subject}; issued by ${one.issuer}${until}).`,
      width,
      0,
    )
    return one.fault === undefined ? lines : lines.map(style.warn)
  })
}

function redirectLines(ways: readonly CheckWay[], width: number): string[] {
  const told = together(
    ways,
    (one) => one.observation?.request?.location,
    (location, which) => `Sent on to ${location} on ${which}; not followed.`,
  )
  return told.flatMap((one) => wrapped(one, width, 0))
}

function findingLines({ findings }: CheckReport, style: Style, width: number): string[] {
  const told = findings.filter((one) => one.severity !== 'info' && one.id.startsWith('mtu-'))
  if (told.length === 0) return []
  return [
    style.bold('Found besides'),
    ...told.flatMap((one) => [
      `  ${style.warn(one.id)}  ${style.dim(escapeForTerminal(one.interface ?? ''))}`,
      ...wrapped(one.summary, width, 4),
      ...wrapped(`→ ${one.advice}`, width, 4),
    ]),
  ]
}

function endLines({ capture, durationMs }: CheckReport, width: number): string[] {
  const kept = capture.file === undefined ? '' : `, kept in ${capture.file}`
  return wrapped(
    `${capture.packets} packets in ${(durationMs / 1000).toFixed(1)} s, ${capture.dropped} dropped${kept}.`,
    width,
    0,
  )
}

function wayWords(numbers: readonly number[], total: number): string {
  if (numbers.length === total && total > 1) return 'every way'
  return `${numbers.length === 1 ? 'way' : 'ways'} ${numbers.join(', ')}`
}

function wrapped(text: string, width: number, indent: number): string[] {
  return wrapText(escapeForTerminal(text), width - indent).map((line) => ' '.repeat(indent) + line)
}
