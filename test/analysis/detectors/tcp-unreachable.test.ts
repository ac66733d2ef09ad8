import { createStory, ipPacket, join, SITE, type Story, TUNNEL_ADDRESS } from '../../fixtures/path-story.ts'
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

test('stays quiet: the capture shows one direction only, and the client has acknowledged an answer', () => {
  const made = createStory(46)
  const idle = made.connection({ server: SITE }).open(0)
  for (const atMillis of [10_000, 20_000]) idle.ackOut(atMillis, 0)
  const outgoing = made.steps.filter((step) => step.outgoing)
  expect(findingsOf(play(outgoing), ID)).toEqual([])
})

/** A router says that a filter forbids the last packet. */
function prohibit(story: Story, atMillis: number): void {
  const quoted = story.steps.at(-1)!.ip.slice(0, 28)
  const body = join([3, 13, 0, 0, 0, 0, 0, 0], quoted)
  story.packet(atMillis, 'wg0', ipPacket('10.64.0.1', TUNNEL_ADDRESS, 1, body, 2), false)
}

test('raises for what ICMP says, of the attempt it is about and of no other', () => {
  const made = createStory(47)
  made.connection({ server: SITE, port: 25 }).knock(0)
  prohibit(made, 10)
  // Its answer may still be on its way.
  made.connection({ server: SITE, port: 443 }).knock(3_600_000)
  expect(findingsOf(play(made.steps), ID)).toMatchObject([
    {
      cause: 'icmp',
      count: 1,
      data: { ports: [25], why: '10.64.0.1 says communication prohibited by a filter' },
    },
  ])
})
