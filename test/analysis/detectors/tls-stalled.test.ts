import { SITE } from '../../fixtures/path-story.ts'
import { story as quiet } from '../../fixtures/tls-stalled/quiet.make.ts'
import { story as raises } from '../../fixtures/tls-stalled/raises.make.ts'
import { findingsOf, play } from '../scenario.ts'

const ID = 'tls-stalled'

test('raises: the ClientHello is acknowledged, nothing follows, and the client gives up after three seconds', () => {
  expect(findingsOf(play(raises().steps), ID)).toMatchObject([
    {
      severity: 'warning',
      confidence: 'probable',
      cause: 'silent',
      data: { host: 'www.example.com', server: SITE, helloLen: 395 },
    },
  ])
})

test('stays quiet: the answer comes late, and the handshake goes on', () => {
  expect(findingsOf(play(quiet().steps), ID)).toEqual([])
})
