import { createStory, SITE } from '../../fixtures/path-story.ts'
import { story as quiet } from '../../fixtures/tcp-unreachable/quiet.make.ts'
import { story as raises } from '../../fixtures/tcp-unreachable/raises.make.ts'
import { findingsOf, play } from '../scenario.ts'

const ID = 'tcp-unreachable'

test('raises: three SYNs, no answer', () => {
  expect(findingsOf(play(raises().steps), ID)).toMatchObject([
    { severity: 'warning', cause: 'silent', data: { server: SITE, attempts: 1, ports: [443] } },
  ])
})

test('stays quiet: another connection to the same port works, whichever of them ends first', () => {
  const made = createStory(41)
  const silent = made.connection({ server: SITE })
  silent.knock(0).knock(1000).knock(3000)
  made.connection({ server: SITE }).open(500).out(530, 0, 300).ackBack(550, 300).back(551, 0, 200)
  expect(findingsOf(play(made.steps), ID)).toEqual([])
})

test('raises: it worked an hour ago and is silent now', () => {
  const made = createStory(42)
  made.connection({ server: SITE }).open(0).out(30, 0, 300).ackBack(50, 300).back(51, 0, 200).finOut(60)
  made.connection({ server: SITE }).knock(3_600_000).knock(3_601_000).knock(3_603_000)
  expect(findingsOf(play(made.steps), ID)).toMatchObject([{ cause: 'silent' }])
})

test('stays quiet: the second SYN is answered', () => {
  expect(findingsOf(play(quiet().steps), ID)).toEqual([])
})

test('stays quiet: one SYN in a capture that shows every packet three times', () => {
  const made = createStory(44)
  made.connection({ server: SITE }).knock(0)
  const copies = made.steps.flatMap((step) => [0, 0.2, 0.4].map((later) => ({ ...step, atMillis: later })))
  expect(findingsOf(play(copies), ID)).toEqual([])
})

test('the filter shows every attempt that is counted', () => {
  const made = createStory(45)
  for (const port of [443, 8443]) made.connection({ server: SITE, port }).knock(0).knock(1000).knock(3000)
  expect(findingsOf(play(made.steps), ID)).toMatchObject([
    {
      data: { attempts: 2 },
      filter: `frame.interface_name == "wg0" && ip.addr == ${SITE} && tcp.port in {443, 8443}`,
    },
  ])
})
