// By which time old data is forgotten when somebody sets the clock.
import { createRetentionClock } from '../../src/daemon/retention-clock.ts'

const HOUR = 3_600_000
const YEAR = 365 * 24 * HOUR

function machine(newestMicros?: (wallMillis: number) => number) {
  const now = { wall: 1_800_000_000_000, uptime: 40_000 }
  const clocks = { wallMillis: () => now.wall, steadyMillis: () => now.uptime, uptimeMillis: () => now.uptime }
  const time = createRetentionClock(newestMicros?.(now.wall), clocks)
  return {
    now,
    /** How far it is behind the clock, in milliseconds. */
    behind: () => now.wall - time() / 1000,
    run(millis: number) {
      now.wall += millis
      now.uptime += millis
    },
  }
}

test('goes with a clock that runs, drifts and sleeps', () => {
  const { now, behind, run } = machine()
  for (let minute = 0; minute < 1000; minute++) {
    run(60_000)
    now.wall += 20
    expect(behind()).toBe(0)
  }
})

test('goes back with it at once', () => {
  const { now, behind, run } = machine()
  now.wall -= YEAR
  run(1000)
  expect(behind()).toBe(0)
})

test('does not go forward with it before it has stood for six hours', () => {
  const { now, behind, run } = machine()
  run(60_000)
  now.wall += 10 * YEAR
  for (let minute = 0; minute < 359; minute++) {
    run(60_000)
    expect(behind()).toBe(10 * YEAR)
  }
  run(120_000)
  expect(behind()).toBe(0)
})

test('a mistake that is mended has no consequence', () => {
  const { now, behind, run } = machine()
  now.wall += 10 * YEAR
  run(5 * HOUR)
  expect(behind()).toBe(10 * YEAR)
  now.wall -= 10 * YEAR
  run(60_000)
  expect(behind()).toBe(0)
  now.wall += 10 * YEAR
  run(2 * HOUR)
  expect(behind()).toBe(10 * YEAR)
})

test('a clock far ahead of the youngest thing kept is not believed at the start either', () => {
  const { behind, run } = machine((wall) => (wall - 10 * YEAR) * 1000)
  expect(behind()).toBe(10 * YEAR)
  run(7 * HOUR)
  expect(behind()).toBe(0)
  const future = machine((wall) => (wall + YEAR) * 1000)
  expect(future.behind()).toBe(0)
})
