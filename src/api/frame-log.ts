// Frames that are on their way to clients: each is made and kept once, however many clients it goes to. Bounded by bytes;
// a client that was not sent a frame before it went is told how many messages that were.
import type { Frame } from './stream-frames.ts'

export interface FrameLog {
  push(frame: Frame): void
  /** Position of the oldest frame kept, and behind the newest: positions only grow. */
  readonly start: number
  readonly end: number
  /** A frame that is kept. */
  at(position: number): Frame
  /** Messages in all frames before the position, which is kept or the end. */
  messagesBefore(position: number): number
  /** The last number of the newest frame that is gone; 0 when none is. */
  readonly goneTo: number
  /** Forgets the frames before the position. */
  release(position: number): void
  /** Forgets the oldest frames until no more than so many bytes are kept. */
  limit(bytes: number): void
}

export function createFrameLog(): FrameLog {
  const frames: { frame: Frame; before: number }[] = []
  let start = 0
  let messages = 0
  let bytes = 0
  let goneTo = 0

  function forget(count: number): void {
    if (count <= 0) return
    for (const { frame } of frames.splice(0, count)) {
      bytes -= frame.bytes.length
      goneTo = frame.last
    }
    start += count
  }

  return {
    push(frame) {
      frames.push({ frame, before: messages })
      messages += frame.count
      bytes += frame.bytes.length
    },
    get start() {
      return start
    },
    get end() {
      return start + frames.length
    },
    at: (position) => frames[position - start]!.frame,
    messagesBefore: (position) => frames[position - start]?.before ?? messages,
    get goneTo() {
      return goneTo
    },
    release: (position) => forget(Math.min(position - start, frames.length)),
    limit(most) {
      let count = 0
      for (let left = bytes; left > most; count++) left -= frames[count]!.frame.bytes.length
      forget(count)
    },
  }
}
