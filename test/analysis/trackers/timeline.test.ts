import { offlineTimeline, timelineOf } from '../../../src/analysis/trackers/timeline.ts'

const span = (startMicros: number, endMicros: number, interfaceName = 'wg0') => ({
  interfaceName,
  startMicros,
  endMicros,
})
const words = (timeline: ReturnType<typeof timelineOf>) =>
  timeline.epochs.map((epoch) => [epoch.startMicros, epoch.endMicros, epoch.state, epoch.reason])

describe('timelineOf', () => {
  test('no tunnel: one epoch without promises', () => {
    const timeline = timelineOf([], 100, 900, [])
    expect(words(timeline)).toEqual([[100, 900, 'none', 'capture starts']])
    expect(timeline.hasTunnel).toBe(false)
    expect(timeline.stateAt(500)).toBe('none')
    expect(timeline.epochAt(500)).toBe(1)
  })

  test('no packet: no epoch, for there is no time to begin it', () => {
    const timeline = timelineOf([], -1, -1, [])
    expect(words(timeline)).toEqual([])
    expect(timeline.epochAt(500)).toBe(1)
  })

  test('a tunnel that comes, is lost, comes back and goes', () => {
    const timeline = timelineOf([span(200, 400), span(600, 800)], 100, 900, [])
    expect(words(timeline)).toEqual([
      [100, 200, 'none', 'capture starts'],
      [200, 400, 'up', 'tunnel up: wg0'],
      [400, 600, 'lost', 'tunnel down: wg0'],
      [600, 800, 'up', 'tunnel up: wg0'],
      [800, 900, 'none', 'tunnel down: wg0'],
    ])
    expect([150, 200, 300, 500, 700, 800, 850].map(timeline.stateAt)).toEqual([
      'none',
      'up',
      'up',
      'lost',
      'up',
      'up',
      'none',
    ])
    expect([150, 200, 399, 400, 850].map(timeline.epochAt)).toEqual([1, 2, 2, 3, 5])
  })

  test('a tunnel that is there for the whole capture makes one epoch', () => {
    expect(words(timelineOf([span(50, 2000)], 100, 900, []))).toEqual([[100, 900, 'up', 'capture starts']])
  })

  test('two tunnels that overlap: another set of tunnels is another epoch, but nothing is lost', () => {
    const timeline = timelineOf([span(100, 500, 'wg0'), span(300, 900, 'tun0')], 100, 900, [])
    expect(timeline.epochs.map((epoch) => epoch.tunnelInterfaces)).toEqual([['wg0'], ['wg0', 'tun0'], ['tun0']])
    expect(timeline.epochs.every((epoch) => epoch.state === 'up')).toBe(true)
  })
})

describe('offlineTimeline', () => {
  const evidence = { interfaceName: 'wg0', firstMicros: 300, lastMicros: 700 }

  test('the capture’s statistics say when the tunnel was there', () => {
    const timeline = offlineTimeline([{ ...evidence, statistics: { startMicros: 200, endMicros: 800 } }], 100, 900)
    expect(timeline.epochs.map((epoch) => epoch.startMicros)).toEqual([100, 200, 800])
    expect(timeline.sources[0]).toContain('statistics')
  })

  test('without them its packets do, and statistics that do not cover them are not believed', () => {
    for (const statistics of [
      undefined,
      { startMicros: 1, endMicros: 2 },
      { startMicros: 400, endMicros: 800 },
      { endMicros: 800 },
    ]) {
      const timeline = offlineTimeline([{ ...evidence, statistics }], 100, 900)
      expect(timeline.epochs.map((epoch) => epoch.startMicros)).toEqual([100, 300, 700])
      expect(timeline.sources[0]).toContain('first to its last packet')
    }
  })

  test('a tunnel interface that carried nothing and has no statistics promises nothing', () => {
    const silent = { interfaceName: 'wg0', firstMicros: -1, lastMicros: -1, statistics: undefined }
    expect(offlineTimeline([silent], 100, 900).hasTunnel).toBe(false)
  })
})

describe('VPN servers within one tunnel time', () => {
  const tunnel = [{ interfaceName: 'wg0', startMicros: 10_000_000, endMicros: 60_000_000 }]
  const server = (name: string, startSecond: number, endSecond: number) => ({
    server: name,
    transport: 'WireGuard',
    startMicros: startSecond * 1_000_000,
    endMicros: endSecond * 1_000_000,
    packets: 100,
  })
  const epochsWith = (...endpoints: ReturnType<typeof server>[]) =>
    timelineOf(tunnel, 0, 70_000_000, [], endpoints).epochs.map((one) => [
      one.id,
      one.startMicros / 1_000_000,
      one.endpoint?.server,
    ])

  test('one server that takes over from another begins an epoch, and so does the way back', () => {
    expect(epochsWith(server('a', 9, 30), server('b', 31, 40), server('a', 42, 59))).toEqual([
      [1, 0, undefined],
      [2, 10, 'a'],
      [3, 31, 'b'],
      [4, 42, 'a'],
      [5, 60, undefined],
    ])
  })

  test('servers talked to side by side are one context', () => {
    expect(epochsWith(server('a', 11, 59), server('b', 20, 58))).toEqual([
      [1, 0, undefined],
      [2, 10, 'a'],
      [3, 60, undefined],
    ])
  })
})
