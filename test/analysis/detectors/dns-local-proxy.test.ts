import { fixtureFindings } from '../fixture-report.ts'

describe('dns-local-proxy raises', () => {
  test('an answer on loopback', async () => {
    const [finding, ...others] = await fixtureFindings('dns-local-proxy', 'raises')
    expect(others).toEqual([])
    expect(finding).toMatchObject({ severity: 'info', interface: 'lo', data: { server: '127.0.0.1', port: 53 } })
  })
})

describe('dns-local-proxy stays quiet', () => {
  test('on what only looks like it', async () => {
    expect(await fixtureFindings('dns-local-proxy', 'quiet')).toEqual([])
  })
})
