import { story as quiet } from '../../fixtures/mtu-outer-fragmented/quiet.make.ts'
import { story as raises } from '../../fixtures/mtu-outer-fragmented/raises.make.ts'
import { VPN_SERVER } from '../../fixtures/path-story.ts'
import { findingsOf, play } from '../scenario.ts'

const ID = 'mtu-outer-fragmented'

test('raises: each full packet of the tunnel leaves in two fragments', () => {
  expect(findingsOf(play(raises().steps), ID)).toMatchObject([
    {
      severity: 'warning',
      confidence: 'proven',
      count: 3,
      interface: 'eth0',
      data: { server: VPN_SERVER, fragmentLen: 1500, pathMtu: 1500, suggestedTunnelMtu: 1440, suggestedMss: 1400 },
    },
  ])
})

test('stays quiet: a DNS answer in fragments is not the tunnel’s', () => {
  expect(findingsOf(play(quiet().steps), ID)).toEqual([])
})
