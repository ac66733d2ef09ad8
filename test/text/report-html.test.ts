// The report as a page and for others: what the wire says is no markup, and a redacted one names nobody.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Report } from '../../src/model/report.ts'
import { redact } from '../../src/text/redact.ts'
import { reportText } from '../../src/text/report.ts'
import { reportHtml } from '../../src/text/report-html.ts'
import { compiled } from '../support/compiled.ts'

const capture = fileURLToPath(new URL('../../examples/leak.pcapng', import.meta.url))
const HOSTILE = '<script>alert(1)</script>"\'&\x1b[2J\u202e'

function analyze(...flags: string[]): string {
  return execFileSync(process.execPath, [compiled('src/cli/main.ts'), 'analyze', capture, ...flags], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
}

let report: Report
beforeAll(() => {
  report = JSON.parse(analyze('--json')) as Report
})

/** Every text of the wire replaced by a hostile one. */
function hostile(): Report {
  const words = new Set(['name', 'interface', 'file', 'source', 'summary', 'advice', 'host', 'server', 'key', 'filter'])
  return JSON.parse(JSON.stringify(report), (key, value) =>
    words.has(key) && typeof value === 'string' ? HOSTILE : value,
  ) as Report
}

test('the page says what the text says', () => {
  const html = reportHtml(report)
  expect(html).toContain('4 of 10 DNS questions left outside the tunnel')
  for (const finding of report.findings) expect(html).toContain(`</span> ${finding.id}</h2>`)
  for (const { server } of report.resolvers) expect(html).toContain(server)
  for (const { name } of report.leaks) expect(html).toContain(name!)
})

test('what the wire says is no markup, and the page asks nobody for anything', () => {
  const html = reportHtml(hostile())
  expect(html).toContain('&lt;script&gt;')
  expect(html).not.toMatch(/<script|\x1b|\u202e/)
  expect(html).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`)
  expect(html).not.toMatch(/<[^>]*\b(src|href|action|on\w+)=|url\(|@import/)
})

test('a redacted report names nobody, in JSON, text and page, and says the same', () => {
  const redacted = redact(report)
  const words = [JSON.stringify(redacted), reportText(redacted, { width: 200, colour: false }), reportHtml(redacted)]
  const secrets = [
    ...report.leaks.flatMap(({ name, server }) => [name!, server]),
    ...report.resolvers.map(({ server }) => server),
    ...report.sites.map(({ host }) => host),
    'eth0',
    'wg0',
    'leak.pcapng',
    'example.com',
  ]
  expect(secrets.length).toBeGreaterThan(10)
  for (const secret of secrets) for (const text of words) expect(text).not.toContain(secret)
  expect(redacted.verdict).toEqual(report.verdict)
  expect(redacted.findings.map(({ id, severity, basis, time }) => [id, severity, basis, time])).toEqual(
    report.findings.map(({ id, severity, basis, time }) => [id, severity, basis, time]),
  )
  // What is equal stays equal.
  const [leak] = redacted.leaks
  expect(redacted.resolvers.some(({ server }) => server === leak!.server)).toBe(true)
})

test('a name that is one of our own words changes none of them', () => {
  const tricky = structuredClone(report)
  tricky.leaks[0]!.name = 'mixed'
  tricky.leaks[1]!.name = '.'
  tricky.leaks[2]!.name = 'udp'
  const redacted = redact(tricky)
  expect(redacted.verdict).toEqual(report.verdict)
  expect(redacted.leaks[0]).toMatchObject({ transport: 'udp' })
  expect(redacted.leaks[0]!.name).toMatch(/^name-\d+$/)
  expect(redacted.findings[0]!.summary).toMatch(/\.$/)
})

test('analyze --html writes the page for its owner only', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tunnelscope-html-'))
  const file = join(folder, 'report.html')
  expect(analyze('--html', file, '--redact')).toBe('')
  expect(readFileSync(file, 'utf8')).toContain('name-1')
  expect(readFileSync(file, 'utf8')).not.toContain('example.com')
  expect(statSync(file).mode & 0o777).toBe(0o600)
  rmSync(folder, { recursive: true })
})
