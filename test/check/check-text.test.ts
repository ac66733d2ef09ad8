// What a person reads of a check, and what a program does, at two widths; nothing that a server says acts on the terminal.
import { join } from 'node:path'
import type { CheckReport } from '../../src/model/check.ts'
import type { Finding } from '../../src/model/finding.ts'
import { checkText } from '../../src/text/check-text.ts'
import { expectGolden } from '../support/golden.ts'
import { INSIDE, OUTSIDE, reportOf, type WayStory, waysOf } from './ways.ts'

const golden = (name: string) => join(import.meta.dirname, 'golden', name)
const text = (report: CheckReport, width = 100) => checkText(report, { width, colour: false })

/** A 502 through the tunnel, on a machine that does not know the CA. */
const GATEWAY: WayStory[] = [
  { over: 'wg0', resolver: INSIDE, status: 502, server: 'nginx/1.22.1' },
  { over: 'eth0', resolver: OUTSIDE, server: 'nginx/1.22.1' },
  { over: 'wg0', resolver: OUTSIDE, status: 502, server: 'nginx/1.22.1' },
  { over: 'eth0', resolver: INSIDE, server: 'nginx/1.22.1' },
].map((one) => ({ ...one, trust: 'its issuer is no CA that this machine trusts' }))

const NOTES = ['192.0.2.53 has no answer for AAAA (REFUSED), though one for A.', 'shop.example has no IPv6 address.']

/** Several things at once: a wrong address, a way that is not gone, IPv6 that is longer than the table likes. */
const MIXED: WayStory[] = [
  {
    over: 'wg0',
    resolver: INSIDE,
    answers: ['198.51.100.84'],
    request: { stage: 'connect', fault: 'refused', code: 'ECONNREFUSED' },
  },
  { over: 'eth0', resolver: OUTSIDE },
  { over: 'wg0', resolver: OUTSIDE },
  { over: 'eth0', resolver: INSIDE, skipped: 'no route leads there', answers: ['198.51.100.84'] },
  { over: 'wg0', resolver: INSIDE, family: 6, answers: ['2001:db8:1234:5678:9abc:def0:1234:5678'] },
  { over: 'eth0', resolver: OUTSIDE, family: 6, answers: [], isOtherVersion: true },
]

const FINDING: Finding = {
  id: 'mtu-black-hole',
  severity: 'warning',
  confidence: 'proven',
  basis: 'RFC 4821 7.7',
  key: 'wg0',
  epoch: 1,
  time: '2026-01-15T12:00:00.000000Z',
  last: '2026-01-15T12:00:09.000000Z',
  count: 2,
  interface: 'wg0',
  summary: 'On wg0 packets of 1420 bytes die without an ICMP message, while smaller ones pass.',
  advice: 'Set the MTU of wg0 to 1340.',
  data: {},
  evidence: [],
}

test.each([80, 100])('a gateway that fails through the VPN, %d columns', (width) => {
  expectGolden(golden(`gateway-${width}.golden.txt`), text(reportOf(waysOf(...GATEWAY), { notes: NOTES }), width))
})

test.each([80, 120])('many things at once, %d columns', (width) => {
  const report = reportOf(waysOf(...MIXED), {
    findings: [FINDING],
    capture: { packets: 9, dropped: 0, file: 'shop.pcapng' },
  })
  expectGolden(golden(`mixed-${width}.golden.txt`), text(report, width))
})

test('the same for a program', () => {
  const report = reportOf(waysOf(GATEWAY[0]!, GATEWAY[1]!), { notes: NOTES, findings: [FINDING] })
  expectGolden(golden('gateway.golden.json'), `${JSON.stringify(report, undefined, 2)}\n`)
})

test('no line is wider than asked, down to seventy columns', () => {
  for (const stories of [GATEWAY, MIXED]) {
    for (const width of [70, 80, 100, 160]) {
      const lines = text(reportOf(waysOf(...stories), { notes: NOTES, findings: [FINDING] }), width).split('\n')
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width)
    }
  }
})

test('colour only when asked for', () => {
  const report = reportOf(waysOf(...GATEWAY))
  expect(text(report)).not.toContain('\x1b')
  expect(checkText(report, { width: 100, colour: true })).toContain('\x1b[1;31mDIFFERS\x1b[0m')
})

test('what is not complete says why', () => {
  const report = reportOf(waysOf(...GATEWAY))
  report.verdict = { ...report.verdict, complete: false, reasons: ['It was interrupted.'] }
  expect(text(report)).toContain('Not complete. It was interrupted.')
})

test('what a server, a resolver and a certificate say does nothing on a terminal', () => {
  const hostile = '\x1b[2J\u202eevil\r\n'
  const ways = waysOf(
    { over: 'wg0', status: 502, server: hostile, trust: hostile, request: { location: `http://${hostile}/` } },
    { over: 'eth0', resolver: OUTSIDE, server: hostile, answers: [hostile] },
    { over: 'wg0', request: { stage: 'answer', fault: hostile } },
  )
  const said = text(
    reportOf(ways, {
      host: hostile,
      url: hostile,
      notes: [hostile],
      findings: [{ ...FINDING, summary: hostile, interface: hostile }],
    }),
  )
  expect(said).toContain('\\x1b[2J')
  expect(said).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f\u202e]/)
})
