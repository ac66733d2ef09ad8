import { compareSites } from '../../src/analysis/compare/compare-sites.ts'
import type { Comparison } from '../../src/model/comparison.ts'
import { comparisonHtml } from '../../src/text/comparison-html.ts'
import { comparisonText } from '../../src/text/comparison-text.ts'
import { redact } from '../../src/text/redact.ts'
import { play } from '../analysis/scenario.ts'
import { createStory, httpRequest, httpResponse } from '../fixtures/path-story.ts'

const HOSTILE = '<script>alert(1)</script>"\'&\x1b[2J'

/** A site that answers well through one VPN server and with 502 through the next, whose Server header is `server`. */
function comparison(server: string): Comparison {
  const story = createStory(7)
  const visit = (atMillis: number, status: string, header: string): void => {
    const answer = httpResponse(status, header, 'x')
    const one = story
      .connection({ port: 80 })
      .open(atMillis)
      .out(atMillis + 30, 0, httpRequest('shop.example.com'))
    one.back(atMillis + 60, 0, answer).ackOut(atMillis + 61, answer.length)
  }
  story.wireguard(0, '203.0.113.5')
  visit(100, '200 OK', 'Server: edge\r\n')
  story.wireguard(3000, '203.0.113.133')
  visit(3200, '502 Bad Gateway', `Server: ${server}\r\nVia: 1.1 gate.home.example\r\n`)
  const report = play(story.steps, { tunnelUp: [0, 8000] })
  return {
    tool: { name: 'tunnelscope', version: 'test' },
    schema: 1,
    contexts: report.epochs.map((epoch) => ({
      label: `epoch ${epoch.id}`,
      files: ['/home/anna/story.pcapng'],
      network: `through ${epoch.endpoint}`,
      resolvers: epoch.resolvers,
      start: epoch.start,
    })),
    sites: compareSites(report.sites.map((observation) => ({ label: `epoch ${observation.epoch}`, observation }))),
    notes: [],
  }
}

test('the text says what breaks first, and no line is wider than asked', () => {
  const text = comparisonText(comparison('edge'), { width: 80, colour: false })
  expect(text.split('\n')[0]).toBe('DIFFERS  shop.example.com is different: gateway or origin.')
  expect(text).toContain('502 came from edge at 198.51.100.80')
  expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
})

test('what a server says does nothing on a terminal', () => {
  const text = comparisonText(comparison(HOSTILE), { width: 100, colour: false })
  expect(text).toContain('502 came from')
  expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f]/)
})

test('what a server says is no markup, and the page asks nobody for anything', () => {
  const html = comparisonHtml(comparison(HOSTILE))
  expect(html).toContain('&lt;script&gt;')
  expect(html).not.toContain('<script')
  expect(html).not.toContain('\x1b')
  expect(html).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`)
  expect(html).not.toMatch(/\b(src|href|action)=|url\(|@import/)
})

test('names of interfaces go too, and words that only contain one stay', () => {
  const whole = comparison('edge')
  const [site] = whole.sites
  site!.test!.observation.network.interface = 'lo'
  site!.control!.observation.network.interface = 'wg-anna'
  site!.summary = 'It fails on wg-anna, lo and wg-annabel: allowed.'
  const redacted = redact(whole)
  expect(redacted.sites[0]!.summary).toBe('It fails on interface-1, interface-2 and wg-annabel: allowed.')
  expect(JSON.stringify(redacted)).not.toMatch(/"wg-anna"|"lo"/)
})

test('a redacted comparison has no name, address or file of the person, and the same sentences', () => {
  const redacted = redact(comparison('edge'))
  const words = [
    JSON.stringify(redacted),
    comparisonText(redacted, { width: 200, colour: false }),
    comparisonHtml(redacted),
  ].join('\n')
  for (const secret of ['example.com', 'home.example', '198.51.100', '203.0.113', '10.64.0', 'anna', 'story']) {
    expect(words).not.toContain(secret)
  }
  expect(words).toContain('site-1')
  expect(redacted.sites[0]).toMatchObject({ host: 'site-1', difference: { axis: 'gateway', basis: 'RFC 9110 15.6.3' } })
  expect(redacted.sites[0]!.summary).toMatch(/^502 came from edge at address-\d+/)
})
