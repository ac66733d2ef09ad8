import { fixtureFindings } from '../fixture-report.ts'
import { findingsOf, lookup, play } from '../scenario.ts'

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

const asked = (from: number, count: number, answeredAfter: number, label: string) =>
  Array.from({ length: count }, (_, index) =>
    lookup({ on: 'eth0', atMillis: from + index * 300, name: `${label}${index}.example`, answeredAfter }),
  ).flat()

test('dns-slow raises for a resolver that turns slow after a long fast time', () => {
  const report = play([...asked(0, 400, 4, 'fast'), ...asked(200_000, 60, 600, 'slow'), ...asked(240_000, 1, 4, 'end')])
  const [finding, ...others] = findingsOf(report, 'dns-slow')
  expect(others).toEqual([])
  expect(finding!.data.medianMs).toBeGreaterThan(530)
})

describe('dns-slow stays quiet', () => {
  test('when the first answers are slow, as with an empty cache, and the others are not', () => {
    const report = play([...asked(0, 6, 600, 'slow'), ...asked(11_000, 60, 4, 'fast')])
    expect(findingsOf(report, 'dns-slow')).toEqual([])
  })

  test('on what only looks like it', async () => {
    expect(await fixtureFindings('dns-slow', 'quiet')).toEqual([])
  })
})
