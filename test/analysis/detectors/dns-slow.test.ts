import { fixtureFindings } from '../fixture-report.ts'

describe('dns-slow raises', () => {
  test('a resolver that needs half a second', async () => {
    const [finding, ...others] = await fixtureFindings('dns-slow', 'raises')
    expect(others).toEqual([])
    expect(finding).toMatchObject({ severity: 'warning', confidence: 'strong', interface: 'wg0' })
    const { medianMs, answers } = finding!.data as { medianMs: number; answers: number }
    expect(answers).toBe(6)
    // The median is 581 or 588 ms; classes of latency are 9 % wide.
    expect(medianMs).toBeGreaterThan(530)
    expect(medianMs).toBeLessThan(640)
  })
})

describe('dns-slow stays quiet', () => {
  test('on what only looks like it', async () => {
    expect(await fixtureFindings('dns-slow', 'quiet')).toEqual([])
  })
})
