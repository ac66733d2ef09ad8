// A comparison as one file for a browser. Cold path.
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
import { htmlHeading, htmlPage, htmlRow, htmlTable, safe } from './html-page.ts'

/** One self-contained HTML file. */
export function comparisonHtml(comparison: Comparison): string {
  const { word, sentence, isGood } = comparisonVerdict(comparison)
  const differing = comparison.sites.filter((one) => one.verdict === 'differs')
  const others = comparison.sites.filter((one) => one.verdict !== 'differs')
  return htmlPage(`tunnelscope compare: ${sentence}`, comparison.tool.version, [
    htmlHeading(word, sentence, isGood ? 'good' : 'bad'),
    contextTable(comparison),
    ...differing.map(siteSection),
    noteList(comparison),
    otherList(others),
  ])
}

function contextTable({ contexts }: Comparison): string {
  const rows = contexts.map((one) =>
    htmlRow([
      one.label,
      `${one.start.slice(0, 10)} ${one.start.slice(11, 19)}`,
      one.network,
      one.resolvers.join(', '),
      one.files.map(nameOfFile).join(', '),
    ]),
  )
  return htmlTable(['', 'from (UTC)', 'network', 'resolvers', 'capture'], rows)
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
    parts.push(htmlTable(['', control.label, test.label], rows))
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
  return `<h3>Found besides</h3>${htmlTable(
    ['', '', ''],
    notes.map((note) => htmlRow([note.label, note.id, note.summary])),
  )}`
}

function otherList(sites: readonly SiteComparison[]): string {
  if (sites.length === 0) return ''
  return `<h3>Other sites</h3>${htmlTable(
    ['site', ''],
    sites.map((one) => htmlRow([one.host, one.summary])),
  )}`
}
