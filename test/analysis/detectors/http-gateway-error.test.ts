import { story as quiet } from '../../fixtures/http-gateway-error/quiet.make.ts'
import { story as raises } from '../../fixtures/http-gateway-error/raises.make.ts'
import { SITE } from '../../fixtures/path-story.ts'
import { findingsOf, play } from '../scenario.ts'

const ID = 'http-gateway-error'

test('raises: a gateway says 502', () => {
  expect(findingsOf(play(raises().steps), ID)).toMatchObject([
    {
      severity: 'warning',
      confidence: 'proven',
      data: { host: 'www.example.com', status: 502, answeredBy: 'example-gateway', address: SITE },
    },
  ])
})

test('stays quiet: all is well', () => {
  expect(findingsOf(play(quiet().steps), ID)).toEqual([])
})
