import { fixtureFindings } from '../fixture-report.ts'

describe('dns-answer-conflict raises', () => {
  test('two answers that differ', async () => {
    const [finding, ...others] = await fixtureFindings('dns-answer-conflict', 'raises')
    expect(others).toEqual([])
    expect(finding).toMatchObject({ severity: 'warning', cause: 'two-answers', confidence: 'strong' })
    expect(finding!.data).toMatchObject({ answers: ['203.0.113.9'], otherAnswers: ['203.0.113.80'] })
  })
})

describe('dns-answer-conflict stays quiet', () => {
  test('on what only looks like it', async () => {
    expect(await fixtureFindings('dns-answer-conflict', 'quiet')).toEqual([])
  })
})
