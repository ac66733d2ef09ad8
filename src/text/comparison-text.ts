// A comparison for a person: what breaks and why first, with what to try next; then what is the same. Cold path.
import type { CauseAxis, Comparison, SiteComparison, Stage } from '../model/comparison.ts'
import { displayWidth, escapeForTerminal } from './escape.ts'
import { createStyle, type Style } from './style.ts'
import { type Cell, tableLines, wrapText } from './table.ts'

export interface ComparisonTextOptions {
  /** Columns to use. */
  width: number
  colour: boolean
}

/** The cause axes as a person calls them. */
export const AXIS_WORDS: Readonly<Record<CauseAxis, string>> = Object.freeze({
  dns: 'DNS',
  'address-range': 'routing or address range',
  tls: 'TLS',
  mtu: 'MTU',
  local: 'software on this machine',
  gateway: 'gateway or origin',
  path: 'path',
})

export const STAGE_WORDS: Readonly<Record<Stage, string>> = Object.freeze({
  state: 'network',
  dns: 'DNS',
  tcp: 'TCP',
  tls: 'TLS',
  http: 'HTTP',
  local: 'local software',
  quality: 'quality',
})

/** A long host leaves at least so much beside it. */
const LEAST_COLUMNS = 20

/** Sites without a difference that are named one by one. */
const MAX_LISTED_SAME = 20

/** The comparison as text, ending in a newline. Everything from the wire is escaped. */
export function comparisonText(comparison: Comparison, options: ComparisonTextOptions): string {
  const style = createStyle(options.colour)
  const differing = comparison.sites.filter((one) => one.verdict === 'differs')
  const everywhere = comparison.sites.filter((one) => one.verdict === 'fails-everywhere')
  const sections = [
    verdictLines(comparison, differing, style, options.width),
    contextLines(comparison, style, options.width),
    ...differing.map((one) => siteLines(one, style, options.width)),
    everywhere.flatMap((one) => wrapped(one.summary, options.width, 0)),
    noteLines(comparison, style, options.width),
    sameLines(comparison, style, options.width),
  ]
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`
}

/** The first sentence of any form of the comparison. */
export function comparisonVerdict(comparison: Comparison): { word: string; sentence: string; isGood: boolean } {
  const differing = comparison.sites.filter((one) => one.verdict === 'differs')
  const comparable = comparison.sites.filter((one) => one.verdict !== 'not-comparable')
  const compared = comparable.filter((one) => one.verdict !== 'same' || wasVisited(one))
  if (differing.length > 0) {
    const hosts = new Set(differing.map((one) => one.host))
    const first = differing[0]!
    const axis = first.difference === undefined ? 'not shown by the capture' : AXIS_WORDS[first.difference.axis]
    const sentence =
      hosts.size === 1
        ? `${first.host} is different: ${axis}.`
        : `${hosts.size} of ${new Set(compared.map((one) => one.host)).size} sites are different.`
    return { word: 'DIFFERS', sentence, isGood: false }
  }
  const alone = comparison.sites.filter((one) => one.verdict === 'not-comparable' && one.fails.length > 0)
  if (comparable.length === 0 || (compared.length === 0 && alone.length > 0)) {
    const failing = alone.length === 0 ? '' : ` ${alone[0]!.host} fails in ${alone[0]!.fails.join(', ')}.`
    return {
      word: 'NOTHING TO COMPARE',
      sentence: `No site was seen in more than one network context.${failing}`,
      isGood: false,
    }
  }
  const names = new Set(comparable.map((one) => one.host)).size
  const what =
    compared.length > 0
      ? 'No difference that matters'
      : `No difference that matters: ${names} ${names === 1 ? 'name stands' : 'names stand'} for the same in each; no site fails, and none was visited in two`
  const besides = [...new Set(comparison.notes.map((note) => note.id))]
  const sentence =
    besides.length === 0
      ? `${what}.`
      : `${what}${compared.length > 0 ? ' to a site' : ''}; found besides: ${besides.join(', ')}.`
  return { word: 'SAME', sentence, isGood: besides.length === 0 }
}

function verdictLines(
  comparison: Comparison,
  differing: readonly SiteComparison[],
  style: Style,
  width: number,
): string[] {
  const { word, sentence, isGood } = comparisonVerdict(comparison)
  const paint = isGood ? style.good : differing.length > 0 ? style.bad : style.warn
  const [first = '', ...rest] = wrapText(clean(sentence), width - word.length - 2)
  const indent = ' '.repeat(word.length + 2)
  return [`${paint(word)}  ${style.bold(first)}`, ...rest.map((line) => indent + style.bold(line))]
}

/** The contexts there are, a line each. */
export function epochsText(contexts: Comparison['contexts'], options: ComparisonTextOptions): string {
  const rows = contextRows(contexts, createStyle(options.colour), (start) => start.slice(0, 19).replace('T', ' '))
  return `${(rows.length === 0 ? ['No epoch yet.'] : tableLines(rows, options.width, 0)).join('\n')}\n`
}

function contextLines(comparison: Comparison, style: Style, width: number): string[] {
  const rows = contextRows(comparison.contexts, style, (start) => start.slice(11, 23))
  return rows.length === 0 ? [] : [style.bold('Compared'), ...tableLines(rows, width, 2)]
}

function contextRows(contexts: Comparison['contexts'], style: Style, timeOf: (start: string) => string): Cell[][] {
  return contexts.map((one): Cell[] => [
    { text: clean(one.label), paint: style.name },
    timeOf(one.start),
    clean(one.network),
    one.resolvers.length === 0 ? '' : `asks ${one.resolvers.slice(0, 3).join(', ')}`,
  ])
}

/** One site that differs: where, why, and what to try. */
export function siteLines(one: SiteComparison, style: Style, width: number): string[] {
  const { difference, next } = one
  const host = clean(one.host)
  const [where = '', ...more] = wrapText(
    clean(whereWords(one)),
    Math.max(LEAST_COLUMNS, width - displayWidth(host) - 2),
  )
  const lines = [`${style.name(host)}  ${where}`, ...more.map((line) => `  ${line}`)]
  if (difference !== undefined) {
    const basis = [difference.confidence, difference.basis].join(', ')
    lines.push(
      `  ${style.bad(AXIS_WORDS[difference.axis])}  ${style.dim(`first difference: ${STAGE_WORDS[difference.stage]}; ${basis}`)}`,
    )
  }
  lines.push(...wrapped(one.summary, width, 2))
  if (one.settledBy !== undefined) lines.push(...wrapped(settledWords(one.settledBy, one), width, 2))
  if (next !== undefined) {
    lines.push(...wrapped(`→ ${next.instruction}`, width, 2))
    lines.push(...wrapped(`If it works, ${next.ifItWorks}.`, width, 4))
    lines.push(...wrapped(`If it still fails, ${next.ifItFails}.`, width, 4))
  }
  const shown = evidenceWords(one)
  if (shown !== '') lines.push(...wrapped(`seen in ${shown}`, width, 2).map(style.dim))
  return lines
}

/** `fails in epoch 2; works in epoch 1, epoch 3`. */
export function whereWords(one: SiteComparison): string {
  const where = one.fails.length > 0 ? [one.test?.label, ...(one.alsoIn ?? [])].join(', ') : undefined
  const { control, test } = one
  if (where === undefined) {
    if (one.works.length < 2) return `asked for in ${control?.label} and ${test?.label}`
    return `works in ${one.works.join(', ')}, but not as well`
  }
  if (one.works.length === 0) return `fails in ${where}; has an address in ${control?.label}`
  return `fails in ${where}; works in ${one.works.join(', ')}`
}

/** What other observations leave of the explanations. */
export function settledWords(settledBy: readonly string[], one: SiteComparison): string {
  const changed = one.changed ?? []
  if (one.next === undefined && changed.length === 1 && one.control !== undefined) {
    return `The experiment is made: between ${one.control.label} and ${one.test?.label} nothing but the ${changed[0]} changed.`
  }
  return `Other causes are ruled out by ${settledBy.join(', ')}.`
}

/** Files without their folders, with their frames. */
export function evidenceWords(one: SiteComparison): string {
  const shown = [one.test, one.control].flatMap((side) => side?.observation.evidence.slice(0, 2) ?? [])
  return shown.map(({ source, frame }) => `${source.slice(source.lastIndexOf('/') + 1)} frame ${frame}`).join(', ')
}

function noteLines(comparison: Comparison, style: Style, width: number): string[] {
  if (comparison.notes.length === 0) return []
  const lines = comparison.notes.flatMap((note) => [
    `  ${style.warn(clean(note.id))}  ${style.dim(clean(note.label))}`,
    ...wrapped(note.summary, width, 4),
  ])
  return [style.bold('Found besides'), ...lines]
}

function sameLines(comparison: Comparison, style: Style, width: number): string[] {
  const all = comparison.sites.filter((one) => one.verdict === 'same')
  const same = all.filter(wasVisited)
  const asked = all.filter((one) => !wasVisited(one))
  const alone = comparison.sites.filter((one) => one.verdict === 'not-comparable')
  const named = (sites: readonly SiteComparison[]) =>
    sites
      .slice(0, MAX_LISTED_SAME)
      .map((one) => one.host)
      .join(', ') + (sites.length > MAX_LISTED_SAME ? ` and ${sites.length - MAX_LISTED_SAME} more` : '')
  return [
    ...(same.length === 0 ? [] : wrapped(`No difference that matters: ${named(same)}.`, width, 0)),
    ...(asked.length === 0 ? [] : wrapped(`By their names alone, no difference: ${named(asked)}.`, width, 0)),
    ...(alone.length === 0 ? [] : wrapped(`Seen in one context only: ${named(alone)}.`, width, 0)),
  ].map(style.dim)
}

/** On both sides; otherwise all there is are the answers for its name. */
function wasVisited({ control, test }: SiteComparison): boolean {
  return (control?.observation.visits ?? 0) > 0 && (test?.observation.visits ?? 0) > 0
}

function wrapped(text: string, width: number, indent: number): string[] {
  return wrapText(clean(text), width - indent).map((line) => ' '.repeat(indent) + line)
}

function clean(text: string): string {
  return escapeForTerminal(text)
}
