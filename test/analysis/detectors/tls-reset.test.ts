import { clientHelloRecord, createStory, SITE } from '../../fixtures/path-story.ts'
import { story as quiet } from '../../fixtures/tls-reset/quiet.make.ts'
import { story as raises } from '../../fixtures/tls-reset/raises.make.ts'
import { findingsOf, play } from '../scenario.ts'

const ID = 'tls-reset'

test('raises: a reset answers the ClientHello, from another distance than the server’s SYN-ACK', () => {
  expect(findingsOf(play(raises().steps), ID)).toMatchObject([
    {
      severity: 'critical',
      confidence: 'strong',
      cause: 'injected',
      interface: 'wg0',
      data: { host: 'www.example.com', server: SITE, resetTtl: 64, serverTtl: 57, afterMillis: 15 },
    },
  ])
})

test('stays quiet: the server answers and resets the connection when all is said', () => {
  expect(findingsOf(play(quiet().steps), ID)).toEqual([])
})

test('stays quiet: the client has closed before, so the reset answers that', () => {
  const story = createStory(31)
  story.connection().open(0).out(30, 0, clientHelloRecord('www.example.com', 500)).finOut(31).resetBack(60)
  expect(findingsOf(play(story.steps), ID)).toEqual([])
})
