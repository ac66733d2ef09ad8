// The report's section "Tunnels": which flow carries which tunnel, what that adds, and what was lost between. Cold path.
import type { ReportTunnel } from '../model/report.ts'
import { escapeForTerminal } from './escape.ts'
import type { Style } from './style.ts'
import { type Cell, tableLines, wrapText } from './table.ts'

export function tunnelLines(tunnels: readonly ReportTunnel[], style: Style, width: number): string[] {
  if (tunnels.length === 0) return []
  const head = ['inside', 'outside', 'server', 'packets', 'adds', 'transport']
  const rows: Cell[][] = [head.map((text, index) => ({ text, paint: style.dim, right: index === 3 }))]
  for (const one of tunnels) {
    rows.push([
      { text: escapeForTerminal(one.interface), paint: style.name },
      escapeForTerminal(one.outerInterface),
      serverText(one),
      { text: `${one.packets}`, paint: String, right: true },
      addedText(one),
      escapeForTerminal(one.transport),
    ])
  }
  const lines = [style.bold('Tunnels'), ...tableLines(rows, width, 2)]
  for (const one of tunnels) {
    for (const remark of remarks(one)) {
      for (const line of wrapText(remark, width - 4)) lines.push(`    ${line}`)
    }
  }
  return lines
}

function serverText({ endpoint, port }: ReportTunnel): string {
  if (port === 0) return endpoint
  return endpoint.includes(':') ? `[${endpoint}]:${port}` : `${endpoint}:${port}`
}

function addedText({ overhead, overheadIsExact, paddingTo, addedShare }: ReportTunnel): string {
  if (overhead === undefined) return addedShare === undefined ? '-' : `${Math.round(addedShare * 100)} % of the bytes`
  const padding = paddingTo === undefined || paddingTo === 1 ? '' : `, padded to ${paddingTo}`
  return `${overheadIsExact ? '' : 'about '}${overhead} bytes${padding}`
}

function remarks(one: ReportTunnel): string[] {
  const name = escapeForTerminal(one.interface)
  const said: string[] = []
  if (one.matchedBy === 'volume') {
    said.push(
      `${name}: told by volume alone (${one.confidence}): the transport pads, cuts or joins packets, and carries as much ` +
        `at the same moments; correlation ${one.correlation ?? '?'} over ${one.moments ?? '?'} moments`,
    )
  }
  if (one.addedP50Ms !== undefined)
    said.push(`${name}: ${one.addedP50Ms} ms to the outer packet (p50), ${one.addedP95Ms ?? '?'} ms (p95)`)
  if (one.neverLeft !== undefined && one.neverLeft > 0)
    said.push(`${name}: ${one.neverLeft} of ${one.entered} packets that entered it never came out`)
  return said
}
