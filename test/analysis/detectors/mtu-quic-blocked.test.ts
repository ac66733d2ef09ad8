import { createNetworkHistory } from '../../../src/analysis/trackers/network-history.ts'
import { story as quiet } from '../../fixtures/mtu-quic-blocked/quiet.make.ts'
import { story as raises } from '../../fixtures/mtu-quic-blocked/raises.make.ts'
import { createStory, ipPacket, join, noise, SITE, TUNNEL_ADDRESS } from '../../fixtures/path-story.ts'
import { networkContext } from '../../network-story.ts'
import { findingsOf, play, START_MICROS } from '../scenario.ts'

const ID = 'mtu-quic-blocked'

test('raises: three QUIC packets without an answer, then TCP to the same server works', () => {
  expect(findingsOf(play(raises().steps), ID)).toMatchObject([
    { severity: 'warning', count: 3, data: { server: SITE, initials: 3, packetLen: 1228, smallUdpPasses: false } },
  ])
})

test('stays quiet: a client sends four at once, to a server whose TCP worked a moment ago, and the answer is on its way', () => {
  const made = createStory(26)
  made.connection().open(0).out(30, 0, 300).ackBack(50, 300).back(51, 0, 200).finOut(100)
  const [here, there] = [
    { address: TUNNEL_ADDRESS, port: 50_000 },
    { address: SITE, port: 443 },
  ]
  const initial = join([0xc3, 0, 0, 0, 1, 8], noise(1, 1194))
  for (const atMillis of [40_000, 40_000.1, 40_000.2, 40_000.3]) made.udp(atMillis, 'wg0', here, there, initial, true)
  const answer = createStory(27)
  answer.udp(40_250, 'wg0', there, here, initial, false)
  const network = createNetworkHistory(true)
  network.add(networkContext({ timeMicros: START_MICROS, tunnel: 'up' }))
  const steps = [...made.steps, ...answer.steps]
  expect(findingsOf(play(steps, { isLive: true, more: { network } }), ID)).toEqual([])
  // The capture may end before the answer.
  expect(findingsOf(play(made.steps), ID)).toEqual([])
})

test('raises although the server answered before: the path has changed since', () => {
  const before = createStory(28)
  const [here, there] = [
    { address: TUNNEL_ADDRESS, port: 49_000 },
    { address: SITE, port: 443 },
  ]
  before.udp(-9000, 'wg0', here, there, join([0xc3, 0, 0, 0, 1, 8], noise(1, 1194)), true)
  before.udp(-8900, 'wg0', there, here, join([0xc3, 0, 0, 0, 1, 8], noise(1, 1194)), false)
  expect(findingsOf(play([...before.steps, ...raises().steps]), ID)).toHaveLength(1)
})

test('stays quiet: the third one is answered', () => {
  expect(findingsOf(play(quiet().steps), ID)).toEqual([])
})

test('stays quiet: the server refuses them, port unreachable', () => {
  const made = createStory(29)
  made.connection().open(0).out(30, 0, 300).ackBack(50, 300).back(51, 0, 200).finOut(100)
  for (const [index, atMillis] of [1000, 5000, 9000, 13_000].entries()) {
    const here = { address: TUNNEL_ADDRESS, port: 50_000 + index }
    const initial = join([0xc3, 0, 0, 0, 1, 8], noise(1, 1194))
    made.udp(atMillis, 'wg0', here, { address: SITE, port: 443 }, initial, true)
    const body = join([3, 3, 0, 0, 0, 0, 0, 0], made.steps.at(-1)!.ip.slice(0, 28))
    made.packet(atMillis + 20, 'wg0', ipPacket(SITE, TUNNEL_ADDRESS, 1, body, 2), false)
  }
  expect(findingsOf(play(made.steps), ID)).toEqual([])
})
