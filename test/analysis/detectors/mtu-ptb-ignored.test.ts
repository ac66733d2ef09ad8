import { story as quiet } from '../../fixtures/mtu-ptb-ignored/quiet.make.ts'
import { story as raises } from '../../fixtures/mtu-ptb-ignored/raises.make.ts'
import { findingsOf, play } from '../scenario.ts'

const ID = 'mtu-ptb-ignored'

test('raises: the sender was told 1400 and repeats 1420 for seconds', () => {
  expect(findingsOf(play(raises().steps), ID)).toMatchObject([
    {
      severity: 'critical',
      confidence: 'proven',
      count: 2,
      data: { nextHopMtu: 1400, ignoredLen: 1420, ignoredCount: 3, suggestedTunnelMtu: 1400, suggestedMss: 1360 },
    },
  ])
  expect(findingsOf(play(raises().steps), 'mtu-black-hole')).toEqual([])
})

test('stays quiet: the sender repeats once what was on its way already, then shrinks', () => {
  expect(findingsOf(play(quiet().steps), ID)).toEqual([])
})
