// Judging later: what looks like a fault now may be put right by the next try. Entries are decided in order of time, each
// when all that happened until its deadline is known, so that a file and the live ring decide alike.
import { DNS_TIMEOUT_MICROS } from '../constants/limits.ts'

export interface Deferred<T> {
  /** Decided at `dueMicros`; deadlines ascend. */
  add(entry: T, dueMicros: number): void
  /** A question asked at `queryMicros` is being told: questions are told in order, so all before it are known. */
  told(queryMicros: number): void
  /** Packet time: of questions asked longer ago than the timeout everything is known. */
  tick(nowMicros: number): void
  /** Decides what is left. */
  end(): void
}

/** Entries that wait; when there are more the oldest is decided with what is known. */
const MAX_WAITING = 4096

export function createDeferred<T>(decide: (entry: T) => void): Deferred<T> {
  const waiting: { entry: T; dueMicros: number }[] = []
  let head = 0

  function decideNext(): void {
    const { entry } = waiting[head++]!
    if (head === MAX_WAITING) {
      waiting.splice(0, head)
      head = 0
    }
    decide(entry)
  }

  function until(micros: number): void {
    while (head < waiting.length && waiting[head]!.dueMicros <= micros) decideNext()
  }

  return {
    add(entry, dueMicros) {
      if (waiting.length - head === MAX_WAITING) decideNext()
      waiting.push({ entry, dueMicros })
    },
    told: until,
    tick: (nowMicros) => until(nowMicros - DNS_TIMEOUT_MICROS),
    end: () => until(Number.POSITIVE_INFINITY),
  }
}
