import { story as quiet } from '../../fixtures/mtu-fragment-overlap/quiet.make.ts'
import { story as raises } from '../../fixtures/mtu-fragment-overlap/raises.make.ts'
import { SITE } from '../../fixtures/path-story.ts'
import { findingsOf, play } from '../scenario.ts'

const ID = 'mtu-fragment-overlap'

test('raises: the second fragment rewrites the end of the first one', () => {
  expect(findingsOf(play(raises().steps), ID)).toMatchObject([
    { severity: 'warning', confidence: 'strong', basis: 'RFC 1858 3', data: { source: SITE, ipVersion: 4 } },
  ])
})

test('stays quiet: the same fragments twice, as a network that duplicates packets makes them', () => {
  expect(findingsOf(play(quiet().steps), ID)).toEqual([])
})
