import { story as quiet } from '../../fixtures/mtu-dns-fragmented/quiet.make.ts'
import { story as raises } from '../../fixtures/mtu-dns-fragmented/raises.make.ts'
import { bigDnsAnswer, createStory, TUNNEL_ADDRESS } from '../../fixtures/path-story.ts'
import { findingsOf, play } from '../scenario.ts'

const ID = 'mtu-dns-fragmented'

test('raises: an answer of 2,000 bytes in two fragments', () => {
  expect(findingsOf(play(raises().steps), ID)).toMatchObject([
    { severity: 'info', data: { server: '10.64.0.1', answers: 1, lost: 0, largestLen: 2000 } },
  ])
})

test('a lost one is probable while no later fragment was captured, for a filter by port leaves them out; proven with one', () => {
  const story = createStory(24)
  const client = { address: TUNNEL_ADDRESS, port: 40_000 }
  story.fragments(20, 'wg0', bigDnsAnswer('10.64.0.1', client, 2000), 1400, false, 'second')
  story.connection({ on: 'wg0' }).open(62_000)
  expect(findingsOf(play(story.steps), ID)).toMatchObject([
    {
      confidence: 'probable',
      severity: 'warning',
      cause: 'never-completed',
      summary: expect.stringMatching(/capture filter may have left/),
    },
  ])
  const beside = createStory(24)
  beside.fragments(10, 'wg0', bigDnsAnswer('10.64.0.2', client, 2000), 1400, false)
  beside.fragments(20, 'wg0', bigDnsAnswer('10.64.0.1', client, 2000), 1400, false, 'second')
  beside.connection({ on: 'wg0' }).open(62_000)
  expect(findingsOf(play(beside.steps), ID)).toContainEqual(
    expect.objectContaining({
      confidence: 'proven',
      cause: 'never-completed',
      summary: expect.not.stringMatching(/filter/),
    }),
  )
})

test('stays quiet: an answer of 1,200 bytes in one packet', () => {
  expect(findingsOf(play(quiet().steps), ID)).toEqual([])
})
