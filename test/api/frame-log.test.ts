// The log of frames: positions only grow, what is gone is counted to the message.
import { createFrameLog } from '../../src/api/frame-log.ts'

const frame = (first: number, count: number, bytes = 100) => ({
  bytes: Buffer.alloc(bytes),
  first,
  last: first + count - 1,
  count,
})

test('frames are found by position, and messages counted across what was forgotten', () => {
  const log = createFrameLog()
  expect([log.start, log.end, log.messagesBefore(0), log.goneTo]).toEqual([0, 0, 0, 0])
  log.push(frame(11, 3))
  log.push(frame(20, 5))
  log.push(frame(30, 2))
  expect(log.at(1).first).toBe(20)
  expect([0, 1, 2, 3].map(log.messagesBefore)).toEqual([0, 3, 8, 10])
  log.release(2)
  expect([log.start, log.end, log.goneTo]).toEqual([2, 3, 24])
  expect(log.at(2).first).toBe(30)
  expect([2, 3].map(log.messagesBefore)).toEqual([8, 10])
  log.release(1)
  log.release(99)
  expect([log.start, log.end, log.goneTo, log.messagesBefore(3)]).toEqual([3, 3, 31, 10])
  log.push(frame(40, 1))
  expect([log.at(3).first, log.end, log.messagesBefore(4)]).toEqual([40, 4, 11])
})

test('the oldest go when there are too many bytes', () => {
  const log = createFrameLog()
  for (let at = 0; at < 10; at++) log.push(frame(at * 10, 10))
  log.limit(350)
  expect([log.start, log.end, log.goneTo]).toEqual([7, 10, 69])
  log.limit(350)
  expect(log.start).toBe(7)
  log.limit(0)
  expect([log.start, log.end]).toEqual([10, 10])
})
