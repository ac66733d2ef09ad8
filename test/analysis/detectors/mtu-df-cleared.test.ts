import { story as quiet } from '../../fixtures/mtu-df-cleared/quiet.make.ts'
import { story as raises } from '../../fixtures/mtu-df-cleared/raises.make.ts'
import { SITE } from '../../fixtures/path-story.ts'
import { findingsOf, play } from '../scenario.ts'

const ID = 'mtu-df-cleared'

test('raises: what came in on wg0 with DF leaves on eth0 in fragments', () => {
  expect(findingsOf(play(raises().steps), ID)).toMatchObject([
    { severity: 'warning', interface: 'eth0', data: { before: 'wg0', how: 'in fragments', destination: SITE } },
  ])
})

test('stays quiet: it leaves as it came; and another datagram of the same length has an identification of its own', () => {
  expect(findingsOf(play(quiet().steps), ID)).toEqual([])
})
