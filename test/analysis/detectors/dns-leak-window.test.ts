import { fixtureFindings } from '../fixture-report.ts'

describe('dns-leak-window raises', () => {
  test('with its length and every name', async () => {
    const [finding, ...others] = await fixtureFindings('dns-leak-window', 'raises')
    expect(others).toEqual([])
    expect(finding).toMatchObject({ severity: 'critical', count: 2, interface: 'eth0', cause: 'tunnel-lost' })
    expect(finding!.data).toMatchObject({ windowMs: 2986, names: ['mail.example.com', 'bank.example.org'] })
    expect(finding!.summary).toContain('lost for 2986 ms')
  })
})

describe('dns-leak-window stays quiet', () => {
  test('on what only looks like it', async () => {
    expect(await fixtureFindings('dns-leak-window', 'quiet')).toEqual([])
  })
})
