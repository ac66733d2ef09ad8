import { ipv4 } from '../../decoders/build-packet.ts'
import { findingsOf, lookup, play } from '../scenario.ts'

test('traffic-malformed raises once per fault and counts', () => {
  const broken = ipv4(17, new Uint8Array(8), { firstByte: 0x42 })
  const steps = [0, 1, 2].map((atMillis) => ({ atMillis, on: 'eth0', ip: broken, outgoing: true }))
  expect(findingsOf(play(steps), 'traffic-malformed')).toMatchObject([
    {
      severity: 'info',
      count: 3,
      data: { layer: 'ipv4', fault: 'ipv4-header-length', offset: 14 },
      evidence: [{ frame: 1 }, { frame: 2 }, { frame: 3 }],
    },
  ])
})

test('traffic-malformed stays quiet on sound packets', () => {
  const report = play(lookup({ on: 'eth0', atMillis: 0, name: 'a.example', answeredAfter: 3 }))
  expect(findingsOf(report, 'traffic-malformed')).toEqual([])
})
