import { story as quiet } from '../../fixtures/mtu-too-big/quiet.make.ts'
import { story as raises } from '../../fixtures/mtu-too-big/raises.make.ts'
import {
  createStory,
  ipPacket,
  join,
  LAN_ADDRESS,
  noise,
  ROUTER_ADDRESS,
  SITE,
  TUNNEL_ADDRESS,
} from '../../fixtures/path-story.ts'
import { findingsOf, ip, play } from '../scenario.ts'

const ID = 'mtu-too-big'

test('raises: a full segment, a router that says 1400, and a sender that heeds it', () => {
  expect(findingsOf(play(raises().steps), ID)).toMatchObject([
    {
      severity: 'info',
      confidence: 'proven',
      interface: 'wg0',
      data: { nextHopMtu: 1400, router: '10.64.0.1', server: SITE, packetLen: 1420, suggestedMss: 1360 },
    },
  ])
})

test('stays quiet: a router that says how far a packet may travel instead', () => {
  expect(findingsOf(play(quiet().steps), ID)).toEqual([])
})

test('raises within another packet too: connection and message went through the same IPIP tunnel', () => {
  const steps = raises().steps.map((step) => {
    const [from, to] = step.outgoing ? [LAN_ADDRESS, ROUTER_ADDRESS] : [ROUTER_ADDRESS, LAN_ADDRESS]
    return { ...step, on: 'eth0', ip: ip(from, to, 4, step.ip) }
  })
  const report = play(steps)
  expect(findingsOf(report, ID)).toMatchObject([{ interface: 'eth0', data: { nextHopMtu: 1400, server: SITE } }])
  expect(findingsOf(report, 'mtu-ptb-unmatched')).toEqual([])
})

test('raises for a ping that tries whether a size fits, and calls nobody disobedient who tries it again', () => {
  const story = createStory(19)
  for (let seq = 1; seq <= 6; seq++) {
    const ping = join([8, 0, 0, 0, 0x12, 0x34, 0, seq], noise(seq, 1392))
    const sent = ipPacket(TUNNEL_ADDRESS, SITE, 1, ping, 2, { dontFragment: true })
    story.packet(seq * 1000, 'wg0', sent, true)
    story.tooBig(seq * 1000 + 20, 'wg0', '10.64.0.1', 1400, sent)
  }
  const report = play(story.steps)
  expect(findingsOf(report, ID)).toMatchObject([
    { confidence: 'proven', count: 6, data: { packetLen: 1420, quoted: `ICMP ${TUNNEL_ADDRESS} > ${SITE}` } },
  ])
  expect(findingsOf(report, 'mtu-ptb-unmatched')).toEqual([])
  expect(findingsOf(report, 'mtu-ptb-ignored')).toEqual([])
})
