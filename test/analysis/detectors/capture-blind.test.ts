import { createNetworkHistory } from '../../../src/analysis/trackers/network-history.ts'
import { networkContext } from '../../network-story.ts'
import { findingsOf, lookup, play, START_MICROS } from '../scenario.ts'

const steps = lookup({ on: 'eth0', atMillis: 10, name: 'a.example', answeredAfter: 3 })

function watching(watched: readonly string[] | undefined) {
  const network = createNetworkHistory(false)
  network.add(networkContext({ timeMicros: START_MICROS, tunnel: 'up', ...(watched === undefined ? {} : { watched }) }))
  return play(steps, { more: { network } })
}

test('capture-blind raises for an interface that is up and not captured, and the verdict is not complete', () => {
  const report = watching(['eth0'])
  expect(findingsOf(report, 'capture-blind')).toMatchObject([
    { severity: 'warning', interface: 'wg0', count: 1, data: { role: 'tunnel' } },
  ])
  expect(report.verdict.complete).toBe(false)
  expect(report.verdict.reasons.join(' ')).toContain('wg0 (tunnel)')
  expect(report.verdict.coverage).toMatchObject({ interfacesUp: 2, interfacesWatched: 1 })
})

test('capture-blind stays quiet when every interface is watched, and when nobody said which are up', () => {
  const report = watching(undefined)
  expect(findingsOf(report, 'capture-blind')).toEqual([])
  expect(report.verdict.coverage).toMatchObject({ interfacesUp: 2, interfacesWatched: 2 })
  expect(findingsOf(play(steps), 'capture-blind')).toEqual([])
})
