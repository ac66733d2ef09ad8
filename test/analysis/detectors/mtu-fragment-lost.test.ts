import { story as quiet } from '../../fixtures/mtu-fragment-lost/quiet.make.ts'
import { story as raises } from '../../fixtures/mtu-fragment-lost/raises.make.ts'
import { LAN_ADDRESS, noise, SITE, udpPacket } from '../../fixtures/path-story.ts'
import { findingsOf, play } from '../scenario.ts'

const ID = 'mtu-fragment-lost'

test('raises: the second fragments of two datagrams never come', () => {
  expect(findingsOf(play(raises().steps), ID)).toMatchObject([
    {
      severity: 'warning',
      cause: 'later-fragments-dropped',
      count: 2,
      data: { source: SITE, lost: 2, missing: 'a later fragment' },
    },
  ])
})

test('is probable while no later fragment of anybody was captured, for a filter by port leaves them out; strong with one', () => {
  const story = raises()
  const [alone] = findingsOf(play(story.steps), ID)
  expect(alone).toMatchObject({
    confidence: 'probable',
    summary: expect.stringMatching(/capture filter may have left/),
  })
  const whole = udpPacket({ address: SITE, port: 9000 }, { address: LAN_ADDRESS, port: 9001 }, noise(2, 2000), {
    id: 9,
  })
  story.fragments(600, 'eth0', whole, 1480, false)
  const [beside] = findingsOf(play(story.steps), ID)
  expect(beside).toMatchObject({ confidence: 'strong', summary: expect.not.stringMatching(/filter/) })
})

test('stays quiet: both fragments of each datagram come, one of them late', () => {
  expect(findingsOf(play(quiet().steps), ID)).toEqual([])
})
