import { fixtureFindings } from '../fixture-report.ts'

describe('dns-intercepted raises', () => {
  test('answers faster than the way there', async () => {
    const [finding, ...others] = await fixtureFindings('dns-intercepted', 'raises')
    expect(others).toEqual([])
    expect(finding).toMatchObject({ severity: 'info', data: { server: '203.0.113.53', dnsMs: 3, tcpMs: 48 } })
  })
})

describe('dns-intercepted stays quiet', () => {
  test('on what only looks like it', async () => {
    expect(await fixtureFindings('dns-intercepted', 'quiet')).toEqual([])
  })
})
