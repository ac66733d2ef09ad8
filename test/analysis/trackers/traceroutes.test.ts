// Traceroutes in the report: whatever program ran them, hop by hop, with and without the tunnel.
import { reportText } from '../../../src/text/report.ts'
import { createStory, LAN_ADDRESS, ROUTER_ADDRESS } from '../../fixtures/path-story.ts'
import { trace } from '../../fixtures/traceroute/story.ts'
import { fixtureReport } from '../fixture-report.ts'
import { play } from '../scenario.ts'

const words = (one: Awaited<ReturnType<typeof fixtureReport>>['traceroutes'][number]): string => {
  const hops = one.hops.map(
    (hop) => hop.routers.map((router) => `${router.address}/${router.answers}`).join('+') || '*',
  )
  return `${one.protocol} ${one.interface} ${one.side} ${one.destination} ${one.reached}: ${hops.join(' ')}`
}

test('UDP, ICMP and TCP, both families, each interface by itself', async () => {
  const report = await fixtureReport('traceroute', 'runs')
  expect(report.traceroutes.map(words)).toEqual([
    'udp eth0 outside 198.51.100.80 true: 192.0.2.1/3 100.64.0.1/3 198.51.100.80/3',
    'udp wg0 tunnel 198.51.100.80 true: 10.64.0.1/1 * 203.0.113.1/1 198.51.100.80/1',
    'icmp wg0 tunnel 198.51.100.80 true: 10.64.0.1/2 203.0.113.1/2 198.51.100.80/2',
    'tcp wg0 tunnel 198.51.100.80 true: 10.64.0.1/1 203.0.113.1/1 198.51.100.80/1',
    'udp wg0 tunnel 2001:db8:100::80 true: fd00:64::1/1 2001:db8:a1::1/1 2001:db8:100::80/1',
    'icmp wg0 tunnel 2001:db8:100::80 true: fd00:64::1/1 2001:db8:a1::1/1 2001:db8:100::80/1',
    'tcp wg0 tunnel 2001:db8:100::80 true: fd00:64::1/1 2001:db8:a1::1/1 2001:db8:100::80/1',
    'udp eth0 outside 198.51.100.53 true: 192.0.2.1/1 100.64.0.1/1 198.51.100.53/1',
    'icmp eth0 outside 198.51.100.99 false: 192.0.2.1/1 100.64.0.1/1',
    'udp eth0 outside 198.51.100.98 false: * * * *',
  ])
  expect(report.traceroutes[0]!.hops.map((hop) => hop.routers[0]!.rttMs)).toEqual([5, 10, 15])
  expect(report.traceroutes[8]!.hops[1]!.routers[0]).toMatchObject({ unreachable: true })
})

test('the text has the way with the tunnel beside the one without', async () => {
  const text = reportText(await fixtureReport('traceroute', 'runs'), { width: 100, colour: false })
  const section = text.slice(text.indexOf('Traceroutes')).split('\n\n')[0]!.split('\n')
  expect(section.slice(0, 9)).toEqual([
    'Traceroutes',
    '  198.51.100.80  udp on eth0 (outside), there in 3 hops',
    '    1  192.0.2.1      5.0 ms',
    '    2  100.64.0.1     10.0 ms',
    '    3  198.51.100.80  15.0 ms',
    '  198.51.100.80  udp on wg0 (in the tunnel), there in 4 hops',
    '    1  10.64.0.1      5.0 ms',
    '    2  *',
    '    3  203.0.113.1    15.0 ms',
  ])
  expect(section.at(-1)).toBe('  … and 2 more (--json)')
})

test('low TTLs alone are no traceroute, and one towards this machine is somebody else’s', async () => {
  expect((await fixtureReport('traceroute', 'quiet')).traceroutes).toEqual([])
})

test('of very many the last ones are kept', () => {
  const story = createStory(73)
  const from = { on: 'eth0', from: LAN_ADDRESS } as const
  for (let run = 0; run < 100; run++) {
    const to = `198.51.100.${run + 1}`
    trace(story, 1000 + run * 100, { ...from, to, how: 'icmp', hops: [ROUTER_ADDRESS, '100.64.0.1', to] })
  }
  const { traceroutes } = play(story.steps)
  expect(traceroutes).toHaveLength(64)
  expect(traceroutes.at(-1)).toMatchObject({ destination: '198.51.100.100', reached: true })
})
