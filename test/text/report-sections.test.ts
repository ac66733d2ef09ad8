// The report's sections about tunnels and about leaks in sum: exact lines, nothing without a reason, hostile text escaped.
import type { Report, ReportLeakTest, ReportTunnel } from '../../src/model/report.ts'
import { verdictSentence } from '../../src/text/report.ts'
import { leakServiceLines, leakTestLines } from '../../src/text/report-leak-level.ts'
import { tunnelLines } from '../../src/text/report-tunnels.ts'
import { createStyle } from '../../src/text/style.ts'
import { tableLines } from '../../src/text/table.ts'

const plain = createStyle(false)

const exact: ReportTunnel = {
  interface: 'wg0',
  outerInterface: 'eth0',
  endpoint: '203.0.113.10',
  port: 51820,
  transport: 'WireGuard',
  outerFamily: 'ipv4',
  matchedBy: 'packets',
  confidence: 'strong',
  overhead: 60,
  overheadIsExact: true,
  paddingTo: 16,
  packets: 1234,
  explained: 1200,
  entered: 500,
  neverLeft: 3,
  addedP50Ms: 0.12,
  addedP95Ms: 2.3,
  first: '2026-01-02T03:04:05.000000Z',
  last: '2026-01-02T03:05:05.000000Z',
}
const { overhead: _overhead, paddingTo: _paddingTo, neverLeft: _neverLeft, addedP50Ms: _added, ...rest } = exact
const byVolume: ReportTunnel = {
  ...rest,
  interface: 'tun\u001b[2J',
  endpoint: '2001:db8::1',
  port: 443,
  transport: 'a TCP stream',
  matchedBy: 'volume',
  confidence: 'probable',
  overheadIsExact: false,
  correlation: 0.981,
  moments: 41,
  addedShare: 0.063,
}

test('nothing is said where there is nothing', () => {
  expect([tunnelLines([], plain, 80), leakServiceLines([], plain, 80), leakTestLines([], plain, 80)]).toEqual([
    [],
    [],
    [],
  ])
})

test('tunnels, those known by volume alone with how sure that is', () => {
  expect(tunnelLines([exact, byVolume], plain, 100)).toEqual([
    'Tunnels',
    '  inside      outside  server              packets  adds                    transport',
    '  wg0         eth0     203.0.113.10:51820     1234  60 bytes, padded to 16  WireGuard',
    '  tun\\x1b[2J  eth0     [2001:db8::1]:443      1234  6 % of the bytes        a TCP stream',
    '    wg0: 0.12 ms to the outer packet (p50), 2.3 ms (p95)',
    '    wg0: 3 of 500 packets that entered it never came out',
    '    tun\\x1b[2J: told by volume alone (probable): the transport pads, cuts or joins packets, and',
    '    carries as much at the same moments; correlation 0.981 over 41 moments',
  ])
})

test('a stream’s overhead is about so much, and ESP has no port', () => {
  const [, , row] = tunnelLines([{ ...exact, overheadIsExact: false, paddingTo: 1, port: 0 }], plain, 100)
  expect(row).toBe('  wg0     eth0     203.0.113.10     1234  about 60 bytes  WireGuard')
})

test('leaks by day and program', () => {
  const days = Array.from({ length: 12 }, (_, index) => ({
    day: `2026-01-${`${index + 1}`.padStart(2, '0')}`,
    app: index === 11 ? 'evil\n' : 'curl',
    questions: 9,
    names: 7,
    outsideMs: 23.04,
  }))
  const lines = leakServiceLines(days, plain, 80)
  expect(lines.slice(0, 3)).toEqual([
    'Leaked by day and program',
    '  day         names  questions  ms outside  program',
    '  2026-01-03      7          9        23.0  curl',
  ])
  expect(lines.slice(-2)).toEqual(['  2026-01-12      7          9        23.0  evil\\n', '  … and 2 before (--json)'])
})

test('leak tests: every question is counted under what became of it', () => {
  const question = (explanation: string) => ({
    name: 'x.bash.ws',
    type: 'A',
    server: '10.64.0.1',
    transport: 'udp' as const,
    interface: 'wg0',
    explanation,
  })
  const inside = 'asked of 10.64.0.1 inside the tunnel: the page sees whom that resolver asks through'
  const left =
    'left on eth\u001b0 to 192.0.2.53 outside the tunnel (lan-forwarder): the page sees that resolver’s network'
  const run: ReportLeakTest = {
    page: 'bash.ws',
    questions: [question(left), question(inside), question(inside)],
    inside: 2,
    outside: 1,
  }
  expect(leakTestLines([run], plain, 90)).toEqual([
    'Leak tests',
    '  bash.ws  3 questions, 1 outside the tunnel',
    '    2  asked of 10.64.0.1 inside the tunnel: the page sees whom that resolver asks through',
    '    1  left on eth\\x1b0 to 192.0.2.53 outside the tunnel (lan-forwarder): the page sees',
    '       that resolver’s network',
  ])
})

test('a table that leaves little room has its columns one apart, and only then', () => {
  const rows = [
    ['192.0.2.1', '53', 'lan-forwarder'],
    ['2001:db8:1::1', '853', 'v6-bypass'],
  ]
  expect(tableLines(rows, 35, 2)).toEqual(['  192.0.2.1      53   lan-forwarder', '  2001:db8:1::1  853  v6-bypass'])
  expect(tableLines(rows, 34, 2)).toEqual(['  192.0.2.1     53  lan-forwarder', '  2001:db8:1::1 853 v6-bypass'])
  expect(tableLines([['eth0', 'name wg0; link type Raw IP']], 21, 0)).toEqual(['eth0  name wg0; link…'])
})

test('no tunnel: what was not seen is not said to have been absent, and of no packet nothing is said', () => {
  const of = (packets: number) =>
    verdictSentence({ epochs: [], verdict: { dns: 'no-tunnel', coverage: { packets } } } as unknown as Report)
  expect(of(3)).toBe('No tunnel was seen in this capture, so nothing that left can be called a leak.')
  expect(of(0)).toBe('There is no packet in this capture, so nothing can be said.')
})
