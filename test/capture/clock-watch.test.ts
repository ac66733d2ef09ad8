// Clocks that run, are slewed, sleep and are set: only the last is a step.
import { ClockWatch } from '../../src/capture/clock-watch.ts'

const HOUR = 3_600_000

/** A machine whose time a test makes. */
function machine(uptimeGrain = 10) {
  const now = { wall: 1_800_000_000_000, steady: 5_000, asleep: 0 }
  const watch = new ClockWatch({
    wallMillis: () => now.wall,
    steadyMillis: () => now.steady,
    uptimeMillis: () => Math.floor((now.steady + now.asleep) / uptimeGrain) * uptimeGrain,
  })
  return {
    watch,
    now,
    run(millis: number) {
      now.wall += millis
      now.steady += millis
    },
    sleep(millis: number) {
      now.wall += millis
      now.asleep += millis
    },
    set(byMillis: number) {
      now.wall += byMillis
    },
  }
}

describe('no step', () => {
  test('a clock that runs, for a year', () => {
    const { watch, run } = machine()
    for (let look = 0; look < 1000; look++) {
      run((365 * 24 * HOUR) / 1000)
      expect(watch.isAhead()).toBe(false)
    }
    expect(watch.take()).toBe(0)
  })

  test('one that is slewed, however far it goes', () => {
    const { watch, run, set } = machine()
    for (let look = 0; look < 10_000; look++) {
      run(100)
      set(-1)
      expect(watch.isAhead()).toBe(false)
    }
  })

  test.each([10, 1000])('a machine that slept (uptime told to %d ms)', (grain) => {
    const { watch, run, sleep } = machine(grain)
    for (const hours of [1, 8, 72]) {
      run(1234)
      sleep(hours * HOUR + 567)
      run(3)
      expect(watch.isAhead()).toBe(false)
    }
  })
})

describe('a step', () => {
  test.each([
    [-HOUR, 'back'],
    [HOUR, 'forward'],
    [-3000, 'a little back'],
    [10 * 365 * 24 * HOUR, 'ten years forward'],
  ])('of %d ms (%s) lies before the first packet that bears the new time', (step) => {
    const { watch, run, set, now } = machine()
    run(100)
    const before = now.wall
    set(step)
    run(2)
    expect(watch.isAhead()).toBe(true)
    expect(watch.reached(before * 1000)).toBe(false)
    expect(watch.take()).toBe(0)
    run(4)
    expect(watch.isAhead()).toBe(true)
    expect(watch.reached((now.wall - 3) * 1000)).toBe(true)
    expect(watch.take()).toBe(step)
    expect(watch.take()).toBe(0)
    expect(watch.isAhead()).toBe(false)
  })

  test('without packets is reached when none of before can come any more', () => {
    const { watch, run, set } = machine()
    set(-HOUR)
    expect(watch.isAhead()).toBe(true)
    expect(watch.reached(undefined)).toBe(false)
    run(100)
    expect(watch.isAhead()).toBe(true)
    expect(watch.reached(undefined)).toBe(true)
    expect(watch.take()).toBe(-HOUR)
  })

  test('in two parts is one; taken back at once it is none', () => {
    const { watch, run, set, now } = machine()
    set(-HOUR)
    expect(watch.isAhead()).toBe(true)
    run(10)
    set(-HOUR)
    expect(watch.isAhead()).toBe(true)
    expect(watch.reached(now.wall * 1000)).toBe(true)
    expect(watch.take()).toBe(-2 * HOUR)
    set(HOUR)
    expect(watch.isAhead()).toBe(true)
    set(-HOUR)
    expect(watch.isAhead()).toBe(false)
    expect(watch.take()).toBe(0)
  })

  test('while the machine slept is told apart from the sleep', () => {
    const { watch, sleep, set, now } = machine()
    sleep(8 * HOUR)
    set(-HOUR)
    expect(watch.isAhead()).toBe(true)
    expect(watch.reached(now.wall * 1000)).toBe(true)
    expect(watch.take()).toBe(-HOUR)
  })
})
