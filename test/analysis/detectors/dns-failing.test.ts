import { fixtureFindings } from '../fixture-report.ts'

describe('dns-failing raises', () => {
  test('SERVFAIL for several names', async () => {
    const [finding, ...others] = await fixtureFindings('dns-failing', 'raises')
    expect(others).toEqual([])
    expect(finding).toMatchObject({ severity: 'warning', interface: 'wg0' })
    expect(finding!.data).toMatchObject({ codes: 'SERVFAIL', failed: 4, answered: 5, nameCount: 4 })
  })
})

describe('dns-failing stays quiet', () => {
  test('on what only looks like it', async () => {
    expect(await fixtureFindings('dns-failing', 'quiet')).toEqual([])
  })
})
