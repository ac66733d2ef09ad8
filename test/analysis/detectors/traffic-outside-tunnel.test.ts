import { fixtureFindings } from '../fixture-report.ts'

describe('traffic-outside-tunnel raises', () => {
  test('IPv6 around the tunnel', async () => {
    const [finding, ...others] = await fixtureFindings('traffic-outside-tunnel', 'raises')
    expect(others).toEqual([])
    expect(finding).toMatchObject({ severity: 'warning', cause: 'v6-bypass', confidence: 'strong', count: 1 })
    expect(finding!.data).toMatchObject({ server: '2001:db8:80::80', port: 443, serverCount: 1 })
    expect(finding!.filter).toContain('ipv6.dst in {2001:db8:80::80}')
  })
})

describe('traffic-outside-tunnel stays quiet', () => {
  test('on what only looks like it', async () => {
    expect(await fixtureFindings('traffic-outside-tunnel', 'quiet')).toEqual([])
  })
})
