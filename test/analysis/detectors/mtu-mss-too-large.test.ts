import { story as quiet } from '../../fixtures/mtu-mss-too-large/quiet.make.ts'
import { story as raises } from '../../fixtures/mtu-mss-too-large/raises.make.ts'
import { findingsOf, play } from '../scenario.ts'

const ID = 'mtu-mss-too-large'

test('raises: a guest of this machine announces the MSS of its own Ethernet through the tunnel', () => {
  expect(findingsOf(play(raises().steps), ID)).toMatchObject([
    {
      severity: 'warning',
      confidence: 'probable',
      interface: 'wg0',
      data: { client: '192.168.7.5', mss: 1460, tunnelMtu: 1420, suggestedMss: 1380 },
    },
  ])
})

test('stays quiet: the guest announces what fits, and a terminal even less', () => {
  expect(findingsOf(play(quiet().steps), ID)).toEqual([])
})
