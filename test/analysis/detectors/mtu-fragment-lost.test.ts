import { story as quiet } from '../../fixtures/mtu-fragment-lost/quiet.make.ts'
import { story as raises } from '../../fixtures/mtu-fragment-lost/raises.make.ts'
import { createStory, LAN_ADDRESS, noise, SITE, udpPacket } from '../../fixtures/path-story.ts'
import { findingsOf, play } from '../scenario.ts'

const ID = 'mtu-fragment-lost'

test('raises: the second fragments of two datagrams never come', () => {
  expect(findingsOf(play(raises().steps), ID)).toMatchObject([
    {
      severity: 'warning',
      cause: 'later-fragments-dropped',
      count: 2,
      data: { source: SITE, lost: 2, missing: 'a later fragment' },
      filter: `frame.interface_name == "eth0" && ip.src == ${SITE} && ip.dst == ${LAN_ADDRESS} && (ip.flags.mf == 1 || ip.frag_offset > 0)`,
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

test('raises without saying more than what all of them lack', () => {
  const story = createStory(19)
  const ends = [
    { address: SITE, port: 7000 },
    { address: LAN_ADDRESS, port: 7001 },
  ] as const
  for (const [index, lost] of (['second', 'first'] as const).entries()) {
    story.fragments(index * 500, 'eth0', udpPacket(...ends, noise(1, 2000), { id: 50 + index }), 1480, false, lost)
  }
  story.connection({ on: 'eth0' }).open(62_000)
  const [finding] = findingsOf(play(story.steps), ID)
  expect(finding).toMatchObject({ count: 2, data: { missing: 'one of the fragments' } })
  expect(finding!.cause).toBeUndefined()
})
