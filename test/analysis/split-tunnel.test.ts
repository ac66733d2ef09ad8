// A tunnel that carries only part of the internet (rules.md 1.1, mode split): R1 asks for a full one, so nothing is a leak;
// but the verdict says what it does not judge.
import { createNetworkHistory } from '../../src/analysis/trackers/network-history.ts'
import { networkContext } from '../network-story.ts'
import { findingsOf, lookup, play, START_MICROS } from './scenario.ts'

const steps = lookup({ on: 'eth0', atMillis: 10, name: 'a.example', answeredAfter: 3 })

function verdictWith(...isFull: boolean[]) {
  const network = createNetworkHistory(false)
  isFull.forEach((full, index) => {
    network.add(networkContext({ timeMicros: START_MICROS + index * 1000, tunnel: 'up', isFull: full }))
  })
  return play(steps, { more: { network } })
}

test('beside a split tunnel nothing leaks, and the verdict is not complete and says why', () => {
  const report = verdictWith(false)
  expect(report.verdict).toMatchObject({ dns: 'no-tunnel', complete: false })
  expect(report.verdict.reasons).toEqual([
    'wg0 is up and carries only part of the internet: what leaves beside a split tunnel is not judged.',
  ])
  expect(findingsOf(report, 'dns-leak')).toEqual([])
})

test('a tunnel that carries everything, or did so before, is no split one', () => {
  for (const story of [[true], [false, true], [true, false]]) {
    const { verdict } = verdictWith(...story)
    expect([story, verdict.dns, verdict.reasons.join(' ')]).toEqual([
      story,
      'leak',
      expect.not.stringContaining('split'),
    ])
  }
})
