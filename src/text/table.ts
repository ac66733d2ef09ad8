// Rows of cells as aligned columns, and sentences wrapped to a width. Cold path; cells must be escaped already.
import { displayWidth, truncateToWidth } from './escape.ts'

/** One cell: its text and, where it should have one, a colour that does not count for the width. */
export type Cell = string | { text: string; paint: (text: string) => string; right?: boolean }

/** What is left of the last column has to say something. */
const LEAST_LAST_COLUMNS = 14

/**
 * Lines of a table, each `indent` columns from the left, columns two apart, or one where little room is left for the last.
 * That is cut so that no line is wider than `width`. Numbers are right-aligned by `right`.
 */
export function tableLines(rows: readonly (readonly Cell[])[], width: number, indent: number): string[] {
  const widths: number[] = []
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, displayWidth(textOf(cell)))
    })
  }
  const gap = wholeWidth(widths, indent) > width ? 1 : 2
  return rows.map((row) => {
    let line = ' '.repeat(indent)
    let used = indent
    row.forEach((cell, column) => {
      const isLast = column === row.length - 1
      const room = isLast ? Math.max(1, width - used) : widths[column]!
      const text = truncateToWidth(textOf(cell), room)
      const padding = ' '.repeat(Math.max(0, room - displayWidth(text)))
      const painted = typeof cell === 'string' ? text : cell.paint(text)
      const alignRight = typeof cell !== 'string' && cell.right === true
      if (alignRight) line += (isLast ? '' : padding) + painted
      else line += isLast ? painted : painted + padding
      if (!isLast) line += ' '.repeat(gap)
      used += room + gap
    })
    return line.trimEnd()
  })
}

/** With columns two apart, and no more of the last one than it needs. */
function wholeWidth(widths: readonly number[], indent: number): number {
  const last = Math.min(widths[widths.length - 1] ?? 0, LEAST_LAST_COLUMNS)
  return widths.slice(0, -1).reduce((sum, one) => sum + one + 2, indent) + last
}

function textOf(cell: Cell): string {
  return typeof cell === 'string' ? cell : cell.text
}

/** Breaks a sentence at spaces into lines of at most `width` columns; a longer word stands alone. */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && displayWidth(line) + 1 + displayWidth(word) > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  if (line !== '') lines.push(line)
  return lines
}
