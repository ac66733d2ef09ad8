// The report as one file for a browser: what the text says, in the same words. Cold path.
import type { Finding } from '../model/finding.ts'
import type { Report, ReportLeak } from '../model/report.ts'
import { htmlHeading, htmlPage, htmlRow, htmlTable, safe } from './html-page.ts'
import {
  basisText,
  coverageSentence,
  epochDetail,
  epochState,
  evidenceText,
  ownerText,
  verdictSentence,
} from './report.ts'
import { leakServiceLines, leakTestLines } from './report-leak-level.ts'
import { pathLines } from './report-paths.ts'
import { tracerouteLines } from './report-traceroutes.ts'
import { tunnelLines } from './report-tunnels.ts'
import { createStyle } from './style.ts'

/** A page of more is slow in a browser; --json has them all. */
const MAX_LISTED = 1000
/** Columns of what stands in the page as the text has it. */
const TEXT_COLUMNS = 110

const MOODS = Object.freeze({
  ok: 'good',
  leak: 'bad',
  mixed: 'bad',
  'no-tunnel': 'unsure',
  unknown: 'unsure',
} as const)

/** One self-contained HTML file. */
export function reportHtml(report: Report): string {
  const { verdict } = report
  const sentence = verdictSentence(report)
  return htmlPage(`tunnelscope: ${sentence}`, report.tool.version, [
    htmlHeading(verdict.dns.toUpperCase().replace('-', ' '), sentence, MOODS[verdict.dns]),
    `<p>${safe(coverageSentence(report))}</p>`,
    ...verdict.reasons.map((reason) => `<p class="unsure">not complete: ${safe(reason)}</p>`),
    ...(report.findings.length === 0
      ? ['<p>No findings.</p>']
      : report.findings.slice(0, MAX_LISTED).map(findingSection)),
    left(report.findings.length, 'findings'),
    ...leakTable('Left outside the tunnel', report.leaks),
    ...leakTable('Said to the local network', report.exposures),
    ...epochTable(report),
    ...resolverTable(report),
    ...interfaceTable(report),
    ...asText(report),
  ])
}

function findingSection(finding: Finding): string {
  const mood = finding.severity === 'critical' ? 'bad' : finding.severity === 'warning' ? 'unsure' : 'where'
  const span =
    finding.count > 1 ? `${finding.count} times, ${day(finding.time)} to ${day(finding.last)}` : day(finding.time)
  const parts = [
    `<h2><span class="${mood}">${safe(finding.severity)}</span> ${safe(finding.id)}</h2>`,
    `<div class="where">${safe(`${basisText(finding)}; ${span}`)}</div>`,
    `<p>${safe(finding.summary)}</p>`,
    `<div class="next"><p>${safe(finding.advice)}</p></div>`,
  ]
  if (finding.evidence.length > 0) parts.push(`<div class="basis">seen in ${safe(evidenceText(finding))}</div>`)
  if (finding.filter !== undefined) parts.push(`<code>${safe(finding.filter)}</code>`)
  return `<section>${parts.join('\n')}</section>`
}

function leakTable(title: string, leaks: readonly ReportLeak[]): string[] {
  if (leaks.length === 0) return []
  const rows = leaks
    .slice(0, MAX_LISTED)
    .map((one) =>
      htmlRow([
        day(one.first),
        one.name === null ? '(encrypted)' : one.name === '' ? '.' : one.name,
        one.type ?? '',
        `${one.transport} to ${one.server}`,
        one.interface,
        `${one.count}`,
        one.cause,
      ]),
    )
  const head = ['from (UTC)', 'name', 'type', 'asked', 'interface', 'times', 'why']
  return [`<h3>${safe(title)}</h3>`, htmlTable(head, rows), left(leaks.length, 'names')]
}

function epochTable({ epochs }: Report): string[] {
  if (epochs.length === 0) return []
  const rows = epochs.map((one) =>
    htmlRow([`${one.id}`, day(one.start), epochState(one), epochDetail(one), one.reason]),
  )
  return ['<h3>Epochs</h3>', htmlTable(['', 'from (UTC)', 'tunnel', '', 'what changed'], rows)]
}

function resolverTable({ resolvers }: Report): string[] {
  if (resolvers.length === 0) return []
  const rows = resolvers.map((one) =>
    htmlRow([
      one.port === 53 ? one.server : `${one.server} port ${one.port}`,
      one.transport,
      `${one.interface}, ${one.side === 'tunnel' ? 'in the tunnel' : 'outside'}`,
      `${one.answered} of ${one.queries}`,
      one.p50Ms === undefined ? '' : `${one.p50Ms.toFixed(1)} / ${one.p95Ms?.toFixed(1) ?? '?'}`,
      ownerText(one),
      `${one.epoch}`,
    ]),
  )
  const head = ['resolver', 'over', 'interface', 'answered', 'ms (p50 / p95)', 'run by', 'epoch']
  return ['<h3>Resolvers</h3>', htmlTable(head, rows)]
}

function interfaceTable({ inputs }: Report): string[] {
  const rows = inputs.flatMap((input) =>
    input.interfaces.map((one) =>
      htmlRow([
        one.name,
        one.role,
        `${one.packets}`,
        `${one.mtu ?? ''}`,
        one.reasons.join('; '),
        nameOfFile(input.file),
      ]),
    ),
  )
  if (rows.length === 0) return []
  return ['<h3>Interfaces</h3>', htmlTable(['interface', 'role', 'packets', 'MTU', 'because', 'capture'], rows)]
}

/** What is a picture in letters already. */
function asText(report: Report): string[] {
  const plain = createStyle(false)
  return [
    tunnelLines(report.tunnels, plain, TEXT_COLUMNS),
    leakServiceLines(report.leakService, plain, TEXT_COLUMNS),
    leakTestLines(report.leakTests, plain, TEXT_COLUMNS),
    pathLines(report, plain, TEXT_COLUMNS),
    tracerouteLines(report.traceroutes, plain, TEXT_COLUMNS),
  ]
    .filter((lines) => lines.length > 0)
    .map(([title, ...lines]) => `<h3>${safe(title!)}</h3><pre>${lines.map(safe).join('\n')}</pre>`)
}

function left(count: number, things: string): string {
  return count <= MAX_LISTED ? '' : `<p class="where">${count - MAX_LISTED} more ${things} (--json)</p>`
}

/** `2026-01-15 12:00:03`. */
function day(time: string): string {
  return `${time.slice(0, 10)} ${time.slice(11, 19)}`
}

function nameOfFile(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
