// The live screen of `tail`: what happened goes in, terminal bytes come out. Lines scroll as any log's do; one that is
// still on the screen is rewritten in place when its finding is counted again; the status line stays at the bottom.
import { escapeForTerminal, truncateToWidth } from '../../text/escape.ts'
import type { Style } from '../../text/style.ts'
import { wrapText } from '../../text/table.ts'
import { findingRow, matchesWords, type ShownFinding } from './finding-row.ts'
import { type StatusFacts, statusRow } from './status-row.ts'

/** Findings kept for the filter to look back at. */
const HISTORY = 2000

export interface TailScreenOptions {
  columns: number
  rows: number
  readonly style: Style
  timeText(iso: string): string
}

export interface TailScreen {
  finding(finding: ShownFinding): void
  /** A line of our own: what was missed, a new epoch. */
  note(text: string): void
  status(facts: Partial<Pick<StatusFacts, 'connection' | 'verdict' | 'stats' | 'store'>>): void
  /** A key as the terminal sends it; true = the person wants to leave. */
  press(key: string): boolean
  resize(columns: number, rows: number): void
  /** Terminal bytes that bring the screen up to date; empty when nothing changed. */
  paint(): string
  /** Terminal bytes that leave the cursor on a line of its own. */
  leave(): string
}

interface Row {
  /** Undefined for a note. */
  finding: ShownFinding | undefined
  readonly note: string
  dirty: boolean
}

const NOTE_MARK = '— '
const ERASE_LINE = '\r\x1b[2K'

export function createTailScreen(options: TailScreenOptions): TailScreen {
  const { style } = options
  /** By identity, oldest first. */
  const history = new Map<string, ShownFinding>()
  /** Rows on the screen that can still be rewritten, top first. */
  let shown: Row[] = []
  let coming: Row[] = []
  let facts: StatusFacts = {
    connection: 'waiting',
    verdict: undefined,
    stats: undefined,
    store: undefined,
    heldBack: undefined,
    filter: '',
    search: '',
  }
  let typing: { readonly prompt: '/' | 'filter: '; text: string } | undefined
  let changed = true

  const identity = (finding: ShownFinding) => `${finding.epoch} ${finding.id} ${finding.key}`
  const words = () => facts.filter.toLowerCase().split(/\s+/).filter(Boolean)

  function finding(next: ShownFinding): void {
    const name = identity(next)
    history.delete(name)
    history.set(name, next)
    if (history.size > HISTORY) history.delete(history.keys().next().value!)
    if (!matchesWords(next, words())) return
    const isSame = (row: Row) => row.finding !== undefined && identity(row.finding) === name
    const known = coming.find(isSame) ?? shown.find(isSame)
    if (known === undefined) {
      coming.push({ finding: next, note: '', dirty: false })
      if (coming.length > HISTORY) coming.shift()
    } else {
      known.finding = next
      known.dirty = true
    }
    changed = true
  }

  function note(text: string): void {
    coming.push(...noteRows(text))
    changed = true
  }

  /** Our own sentences are never cut: as many rows as they need. */
  function noteRows(text: string): Row[] {
    const lines = wrapText(escapeForTerminal(text), options.columns - NOTE_MARK.length)
    return lines.map((line, index) => ({
      finding: undefined,
      note: (index === 0 ? NOTE_MARK : ' '.repeat(NOTE_MARK.length)) + line,
      dirty: false,
    }))
  }

  function line(row: Row): string {
    if (row.finding === undefined) return style.dim(truncateToWidth(row.note, options.columns))
    return findingRow(row.finding, { ...options, search: facts.search.toLowerCase() })
  }

  function paint(): string {
    if (!changed) return ''
    changed = false
    let out = ERASE_LINE
    if (facts.heldBack === undefined) out += paintRows()
    else facts = { ...facts, heldBack: coming.length }
    const bottom =
      typing === undefined
        ? statusRow(facts, options.columns - 1, style)
        : truncateToWidth(escapeForTerminal(typing.prompt + typing.text), options.columns - 1)
    return out + bottom
  }

  function paintRows(): string {
    let out = ''
    shown.forEach((row, index) => {
      if (!row.dirty) return
      const up = shown.length - index
      out += `\x1b[${up}A${ERASE_LINE}${line(row)}\x1b[${up}B\r`
      row.dirty = false
    })
    for (const row of coming) {
      out += `${line(row)}\n`
      row.dirty = false
    }
    shown = [...shown, ...coming].slice(-reachableRows())
    coming = []
    return out
  }

  /** The status line takes the last row; what scrolled off the top is out of reach. */
  function reachableRows(): number {
    return Math.max(1, options.rows - 1)
  }

  function press(key: string): boolean {
    changed = true
    if (key === '\x03' || key === '\x04') return true
    if (typing !== undefined) {
      type(typing, key)
      return false
    }
    if (key === 'q') return true
    if (key === '/') typing = { prompt: '/', text: '' }
    else if (key === 'f') typing = { prompt: 'filter: ', text: facts.filter }
    else if (key === 'p') facts = { ...facts, heldBack: facts.heldBack === undefined ? 0 : undefined }
    return false
  }

  function type(line: { readonly prompt: string; text: string }, key: string): void {
    if (key === '\x1b') typing = undefined
    else if (key === '\r' || key === '\n') {
      typing = undefined
      if (line.prompt === '/') search(line.text)
      else filter(line.text.trim())
    } else if (key === '\x7f' || key === '\b') line.text = line.text.slice(0, -1)
    // Arrow keys and the like come as escape sequences and mean nothing here.
    else if (!key.startsWith('\x1b')) line.text += key
  }

  function search(text: string): void {
    facts = { ...facts, search: text }
    for (const row of shown) row.dirty = true
  }

  /** From here on only what matches; what matched before is shown again below a line that says so. */
  function filter(text: string): void {
    facts = { ...facts, filter: text }
    shown = []
    coming = noteRows(text === '' ? 'no filter' : `filter: ${text}`)
    const matching = [...history.values()].filter((one) => matchesWords(one, words()))
    for (const one of matching.slice(-reachableRows() + 1)) coming.push({ finding: one, note: '', dirty: false })
  }

  return {
    finding,
    note,
    status(next) {
      facts = { ...facts, ...next }
      changed = true
    },
    press,
    resize(columns, rows) {
      options.columns = columns
      options.rows = rows
      // The terminal wrapped the old lines anew: where they are now is not known.
      shown = []
      changed = true
    },
    paint,
    leave: () => `${ERASE_LINE}`,
  }
}
