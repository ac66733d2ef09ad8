import { story as quiet } from '../../fixtures/mtu-df-fragment/quiet.make.ts'
import { story as raises } from '../../fixtures/mtu-df-fragment/raises.make.ts'
import { SITE } from '../../fixtures/path-story.ts'
import { findingsOf, play } from '../scenario.ts'

const ID = 'mtu-df-fragment'

test('raises: fragments that forbid to be fragmented again', () => {
  expect(findingsOf(play(raises().steps), ID)).toMatchObject([
    { severity: 'info', confidence: 'proven', count: 2, data: { destination: SITE, fragmentLen: 1500 } },
  ])
})

test('stays quiet: the same fragments without that bit', () => {
  expect(findingsOf(play(quiet().steps), ID)).toEqual([])
})
