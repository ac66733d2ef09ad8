import { SITE } from '../../fixtures/path-story.ts'
import { story as quiet } from '../../fixtures/tcp-lossy/quiet.make.ts'
import { story as raises } from '../../fixtures/tcp-lossy/raises.make.ts'
import { findingsOf, play } from '../scenario.ts'

const ID = 'tcp-lossy'

test('raises: one segment in twenty comes twice', () => {
  expect(findingsOf(play(raises().steps), ID)).toMatchObject([
    { severity: 'warning', interface: 'wg0', data: { lost: 10, segments: 211, percent: '4.7', server: SITE } },
  ])
})

test('stays quiet: one in two hundred', () => {
  expect(findingsOf(play(quiet().steps), ID)).toEqual([])
})
