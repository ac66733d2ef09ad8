import { SITE } from '../../fixtures/path-story.ts'
import { story as quiet } from '../../fixtures/tcp-unreachable/quiet.make.ts'
import { story as raises } from '../../fixtures/tcp-unreachable/raises.make.ts'
import { findingsOf, play } from '../scenario.ts'

const ID = 'tcp-unreachable'

test('raises: three SYNs, no answer', () => {
  expect(findingsOf(play(raises().steps), ID)).toMatchObject([
    { severity: 'warning', cause: 'silent', data: { server: SITE, attempts: 1, ports: [443] } },
  ])
})

test('stays quiet: the second SYN is answered', () => {
  expect(findingsOf(play(quiet().steps), ID)).toEqual([])
})
