import { createStory, SITE } from '../../fixtures/path-story.ts'
import { story as quiet } from '../../fixtures/tcp-lossy/quiet.make.ts'
import { story as raises } from '../../fixtures/tcp-lossy/raises.make.ts'
import { findingsOf, play, type Step } from '../scenario.ts'

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

test('stays quiet: what is sent again had been acknowledged before, so nothing was lost', () => {
  const story = createStory(32)
  const download = story.connection({ port: 80 }).open(0).out(30, 0, 100).ackBack(50, 100)
  for (let index = 0; index < 200; index++) {
    const [at, seq] = [60 + index * 10, index * 1380]
    download.back(at, seq, 1380).ackOut(at + 0.1, seq + 1380)
    if (index % 20 === 10) download.back(at + 5, seq, 1380)
  }
  expect(findingsOf(play(story.steps), ID)).toEqual([])
})

test('stays quiet: the receiver says that it has what was sent again twice, so nothing was lost (RFC 2883)', () => {
  const story = createStory(34)
  const upload = story.connection({ port: 80 }).open(0)
  for (let index = 0; index < 200; index++) {
    const [at, from, to] = [60 + index * 60, index * 1380, index * 1380 + 1380]
    upload.out(at, from, 1380)
    if (index % 20 !== 10) upload.ackBack(at + 20, to)
    else
      upload
        .out(at + 30, from, 1380)
        .ackBack(at + 31, to)
        .ackBack(at + 50, to, [from, to])
        .ackBack(at + 51, to, [from, to])
  }
  const report = play(story.steps)
  expect(report.paths[0]!.toServer).toMatchObject({ segments: 210, resent: 0 })
  expect(findingsOf(report, ID)).toEqual([])
})

test('stays quiet: the receiver closes its window again and again, and one byte asks whether it is open', () => {
  const story = createStory(33)
  const download = story.connection({ port: 80 }).open(0).out(30, 0, 100).ackBack(50, 100)
  let [at, seq] = [60, 0]
  const close = (): void => void story.steps.at(-1)!.ip.fill(0, 34, 36)
  for (let pause = 0; pause < 8; pause++) {
    for (let index = 0; index < 20; index++, at++, seq += 1380)
      download.back(at, seq, 1380).ackOut(at + 0.1, seq + 1380)
    close()
    at += 500
    for (const later of [0, 1000]) {
      download.back(at + later, seq, 1).ackOut(at + later + 0.1, seq)
      close()
    }
    download.ackOut(at + 1500, seq)
    at += 1600
  }
  const report = play(story.steps)
  expect(report.paths[0]!.toClient).toMatchObject({ segments: 160, resent: 0 })
  expect(findingsOf(report, ID)).toEqual([])
})

describe('stays quiet: every packet was captured three times', () => {
  /** As a bridge and its ports show it: the copies of a burst come after the whole burst. */
  function thrice(steps: readonly Step[]): Step[] {
    return steps.flatMap((step) => [0, 0.3, 0.6].map((later) => ({ ...step, atMillis: step.atMillis + later })))
  }

  test('with the identification that tells a copy from what was sent again', () => {
    const report = play(thrice(quiet().steps))
    expect(report.paths[0]!.toClient).toMatchObject({ segments: 201, resent: 1 })
    expect(findingsOf(report, ID)).toEqual([])
  })

  test('without one (RFC 6864 4.1), sooner than anybody can have asked for it', () => {
    const steps = quiet().steps.map((step) => ({ ...step, ip: withoutId(step.ip) }))
    expect(findingsOf(play(thrice(steps)), ID)).toEqual([])
  })

  test('and what is really lost stays so', () => {
    expect(findingsOf(play(thrice(raises().steps)), ID)).toMatchObject([{ data: { lost: 10, segments: 211 } }])
  })
})

function withoutId(ip: Uint8Array): Uint8Array {
  const made = ip.slice()
  made.fill(0, 4, 6)
  return made
}
