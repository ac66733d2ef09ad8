// Sites by network context: where each works and where it fails, and how far it came there.
import type { SiteObservation } from '../model/site.ts'
import type { Cell, Row, Table } from './rows.ts'
import { nameText, shown } from './words.ts'

const MAX_SITE_ROWS = 60
/** Network contexts that sites are compared in. */
const MAX_SITE_EPOCHS = 4

/** Sites that fail somewhere come first, then those seen last. */
export function siteTable(sites: readonly SiteObservation[], epochText: (epoch: number) => string): Table {
  const epochs = [...new Set(sites.map(({ epoch }) => epoch))]
    .sort((left, right) => right - left)
    .slice(0, MAX_SITE_EPOCHS)
  const byHost = new Map<string, SiteObservation[]>()
  for (const site of sites) {
    if (!epochs.includes(site.epoch)) continue
    const same = byHost.get(site.host)
    if (same === undefined) byHost.set(site.host, [site])
    else same.push(site)
  }
  const lastOf = (same: readonly SiteObservation[]) =>
    same
      .map(({ last }) => last)
      .sort()
      .at(-1)!
  const failsIn = (same: readonly SiteObservation[]) => same.some(({ outcome }) => outcome === 'fails')
  const hosts = [...byHost].sort(
    ([, left], [, right]) => Number(failsIn(right)) - Number(failsIn(left)) || (lastOf(left) < lastOf(right) ? 1 : -1),
  )
  const rows = hosts.slice(0, MAX_SITE_ROWS).map(([host, same]): Row => {
    const failing = same.filter(({ outcome }) => outcome === 'fails').sort((left, right) => right.epoch - left.epoch)[0]
    return {
      key: host,
      cells: [
        { text: nameText(host), kind: 'code' },
        ...epochs.map((epoch) => outcomeCell(same.find((one) => one.epoch === epoch))),
        { text: failing === undefined ? '' : shown(failureText(failing)) },
      ],
    }
  })
  return { heads: ['Site', ...epochs.map(epochText), 'What failed'], rows, left: hosts.length - rows.length }
}

function outcomeCell(site: SiteObservation | undefined): Cell {
  if (site === undefined) return { text: '–', kind: 'word' }
  const { outcome, failures, visits } = site
  if (outcome === 'unknown') return { text: 'not known', mood: 'unsure', kind: 'word' }
  if (outcome === 'works') return { text: 'works', mood: 'good', kind: 'word' }
  return {
    text: failures > 0 && failures < visits ? `fails ${failures} of ${visits}` : 'fails',
    mood: 'bad',
    kind: 'word',
  }
}

/** How far it came, in a few words. */
function failureText({ http, tls, tcp, quic, dns }: SiteObservation): string {
  if (http !== undefined && http.status >= 400)
    return `HTTP ${http.status}${http.server === undefined ? '' : ` from ${http.server}`}`
  if (http !== undefined && http.unanswered > 0) return 'HTTP: no answer'
  if (tls?.alert !== undefined) return `TLS alert ${tls.alert}`
  if (tls !== undefined && tls.resets > 0) return 'TLS: reset'
  if (tls !== undefined && tls.stalls > 0) return 'TLS: stalled'
  if (tcp !== undefined && tcp.refused > 0) return 'TCP: refused'
  if (tcp !== undefined && tcp.silent > 0) return 'TCP: no answer'
  if (quic !== undefined && quic.answered < quic.tried) return 'QUIC: no answer'
  if (dns?.rcode !== undefined && dns.rcode !== 'NOERROR') return `DNS ${dns.rcode}`
  return dns !== undefined && dns.timedOut > 0 ? 'DNS: no answer' : ''
}
