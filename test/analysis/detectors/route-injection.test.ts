import { fixtureFindings, fixtureReport } from '../fixture-report.ts'

describe('route-injection raises', () => {
  test('a route of option 121, and the leak that takes it', async () => {
    const [finding, ...others] = await fixtureFindings('route-injection', 'raises')
    expect(others).toEqual([])
    expect(finding).toMatchObject({ severity: 'critical', cause: 'option-121', interface: 'eth0' })
    expect(finding!.data).toMatchObject({ server: '192.0.2.1', routes: ['203.0.113.0/25'] })
    const { leaks } = await fixtureReport('route-injection', 'raises')
    expect(leaks).toMatchObject([{ name: 'bank.example.org', cause: 'route-injection' }])
  })
})

describe('route-injection stays quiet', () => {
  test('on what only looks like it', async () => {
    expect(await fixtureFindings('route-injection', 'quiet')).toEqual([])
  })
})
