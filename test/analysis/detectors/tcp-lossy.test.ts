import { createStory, SITE } from '../../fixtures/path-story.ts'
import { story as quiet } from '../../fixtures/tcp-lossy/quiet.make.ts'
import { story as raises } from '../../fixtures/tcp-lossy/raises.make.ts'
import { findingsOf, play } from '../scenario.ts'

const ID = 'tcp-lossy'

test('raises: one segment in twenty comes twice', () => {
  expect(findingsOf(play(raises().steps), ID)).toMatchObject([
    { severity: 'warning', interface: 'wg0', data: { lost: 10, segments: 211, percent: '4.7', server: SITE } },
  ])
})

test('stays quiet: a queue overflows once, and a twentieth of a short download comes twice', () => {
  const story = createStory(31)
  const download = story.connection({ port: 80 }).open(0).out(30, 0, 100).ackBack(50, 100)
  for (let index = 0; index < 200; index++) {
    const isLost = index >= 90 && index < 102
    download.back(60 + index * 0.2, index * 1380, 1380)
    if (isLost) download.back(60.1 + index * 0.2, index * 1380, 1380)
    download.ackOut(60.15 + index * 0.2, (index + 1) * 1380)
  }
  const report = play(story.steps)
  expect(report.paths[0]!.toClient.resent).toBe(12)
  expect(findingsOf(report, ID)).toEqual([])
})

test('stays quiet: one in two hundred', () => {
  expect(findingsOf(play(quiet().steps), ID)).toEqual([])
})
