// The report's sections about leaks in sum: by day and program, and the runs of leak-test pages. Cold path.
import type { ReportLeakService, ReportLeakTest } from '../model/report.ts'
import { escapeForTerminal } from './escape.ts'
import type { Style } from './style.ts'
import { type Cell, tableLines, wrapText } from './table.ts'

/** Rows and runs listed in the text; --json has them all. */
const MAX_LISTED = 10

export function leakServiceLines(level: readonly ReportLeakService[], style: Style, width: number): string[] {
  if (level.length === 0) return []
  const right = (text: string): Cell => ({ text, paint: String, right: true })
  const rows: Cell[][] = [
    ['day', 'names', 'questions', 'ms outside', 'program'].map((text, index) => ({
      text,
      paint: style.dim,
      right: index >= 1 && index <= 3,
    })),
  ]
  for (const one of level.slice(-MAX_LISTED)) {
    const figures = [right(`${one.names}`), right(`${one.questions}`), right(one.outsideMs.toFixed(1))]
    rows.push([one.day, ...figures, { text: escapeForTerminal(one.app), paint: style.name }])
  }
  const lines = [style.bold('Leaked by day and program'), ...tableLines(rows, width, 2)]
  if (level.length > MAX_LISTED) lines.push(style.dim(`  … and ${level.length - MAX_LISTED} before (--json)`))
  return lines
}

/** Each run, its questions counted by what became of them. */
export function leakTestLines(runs: readonly ReportLeakTest[], style: Style, width: number): string[] {
  if (runs.length === 0) return []
  const lines = [style.bold('Leak tests')]
  for (const run of runs.slice(0, MAX_LISTED)) {
    const total = run.inside + run.outside
    const outside = `${run.outside} outside the tunnel`
    lines.push(
      `  ${style.name(escapeForTerminal(run.page))}  ${total} ${total === 1 ? 'question' : 'questions'}, ${
        run.outside > 0 ? style.bad(outside) : outside
      }`,
    )
    for (const [explanation, count] of counted(run)) {
      wrapText(`${count}  ${escapeForTerminal(explanation)}`, width - 4).forEach((line, index) => {
        lines.push(' '.repeat(index === 0 ? 4 : 7) + line)
      })
    }
  }
  if (runs.length > MAX_LISTED) lines.push(style.dim(`  … and ${runs.length - MAX_LISTED} more (--json)`))
  return lines
}

function counted({ questions }: ReportLeakTest): [explanation: string, count: number][] {
  const counts = new Map<string, number>()
  for (const { explanation } of questions) counts.set(explanation, (counts.get(explanation) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1]).slice(0, MAX_LISTED)
}
