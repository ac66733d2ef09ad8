// A comparison as one file for a browser: no script, no request, everything from the wire escaped. Cold path.
import type { Comparison, SiteComparison } from '../model/comparison.ts'
import type { SiteObservation } from '../model/site.ts'
import {
  AXIS_WORDS,
  comparisonVerdict,
  evidenceWords,
  STAGE_WORDS,
  settledWords,
  whereWords,
} from './comparison-text.ts'
import { escapeForTerminal } from './escape.ts'

const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #5b6570; --line: #d9dee3; --paper: #fff; --card: #f6f8fa; --bad: #b3261e; --good: #1a7f37; --name: #0b5cad }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ec; --soft: #9aa4ae; --line: #343b43; --paper: #15181c; --card: #1d2126; --bad: #ff8a80; --good: #6fdd8b; --name: #7ab8ff } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 60rem; padding: 2rem 1.25rem; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif }
h1 { font-size: 1.5rem; margin: 0 0 1.5rem } h1 b { margin-right: .6rem } .bad { color: var(--bad) } .good { color: var(--good) }
h2 { font-size: 1.1rem; margin: 0; color: var(--name); overflow-wrap: anywhere } h3 { font-size: 1rem; margin: 1.75rem 0 .5rem }
section { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1rem 1.25rem; margin: 1rem 0 }
.where, .basis, footer { color: var(--soft); font-size: .9rem } .axis { font-weight: 600; color: var(--bad) }
.scroll { overflow-x: auto } table { border-collapse: collapse; width: 100%; font-size: .9rem; margin: .75rem 0 }
th, td { text-align: left; vertical-align: top; padding: .3rem .75rem .3rem 0; border-bottom: 1px solid var(--line) } td { overflow-wrap: anywhere } th, td:first-child { white-space: nowrap } th { font-weight: 600; color: var(--soft) }
td.other { font-weight: 600 } .next { border-left: 3px solid var(--name); padding-left: .75rem; margin: .75rem 0 } .next p { margin: .2rem 0 }
`

/** One self-contained HTML file. The policy in its head forbids every request. */
export function comparisonHtml(comparison: Comparison): string {
  const { word, sentence, isGood } = comparisonVerdict(comparison)
  const differing = comparison.sites.filter((one) => one.verdict === 'differs')
  const others = comparison.sites.filter((one) => one.verdict !== 'differs')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${safe(`tunnelscope compare: ${sentence}`)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1><b class="${isGood ? 'good' : 'bad'}">${safe(word)}</b>${safe(sentence)}</h1>
${contextTable(comparison)}
${differing.map(siteSection).join('\n')}
${noteList(comparison)}
${otherList(others)}
<footer>tunnelscope ${safe(comparison.tool.version)}</footer>
</body>
</html>
`
}

function contextTable({ contexts }: Comparison): string {
  const rows = contexts.map((one) =>
    row([
      one.label,
      `${one.start.slice(0, 10)} ${one.start.slice(11, 19)}`,
      one.network,
      one.resolvers.join(', '),
      one.files.map(nameOfFile).join(', '),
    ]),
  )
  return table(['', 'from (UTC)', 'network', 'resolvers', 'capture'], rows)
}

function siteSection(one: SiteComparison): string {
  const { difference, next, control, test } = one
  const parts = [`<h2>${safe(one.host)}</h2>`, `<div class="where">${safe(whereWords(one))}</div>`]
  if (difference !== undefined) {
    const basis = `first difference: ${STAGE_WORDS[difference.stage]}; ${difference.confidence}, ${difference.basis}`
    parts.push(
      `<p><span class="axis">${safe(AXIS_WORDS[difference.axis])}</span> <span class="basis">${safe(basis)}</span></p>`,
    )
  }
  parts.push(`<p>${safe(one.summary)}</p>`)
  if (one.settledBy !== undefined) parts.push(`<p>${safe(settledWords(one.settledBy, one))}</p>`)
  if (next !== undefined) {
    const lines = [next.instruction, `If it works, ${next.ifItWorks}.`, `If it still fails, ${next.ifItFails}.`]
    parts.push(`<div class="next"><b>Next</b>${lines.map((line) => `<p>${safe(line)}</p>`).join('')}</div>`)
  }
  if (control !== undefined && test !== undefined) {
    const rows = factRows(control.observation, test.observation)
    parts.push(table(['', control.label, test.label], rows))
  }
  const seen = evidenceWords(one)
  if (seen !== '') parts.push(`<div class="basis">seen in ${safe(seen)}</div>`)
  return `<section>${parts.join('\n')}</section>`
}

/** The stages side by side; what is not the same stands out. */
function factRows(control: SiteObservation, test: SiteObservation): string[] {
  const before = facts(control)
  const now = facts(test)
  return Object.keys(before).flatMap((name) => {
    const a = before[name] ?? ''
    const b = now[name] ?? ''
    if (a === '' && b === '') return []
    const mark = untimed(a) === untimed(b) ? '' : ' class="other"'
    return [`<tr><th>${safe(name)}</th><td>${safe(a)}</td><td${mark}>${safe(b)}</td></tr>`]
  })
}

/** No two visits take the same time. */
function untimed(text: string): string {
  return text.replace(/[\d.]+ ms/g, '')
}

function nameOfFile(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

function facts(one: SiteObservation): Record<string, string> {
  const { dns, tcp, tls, quic, http, sizeLoss, network } = one
  const list = (parts: (string | undefined | false)[]) =>
    parts.filter((part) => part !== undefined && part !== false && part !== '').join(', ')
  return {
    network: list([
      network.tunnel === 'none' ? 'no tunnel' : `tunnel ${network.tunnel}`,
      network.endpoint,
      network.interface,
    ]),
    resolver: list([dns?.server, dns?.latencyMs !== undefined && `${dns.latencyMs} ms`]),
    answer: list([dns?.rcode, ...(dns?.answers ?? []), ...(dns?.chain ?? []), ...(dns?.extendedErrors ?? [])]),
    address: one.addresses
      .map(({ address, asn, organisation }) => list([address, asn !== undefined && `AS${asn}`, organisation]))
      .join('; '),
    TCP: list([
      tcp && `${tcp.answered} of ${tcp.tried} connections taken`,
      tcp !== undefined && tcp.refused > 0 && `${tcp.refused} refused`,
      tcp !== undefined && tcp.silent > 0 && `${tcp.silent} unanswered`,
      tcp?.rttMs !== undefined && `${tcp.rttMs} ms`,
      tcp?.mssToServer !== undefined && `MSS ${tcp.mssToServer}/${tcp.mssToClient ?? '?'}`,
      tcp !== undefined && tcp.retransmissions > 0 && `${tcp.retransmissions} sent again`,
    ]),
    TLS: list([
      tls && `to ${tls.stage}`,
      tls?.version,
      tls?.alpn,
      tls?.alert && `alert ${tls.alert}`,
      tls !== undefined && tls.resets > 0 && `${tls.resets} reset`,
      tls !== undefined && tls.stalls > 0 && `${tls.stalls} stalled`,
    ]),
    QUIC: quic === undefined ? '' : `${quic.answered} of ${quic.tried} answered`,
    HTTP: list([
      http && `${http.status}`,
      http?.server,
      http?.via && `via ${http.via}`,
      http?.cfRay && `CF-RAY ${http.cfRay}`,
      http?.proxyStatus && `Proxy-Status ${http.proxyStatus}`,
      http?.xCache && `X-Cache ${http.xCache}`,
      http && `${http.bodyLen} bytes`,
      http?.firstByteMs !== undefined && `first byte ${http.firstByteMs} ms`,
    ]),
    sizes:
      sizeLoss === undefined
        ? ''
        : `${sizeLoss.smallestLost} bytes die ${sizeLoss.direction}, ${sizeLoss.largestDelivered} pass`,
  }
}

function noteList({ notes }: Comparison): string {
  if (notes.length === 0) return ''
  return `<h3>Found besides</h3>${table(
    ['', '', ''],
    notes.map((note) => row([note.label, note.id, note.summary])),
  )}`
}

function otherList(sites: readonly SiteComparison[]): string {
  if (sites.length === 0) return ''
  return `<h3>Other sites</h3>${table(
    ['site', ''],
    sites.map((one) => row([one.host, one.summary])),
  )}`
}

function table(head: readonly string[], rows: readonly string[]): string {
  const cells = head.map((text) => `<th>${safe(text)}</th>`).join('')
  return `<div class="scroll"><table><thead><tr>${cells}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`
}

function row(cells: readonly string[]): string {
  return `<tr>${cells.map((text) => `<td>${safe(text)}</td>`).join('')}</tr>`
}

const ENTITIES: Readonly<Record<string, string>> = Object.freeze({
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
})

/** What acts instead of being shown is written out, then what HTML reads as its own is made plain text. */
function safe(text: string): string {
  return escapeForTerminal(text).replace(/[&<>"']/g, (character) => ENTITIES[character]!)
}
