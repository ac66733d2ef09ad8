import type { Bytes } from '../../fixtures/frames.ts'
import { story as quiet } from '../../fixtures/mtu-outer-fragmented/quiet.make.ts'
import { story as raises } from '../../fixtures/mtu-outer-fragmented/raises.make.ts'
import { createStory, ipPacket, join, LAN_ADDRESS, noise, udpPacket, VPN_SERVER } from '../../fixtures/path-story.ts'
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

const ike = (port: number, marker: readonly number[]): Bytes => {
  const message = join(marker, noise(2, 2000))
  return udpPacket({ address: LAN_ADDRESS, port }, { address: VPN_SERVER, port }, message, { id: 78 })
}

test.each([
  ['a large ping', ipPacket(LAN_ADDRESS, VPN_SERVER, 1, join([8, 0, 0, 0, 0, 1, 0, 1], noise(3, 2000)), 2)],
  ['IKE with certificates', ike(500, [])],
  ['IKE beside ESP', ike(4500, [0, 0, 0, 0])],
])('stays quiet: %s to the VPN server is not what the tunnel carries', (_, ip) => {
  const story = createStory(18)
  story.wireguard(0)
  story.fragments(100, 'eth0', ip, 1480, true)
  expect(findingsOf(play(story.steps), ID)).toEqual([])
})
