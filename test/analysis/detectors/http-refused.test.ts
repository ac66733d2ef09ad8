import { story as quiet } from '../../fixtures/http-refused/quiet.make.ts'
import { story as raises } from '../../fixtures/http-refused/raises.make.ts'
import { SITE } from '../../fixtures/path-story.ts'
import { findingsOf, play } from '../scenario.ts'

const ID = 'http-refused'

test('raises: the site says 403', () => {
  expect(findingsOf(play(raises().steps), ID)).toMatchObject([
    { severity: 'warning', confidence: 'proven', data: { host: 'www.example.com', status: 403, address: SITE } },
  ])
})

test('stays quiet: the page is not there, which is no refusal', () => {
  expect(findingsOf(play(quiet().steps), ID)).toEqual([])
})
