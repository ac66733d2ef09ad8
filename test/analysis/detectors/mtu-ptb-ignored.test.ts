import { story as quiet } from '../../fixtures/mtu-ptb-ignored/quiet.make.ts'
import { story as raises } from '../../fixtures/mtu-ptb-ignored/raises.make.ts'
import { createStory, join, noise, SITE, TUNNEL_ADDRESS, udpPacket } from '../../fixtures/path-story.ts'
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

test('stays quiet: offload puts two segments that fit into one frame that is shorter than a full packet', () => {
  const story = createStory(15)
  const upload = story.connection({ clientMss: 1460 }).open(0).out(30, 0, 1460)
  story.tooBig(40, 'wg0', '10.64.0.1', 1400, story.steps.at(-1)!.ip)
  upload.out(41, 0, 1360).out(41.1, 1360, 100).ackBack(60, 1460)
  for (let index = 0; index < 4; index++) {
    upload.out(1000 + index * 100, 1460 + index * 1400, 1400).ackBack(1030 + index * 100, 2860 + index * 1400)
  }
  expect(findingsOf(play(story.steps), ID)).toEqual([])
})

/** Datagrams of these lengths, each of them answered with "1400 bytes". */
function datagrams(lengths: readonly number[]) {
  const story = createStory(16)
  const [here, there] = [
    { address: TUNNEL_ADDRESS, port: 50_000 },
    { address: SITE, port: 443 },
  ]
  for (const [index, length] of lengths.entries()) {
    const ip = udpPacket(here, there, join([0x43], noise(index, length - 29)), { dontFragment: true })
    story.packet(index * 400, 'wg0', ip, true)
    story.tooBig(index * 400 + 20, 'wg0', '10.64.0.1', 1400, ip)
  }
  return findingsOf(play(story.steps), ID)
}

test('stays quiet: a datagram transport tries sizes, three times each (RFC 8899)', () => {
  expect(datagrams([1420, 1420, 1420, 1410, 1410, 1410, 1405, 1405, 1405])).toEqual([])
})

test('raises: datagrams go on at the same size', () => {
  expect(datagrams([1420, 1420, 1420, 1420, 1420, 1420, 1420])).toMatchObject([
    { data: { ignoredLen: 1420, ignoredCount: 6 } },
  ])
})
