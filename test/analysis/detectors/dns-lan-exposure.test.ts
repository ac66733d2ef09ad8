import { fixtureFindings, fixtureReport } from '../fixture-report.ts'

describe('dns-lan-exposure raises', () => {
  test('public names and names given up inside', async () => {
    const findings = await fixtureFindings('dns-lan-exposure', 'raises')
    expect(findings.map((one) => [one.data.protocol, one.cause, one.data.names]).sort()).toEqual([
      ['llmnr', 'asked-inside', ['intranet']],
      ['llmnr', 'public-name', ['www.example.com']],
      ['mdns', 'public-name', ['mail.example.org']],
    ])
    const { exposures, leaks } = await fixtureReport('dns-lan-exposure', 'raises')
    expect(exposures.map((one) => [one.transport, one.name])).toEqual([
      ['llmnr', 'intranet'],
      ['llmnr', 'www.example.com'],
      ['mdns', 'mail.example.org'],
    ])
    expect(leaks).toEqual([])
  })
})

describe('dns-lan-exposure stays quiet', () => {
  test('on what only looks like it', async () => {
    expect(await fixtureFindings('dns-lan-exposure', 'quiet')).toEqual([])
  })
})
