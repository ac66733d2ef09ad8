// The report's section "Paths": MTU known or bracketed, MSS, loss by size, round trip, and which sizes passed. Cold path.
import type { Report, ReportPath, ReportPathDirection } from '../model/report.ts'
import { escapeForTerminal } from './escape.ts'
import type { Style } from './style.ts'
import { type Cell, tableLines, wrapText } from './table.ts'

/** Paths listed in the text; --json has them all. */
const MAX_LISTED = 12

export function pathLines(report: Report, style: Style, width: number): string[] {
  const shown = report.paths.filter((path) => path.toServer.segments + path.toClient.segments > 0)
  if (shown.length === 0) return []
  const head = ['destination', 'interface', 'MTU', 'MSS', 'RTT ms', 'sent again']
  const rows: Cell[][] = [head.map((text) => ({ text, paint: style.dim }))]
  for (const path of shown.slice(0, MAX_LISTED)) {
    const isNarrow = path.mtuBelow !== undefined
    rows.push([
      { text: path.destination, paint: style.name },
      escapeForTerminal(path.interface),
      { text: mtuText(path), paint: isNarrow ? style.bad : String },
      mssText(path),
      { text: path.rttMs === undefined ? '-' : `${path.rttMs}`, paint: String, right: true },
      resentText(path),
    ])
  }
  const [first = '', ...others] = tableLines(rows, width, 2)
  const lines = [style.bold('Paths'), first]
  for (const [index, line] of others.entries()) {
    const { toServer, toClient } = shown[index]!
    lines.push(line, style.dim(`    there ${toServer.sizes}  back ${toClient.sizes}`))
  }
  const legend = 'one mark for 64 bytes of size: . none, + passed, ~ passed with loss, x died, ? not known'
  for (const line of wrapText(legend, width - 2)) lines.push(style.dim(`  ${line}`))
  if (shown.length > MAX_LISTED) lines.push(style.dim(`  … and ${shown.length - MAX_LISTED} more (--json)`))
  return lines
}

function mtuText(path: ReportPath): string {
  if (path.mtu !== undefined) return `${path.mtu}`
  if (path.mtuBelow !== undefined) return `${path.mtuAtLeast ?? '?'}..<${path.mtuBelow}`
  return path.mtuAtLeast === undefined ? '-' : `≥ ${path.mtuAtLeast}`
}

function mssText(path: ReportPath): string {
  if (path.mssToServer === undefined && path.mssToClient === undefined) return '-'
  return `${path.mssToServer ?? '-'}/${path.mssToClient ?? '-'}`
}

/** Resent segments of small, medium and large size, both directions; only those that happened. */
function resentText(path: ReportPath): string {
  const share = (name: 'small' | 'medium' | 'large'): string[] => {
    const both: ReportPathDirection[] = [path.toServer, path.toClient]
    const segments = both.reduce((sum, one) => sum + one[name].segments, 0)
    const resent = both.reduce((sum, one) => sum + one[name].resent, 0)
    return resent === 0 ? [] : [`${name} ${resent}/${segments}`]
  }
  return [...share('small'), ...share('medium'), ...share('large')].join(', ') || '0'
}
