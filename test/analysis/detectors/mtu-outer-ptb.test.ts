import { story as quiet } from '../../fixtures/mtu-outer-ptb/quiet.make.ts'
import { story as raises } from '../../fixtures/mtu-outer-ptb/raises.make.ts'
import { VPN_SERVER } from '../../fixtures/path-story.ts'
import { findingsOf, play } from '../scenario.ts'

const ID = 'mtu-outer-ptb'

test('raises: the tunnel sends 1480 bytes, and the router at home says that 1400 fit', () => {
  expect(findingsOf(play(raises().steps), ID)).toMatchObject([
    {
      severity: 'warning',
      interface: 'eth0',
      advice:
        "Set the tunnel's MTU to 1340 (1340 = 1400 - 60 for WireGuard over IPv4), or clamp the MSS inside it to 1300 for IPv4 and 1280 for IPv6.",
      data: {
        nextHopMtu: 1400,
        server: VPN_SERVER,
        transport: 'WireGuard',
        suggestedTunnelMtu: 1340,
        suggestedMss: 1300,
      },
    },
  ])
  expect(findingsOf(play(raises().steps), 'mtu-too-big')).toEqual([])
})

test('stays quiet: the message is about a connection beside the tunnel', () => {
  expect(findingsOf(play(quiet().steps), ID)).toEqual([])
})
