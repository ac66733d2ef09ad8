import { fixtureFindings } from '../fixture-report.ts'

describe('tunnel-down raises', () => {
  test('when a server moved outside during a silence', async () => {
    const [finding, ...others] = await fixtureFindings('tunnel-down', 'raises')
    expect(others).toEqual([])
    expect(finding).toMatchObject({ severity: 'warning', confidence: 'probable', count: 1, interface: 'wg0' })
    // From the SYN-ACK at 1.124 s to the SYN at 5 s.
    expect(finding!.data).toMatchObject({ lostMs: 3876 })
  })
})

describe('tunnel-down stays quiet', () => {
  test('on what only looks like it', async () => {
    expect(await fixtureFindings('tunnel-down', 'quiet')).toEqual([])
  })
})
