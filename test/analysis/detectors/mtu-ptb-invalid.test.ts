import { story as quiet } from '../../fixtures/mtu-ptb-invalid/quiet.make.ts'
import { story as raises } from '../../fixtures/mtu-ptb-invalid/raises.make.ts'
import { createStory, SITE_V6, TUNNEL_ADDRESS_V6 } from '../../fixtures/path-story.ts'
import { findingsOf, play } from '../scenario.ts'

const ID = 'mtu-ptb-invalid'

test('raises: an IPv4 router that claims an MTU of 60 bytes', () => {
  const found = findingsOf(play(raises().steps), ID)
  expect(found).toMatchObject([{ severity: 'warning', data: { nextHopMtu: 60, leastMtu: 68 } }])
  expect(found[0]!.data).not.toHaveProperty('suggestedMss')
})

test('raises: IPv6 without an MTU: only routers of IPv4 may leave it out', () => {
  const story = createStory(17)
  story.connection({ client: TUNNEL_ADDRESS_V6, server: SITE_V6, clientMss: 1360 }).open(0).out(30, 0, 1360)
  story.tooBig(40, 'wg0', 'fd00:64::1', 0, story.steps.at(-1)!.ip)
  const report = play(story.steps)
  expect(findingsOf(report, ID)).toMatchObject([{ data: { nextHopMtu: 0, leastMtu: 1280 } }])
  expect(findingsOf(report, 'mtu-too-big')).toEqual([])
  expect(report.paths[0]).not.toHaveProperty('mtu')
})

test('stays quiet: the smallest MTU that IPv4 knows', () => {
  expect(findingsOf(play(quiet().steps), ID)).toEqual([])
})
