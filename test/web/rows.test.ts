// Tables: what the service tells as cells of text, with nothing in them that acts.
import type { ReportLeak, ReportResolver } from '../../src/model/report.ts'
import type { SiteObservation } from '../../src/model/site.ts'
import { epochTable, interfaceTable, leakRow, type Row, resolverTable } from '../../src/web/rows.ts'
import { siteTable } from '../../src/web/site-table.ts'
import { makeSite } from '../support/findings.ts'
import { toldEpoch } from './told.ts'

const time = (iso: string) => iso.slice(11, 19)
const texts = (rows: readonly Row[]) => rows.map(({ cells }) => cells.map(({ text }) => text))

const LEAK: ReportLeak = {
  name: 'bank.example',
  type: 'AAAA',
  server: '2001:db8::53',
  port: 5353,
  transport: 'udp',
  interface: 'eth0',
  count: 1200,
  first: '2026-01-02T03:04:05.000000Z',
  last: '2026-01-02T03:05:06.000000Z',
  cause: 'v6-bypass',
  epoch: 2,
}

test('a leak: name, time, server, type, interface, cause, count, program', () => {
  const program = { pid: 7, name: 'fire\u202efox' }
  expect(
    texts([leakRow(LEAK, time), leakRow({ ...LEAK, name: null, type: null, port: 53, process: program }, time)]),
  ).toEqual([
    ['bank.example', '03:05:06', 'udp to 2001:db8::53 port 5353', 'AAAA', 'eth0', 'v6-bypass', '1,200', ''],
    ['(encrypted)', '03:05:06', 'udp to 2001:db8::53', '', 'eth0', 'v6-bypass', '1,200', 'fire\\u{202e}fox[7]'],
  ])
})

test('two leaks that differ in anything are two rows, one that was counted again is one', () => {
  const changes: Partial<ReportLeak>[] = [
    {},
    { name: 'other.example' },
    { type: 'A' },
    { server: '192.0.2.1' },
    { port: 53 },
    { transport: 'tcp' },
    { interface: 'wlan0' },
    { cause: 'fragment' },
    { epoch: 3 },
  ]
  const keys = changes.map((change) => leakRow({ ...LEAK, ...change }, time).key)
  expect(new Set(keys).size).toBe(changes.length)
  expect(leakRow({ ...LEAK, count: 2, last: LEAK.first }, time).key).toBe(keys[0])
})

test('resolvers: who runs them has a column when it is known of one', () => {
  const one: ReportResolver = {
    server: '10.64.0.1',
    port: 53,
    transport: 'udp',
    interface: 'wg0',
    side: 'tunnel',
    epoch: 2,
    queries: 100,
    answered: 80,
    p50Ms: 9.31,
    p95Ms: 35,
  }
  const plain = resolverTable([one])
  expect(plain.heads).not.toContain('Run by')
  expect(texts(plain.rows)).toEqual([['10.64.0.1 udp', 'tunnel', 'wg0', '100', '80', '9.3', '35.0', '2']])
  expect(plain.rows[0]!.cells[4]!.mood).toBe('unsure')
  const { p50Ms: _, p95Ms: __, ...silent } = one
  const owned = resolverTable([
    { ...one, asn: 64500, organisation: 'Example\nNet', country: 'DE' },
    { ...silent, server: '192.0.2.1', side: 'outside', port: 853, transport: 'dot' },
  ])
  expect(owned.heads).toHaveLength(9)
  expect(texts(owned.rows)).toEqual([
    ['10.64.0.1 udp', 'tunnel', 'wg0', '100', '80', '9.3', '35.0', 'AS64500 Example\\nNet, DE', '2'],
    ['192.0.2.1 port 853 dot', 'outside', 'wg0', '100', '80', '–', '–', '', '2'],
  ])
  const many = resolverTable(Array.from({ length: 45 }, (___, epoch) => ({ ...one, epoch })))
  expect([many.rows.length, many.left]).toEqual([40, 5])
})

describe('sites', () => {
  const site = (
    host: string,
    epoch: number,
    outcome: SiteObservation['outcome'],
    changes: Partial<SiteObservation> = {},
  ) => makeSite({ host, epoch, outcome, last: `2026-01-02T03:04:${10 + epoch}.000000Z`, ...changes })
  const epochText = (epoch: number) => `Epoch ${epoch}`
  const http = { responses: 1, status: 502, unanswered: 0, address: '', bodyLen: 0, frame: 1, source: '' }

  test('one row a host, a column a context, those that fail first, with what failed last', () => {
    const { heads, rows, left } = siteTable(
      [
        site('works.example', 3, 'works'),
        site('shop.example', 1, 'works'),
        site('shop.example', 3, 'fails', { visits: 3, failures: 2, http: { ...http, server: 'ng\u0007inx' } }),
        site('other.example', 1, 'unknown'),
      ],
      epochText,
    )
    expect(heads).toEqual(['Site', 'Epoch 3', 'Epoch 1', 'What failed'])
    expect(texts(rows)).toEqual([
      ['shop.example', 'fails 2 of 3', 'works', 'HTTP 502 from ng\\x07inx'],
      ['works.example', 'works', '–', ''],
      ['other.example', '–', 'not known', ''],
    ])
    expect(left).toBe(0)
  })

  test.each<[string, Partial<SiteObservation>]>([
    ['HTTP: no answer', { http: { ...http, status: 0, unanswered: 1 } }],
    [
      'TLS alert handshake_failure',
      { tls: { handshakes: 1, stage: 'client-hello', alert: 'handshake_failure', resets: 0, stalls: 0 } },
    ],
    ['TLS: reset', { tls: { handshakes: 1, stage: 'client-hello', resets: 1, stalls: 0 } }],
    ['TLS: stalled', { tls: { handshakes: 1, stage: 'client-hello', resets: 0, stalls: 1 } }],
    [
      'TCP: refused',
      { tcp: { tried: 1, answered: 0, refused: 1, silent: 0, packets: 1, retransmissions: 0, bytesToClient: 0 } },
    ],
    [
      'TCP: no answer',
      { tcp: { tried: 1, answered: 0, refused: 0, silent: 1, packets: 1, retransmissions: 0, bytesToClient: 0 } },
    ],
    ['QUIC: no answer', { quic: { tried: 2, answered: 0 } }],
    [
      'DNS SERVFAIL',
      { dns: { server: '', interface: '', questions: 1, answered: 1, timedOut: 0, rcode: 'SERVFAIL', answers: [] } },
    ],
    ['DNS: no answer', { dns: { server: '', interface: '', questions: 1, answered: 0, timedOut: 1, answers: [] } }],
    ['', {}],
  ])('%j', (words, changes) => {
    const { rows } = siteTable([site('a.example', 1, 'fails', changes)], epochText)
    expect(texts(rows)).toEqual([['a.example', 'fails', words]])
  })

  test('the last four contexts, sixty sites, and how many are not there', () => {
    const sites = Array.from({ length: 70 }, (_, index) => site(`n${index}.example`, 9, 'works'))
    const { heads, rows, left } = siteTable(
      [...sites, ...[1, 5, 6, 7].map((epoch) => site('x.example', epoch, 'works'))],
      epochText,
    )
    expect(heads).toEqual(['Site', 'Epoch 9', 'Epoch 7', 'Epoch 6', 'Epoch 5', 'What failed'])
    expect([rows.length, left]).toEqual([60, 11])
  })
})

test('interfaces: drops have a column where somebody counts them', () => {
  const one = {
    name: 'eth0',
    role: 'physical',
    reasons: ['default route', 'carries WireGuard'],
    linkType: 1,
    packets: 1234,
    bytes: 1,
    mtu: 1500,
    addresses: ['192.0.2.10', '2001:db8::1'],
  } as const
  const made = { ...one, reasons: [...one.reasons], addresses: [...one.addresses] }
  expect(texts(interfaceTable([made]).rows)).toEqual([
    ['eth0', 'physical', '1,500', '1,234', '192.0.2.10, 2001:db8::1', 'default route; carries WireGuard'],
  ])
  const counted = interfaceTable([{ ...made, dropped: 3 }, made])
  expect(counted.heads).toContain('Dropped')
  expect(counted.rows.map(({ cells }) => [cells[4]!.text, cells[4]!.mood])).toEqual([
    ['3', 'bad'],
    ['–', undefined],
  ])
})

test('network contexts: the latest first, 25 of them', () => {
  const lost = toldEpoch(2, 3, { tunnelUp: false, reason: 'link \u202ewg0 went', endpoint: '203.0.113.5:51820' })
  const { rows } = epochTable([toldEpoch(1), lost], time)
  expect(texts(rows)).toEqual([
    ['2', '03:04:05', 'tunnel lost', '203.0.113.5:51820', '40', '3', 'link \\u{202e}wg0 went'],
    ['1', '03:04:05', 'tunnel up: wg0', '', '40', '0', 'start'],
  ])
  const many = epochTable(
    Array.from({ length: 30 }, (_, index) => toldEpoch(index + 1)),
    time,
  )
  expect([many.rows.length, many.left, many.rows[0]!.key]).toEqual([25, 5, '30'])
})
