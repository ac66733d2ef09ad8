import { story as quiet } from '../../fixtures/mtu-fragment-lost/quiet.make.ts'
import { story as raises } from '../../fixtures/mtu-fragment-lost/raises.make.ts'
import { SITE } from '../../fixtures/path-story.ts'
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

test('stays quiet: both fragments of each datagram come, one of them late', () => {
  expect(findingsOf(play(quiet().steps), ID)).toEqual([])
})
