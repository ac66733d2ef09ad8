import { captureLoss } from '../../../src/analysis/detectors/capture-loss.ts'
import { createFindingSet } from '../../../src/analysis/raise.ts'
import { findingsOf, lookup, play } from '../scenario.ts'

const steps = lookup({ on: 'eth0', atMillis: 0, name: 'a.example', answeredAfter: 3 })
const watched = (dropped: number) => ({ interfaces: [{ name: 'eth0', linkType: 1, dropped }] })

test('capture-loss raises when the capturing system counted drops, and the verdict is not complete', () => {
  const report = play(steps, watched(18))
  expect(findingsOf(report, 'capture-loss')).toMatchObject([
    { severity: 'warning', count: 18, interface: 'eth0', data: { dropped: 18, total: 20, percent: 90 } },
  ])
  expect(report.verdict.complete).toBe(false)
  expect(report.verdict.reasons.join(' ')).toContain('18')
})

test('a file that holds a selection keeps the figures of the whole capture', () => {
  const report = play(steps, { interfaces: [{ name: 'eth0', linkType: 1, dropped: 1, received: 1000 }] })
  expect(findingsOf(report, 'capture-loss')).toMatchObject([{ data: { dropped: 1, total: 1000, percent: 0.1 } }])
})

test('capture-loss stays quiet when nothing was lost, and when the system did not say', () => {
  const told = play(steps, watched(0))
  expect(findingsOf(told, 'capture-loss')).toEqual([])
  expect(told.verdict).toMatchObject({ complete: true, coverage: { dropped: 0 } })
  const untold = play(steps, { interfaces: [{ name: 'eth0', linkType: 1 }] })
  expect(findingsOf(untold, 'capture-loss')).toEqual([])
  expect(untold.verdict.coverage.dropped).toBeUndefined()
})

test('capture-loss grows with the kernel’s counter and counts no packet twice', () => {
  const findings = createFindingSet(() => 1)
  const detector = captureLoss.create({
    raise: findings.raise,
    vpnResolvers: () => [],
    interfaceOf: () => ({ name: '', inputName: '' }),
  } as never)
  const counted = (dropped: number, seconds: number) =>
    detector.captureStatistics?.({
      interfaceName: 'all interfaces',
      inputName: 'live',
      timeMicros: seconds * 1e6,
      packets: 100,
      dropped,
    })
  counted(0, 1)
  expect(findings.takeChanged()).toEqual([])
  counted(5, 2)
  counted(5, 3)
  counted(25, 4)
  expect(findings.takeChanged()).toMatchObject([{ count: 25, data: { dropped: 25, total: 125, percent: 20 } }])
  expect(findings.takeChanged()).toEqual([])
})
