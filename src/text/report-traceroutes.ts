// The report's section "Traceroutes": each run hop by hop; runs to one destination, with and without the tunnel, together.
import type { ReportHopRouter, ReportTraceroute } from '../model/report.ts'
import { escapeForTerminal } from './escape.ts'
import type { Style } from './style.ts'
import { type Cell, tableLines } from './table.ts'

/** Runs listed in the text; --json has them all. */
const MAX_LISTED = 8

export function tracerouteLines(traceroutes: readonly ReportTraceroute[], style: Style, width: number): string[] {
  if (traceroutes.length === 0) return []
  const order = [...new Set(traceroutes.map((one) => one.destination))]
  const sorted = [...traceroutes].sort((a, b) => order.indexOf(a.destination) - order.indexOf(b.destination))
  const lines = [style.bold('Traceroutes')]
  for (const one of sorted.slice(0, MAX_LISTED)) lines.push(headline(one, style), ...hopLines(one, style, width))
  if (sorted.length > MAX_LISTED) lines.push(style.dim(`  … and ${sorted.length - MAX_LISTED} more (--json)`))
  return lines
}

function headline(one: ReportTraceroute, style: Style): string {
  const where = `${one.protocol} on ${escapeForTerminal(one.interface)} (${one.side === 'tunnel' ? 'in the tunnel' : 'outside'})`
  const heard = one.hops.findLast((hop) => hop.routers.length > 0)?.ttl ?? 0
  const how = one.reached
    ? `there in ${one.hops.length} ${one.hops.length === 1 ? 'hop' : 'hops'}`
    : `not there; ${heard === 0 ? 'no hop answers' : `silence behind hop ${heard}`}`
  return `  ${style.name(one.destination)}  ${where}, ${how}`
}

/** Silence behind the last answer is said in the headline. */
function hopLines(one: ReportTraceroute, style: Style, width: number): string[] {
  const heard = one.hops.findLastIndex((hop) => hop.routers.length > 0)
  const rows = one.hops.slice(0, heard + 1).map((hop): Cell[] => {
    const times = hop.routers.map((router) => millis(router.rttMs)).join(', ')
    return [
      { text: `${hop.ttl}`, paint: style.dim, right: true },
      hop.routers.length === 0 ? '*' : hop.routers.map(routerText).join(', '),
      times === '' ? '' : `${times} ms`,
    ]
  })
  return rows.length === 0 ? [] : tableLines(rows, width, 4)
}

/** A LAN answers within a tenth of a millisecond. */
function millis(value: number): string {
  return value.toFixed(value < 1 ? 2 : 1)
}

function routerText(one: ReportHopRouter): string {
  const owner = [one.asn === undefined ? '' : `AS${one.asn}`, one.organisation ?? ''].filter((part) => part !== '')
  const said = one.unreachable === true ? ' (unreachable)' : ''
  return `${one.address}${owner.length > 0 ? ` ${escapeForTerminal(owner.join(' '))}` : ''}${said}`
}
