import { clientHelloRecord, createStory, SITE } from '../../fixtures/path-story.ts'
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

const HELLO = clientHelloRecord('www.example.com', 400)

test('what is lost behind an acknowledged ClientHello is not the ClientHello, and small packets are no matter of the MTU', () => {
  const story = createStory(71)
  const visit = story.connection().open(0).out(30, 0, HELLO).ackBack(50, 400).out(51, 400, 28)
  for (const atMillis of [300, 900, 2100, 4500]) visit.out(atMillis, 400, 28)
  visit.finOut(9000)
  const [finding, ...others] = findingsOf(play(story.steps), ID)
  expect(others).toEqual([])
  expect(finding).toMatchObject({ cause: 'uplink', severity: 'warning', count: 1 })
  expect(finding!.summary).toMatch(/acknowledged it, but not the 28 bytes behind it, which were sent 5 times/)
  expect(finding!.advice).toMatch(/^Not an MTU matter: packets of 68 bytes/)
})

test('an answer that is here is not a silent server: the client does not acknowledge it', () => {
  const story = createStory(72)
  const visit = story.connection().open(0).out(30, 0, HELLO).ackBack(50, 400)
  visit.back(1900, 0, 1000).finOut(3030)
  const [finding, ...others] = findingsOf(play(story.steps), ID)
  expect(others).toEqual([])
  expect(finding).toMatchObject({ cause: 'unheard', severity: 'warning', data: { serverSeenBytes: 1000 } })
  expect(finding!.summary).toContain('the answer of 1000 bytes was seen here')
})

test('one connection that is told twice, before and when its client gives up, counts once', () => {
  const story = createStory(73)
  story.connection().open(0).out(30, 0, HELLO).ackBack(50, 400).finOut(59_000)
  story.connection({ server: '198.51.100.99' }).open(10_000)
  expect(findingsOf(play(story.steps), ID)).toMatchObject([{ cause: 'silent', severity: 'warning', count: 1 }])
})

test('a later silence that shows nothing does not take back what was shown', () => {
  const story = createStory(74)
  story.connection().open(0).out(30, 0, HELLO).ackBack(50, 400).finOut(3030)
  story.connection().open(10_000).out(10_030, 0, HELLO).ackBack(10_050, 400)
  story.connection({ server: '198.51.100.99' }).open(20_000)
  expect(findingsOf(play(story.steps), ID)).toMatchObject([{ severity: 'warning', confidence: 'probable', count: 2 }])
})
