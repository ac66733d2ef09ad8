// Whose capture it is, where neither the file nor the start of a conversation says so.
import { createStory, type StoryStep } from '../../fixtures/path-story.ts'
import { ip, play } from '../scenario.ts'

const PRIVATE = '192.168.1.13'
const SERVER = '198.51.100.80'

/** A download from its middle, the server first. */
function middleOf(client: string, server: string): StoryStep[] {
  const story = createStory(91)
  const download = story.connection({ on: 'eth0', client, server })
  for (let index = 0; index < 5; index++)
    download.back(index * 10, index * 100, 100).ackOut(index * 10 + 1, index * 100)
  return story.steps
}

function ownOf(steps: readonly StoryStep[], linkType = 1): string[] {
  const report = play(
    steps.map((step) => ({ ...step, on: 'one' })),
    { interfaces: [{ name: 'one', linkType }] },
  )
  return report.inputs[0]!.interfaces[0]!.addresses
}

test('of two sides the machine is the one with the private address, whoever is seen first', () => {
  expect(ownOf(middleOf(PRIVATE, SERVER))).toEqual([PRIVATE])
  expect(ownOf(middleOf(PRIVATE, SERVER), 101)).toEqual([PRIVATE])
})

test('a router that also answers from its own private address is still the other side', () => {
  const fromRouter = {
    atMillis: 60,
    on: 'eth0',
    outgoing: false,
    ip: ip('192.168.1.1', PRIVATE, 17, new Uint8Array(8)),
  }
  expect(ownOf([...middleOf(PRIVATE, SERVER), fromRouter])).toEqual([PRIVATE])
})

test('a server behind a NAT is the machine although others open the connections', () => {
  const story = createStory(92)
  for (const client of [SERVER, '198.51.100.99']) {
    story.connection({ on: 'eth0', client, server: '172.31.21.34' }).open(0)
  }
  const steps = story.steps.map((step) => ({ ...step, outgoing: !step.outgoing }))
  expect(ownOf(steps)).toEqual(['172.31.21.34'])
})

test('a machine with a public address that asks a private server is the one that asks', () => {
  const story = createStory(93)
  story.connection({ on: 'eth0', client: SERVER, server: '10.0.0.53', port: 53 }).open(0)
  expect(ownOf(story.steps)).toEqual([SERVER])
})
