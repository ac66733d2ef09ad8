import { createNetworkHistory } from '../../../src/analysis/trackers/network-history.ts'
import { networkContext } from '../../network-story.ts'
import { fixtureFindings } from '../fixture-report.ts'
import { findingsOf, lookup, play, START_MICROS } from '../scenario.ts'

describe('dns-answer-conflict raises', () => {
  test('two answers that differ', async () => {
    const [finding, ...others] = await fixtureFindings('dns-answer-conflict', 'raises')
    expect(others).toEqual([])
    expect(finding).toMatchObject({ severity: 'warning', cause: 'two-answers', confidence: 'strong' })
    expect(finding!.data).toMatchObject({ answers: ['203.0.113.9'], otherAnswers: ['203.0.113.80'] })
  })
})

test('dns-answer-conflict hears a second answer live, when the first one is long told', () => {
  const name = 'www.example.com'
  const network = createNetworkHistory(true)
  network.add(networkContext({ timeMicros: START_MICROS }))
  const same = { on: 'eth0', name, atMillis: 1000, clientPort: 41_000, id: 7 }
  const answer = (data: string) => [{ name, type: 'A' as const, ttl: 60, data }]
  const [question, forged] = lookup({ ...same, answeredAfter: 3, answers: answer('203.0.113.9') })
  const [, real] = lookup({ ...same, answeredAfter: 240, answers: answer('203.0.113.80') })
  const [, copy] = lookup({ ...same, answeredAfter: 300, answers: answer('203.0.113.9') })
  const later = lookup({ on: 'eth0', name: 'later.example', atMillis: 4000, answeredAfter: 3 })
  const steps = [question!, forged!, real!, copy!, ...later]
  const findings = findingsOf(play(steps, { isLive: true, more: { network } }), 'dns-answer-conflict')
  expect(findings).toMatchObject([
    { cause: 'two-answers', count: 1, data: { answers: ['203.0.113.9'], otherAnswers: ['203.0.113.80'] } },
  ])
})

describe('dns-answer-conflict stays quiet', () => {
  test('on what only looks like it', async () => {
    expect(await fixtureFindings('dns-answer-conflict', 'quiet')).toEqual([])
  })
})
