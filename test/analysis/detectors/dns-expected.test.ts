import { fixtureFindings } from '../fixture-report.ts'

describe('dns-expected raises', () => {
  test('each exemption with its code', async () => {
    const findings = await fixtureFindings('dns-expected', 'raises')
    expect(findings.every((one) => one.severity === 'info')).toBe(true)
    expect(findings.map((one) => [one.data.reason, one.data.example]).sort()).toEqual([
      ['X1', 'vpn.example.net'],
      ['X3', 'detectportal.firefox.com'],
      ['X5', 'router.home.arpa'],
      ['X6', 'nas.lan'],
    ])
  })
})

describe('dns-expected stays quiet', () => {
  test('on what only looks like it', async () => {
    expect(await fixtureFindings('dns-expected', 'quiet')).toEqual([])
  })
})
