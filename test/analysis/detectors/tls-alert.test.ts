import { SITE } from '../../fixtures/path-story.ts'
import { story as quiet } from '../../fixtures/tls-alert/quiet.make.ts'
import { story as raises } from '../../fixtures/tls-alert/raises.make.ts'
import { findingsOf, play } from '../scenario.ts'

const ID = 'tls-alert'

test('raises: the server does not know the name it is asked for', () => {
  expect(findingsOf(play(raises().steps), ID)).toMatchObject([
    {
      severity: 'warning',
      cause: 'unrecognized_name',
      data: { host: 'www.example.com', server: SITE, alert: 112, sender: 'server' },
    },
  ])
})

test('stays quiet: the server says goodbye', () => {
  expect(findingsOf(play(quiet().steps), ID)).toEqual([])
})
