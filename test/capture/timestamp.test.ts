// Time stamps against the same arithmetic in big integers, for every resolution pcapng can state.
import * as fc from 'fast-check'
import { createClock, stampMicros } from '../../src/capture/timestamp.ts'

const word = fc.integer({ min: 0, max: 0xffffffff })

function exactMicros(tsresol: number, high: number, low: number): bigint {
  const stamp = (BigInt(high) << 32n) + BigInt(low)
  const exponent = BigInt(tsresol & 0x7f)
  return (stamp * 1_000_000n) / (tsresol & 0x80 ? 1n << exponent : 10n ** exponent)
}

test('exact wherever the result is a whole number a double can hold', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 255 }), word, word, (tsresol, high, low) => {
      const exact = exactMicros(tsresol, high, low)
      fc.pre(exact <= BigInt(Number.MAX_SAFE_INTEGER))
      expect(BigInt(stampMicros(createClock(tsresol), high, low))).toBe(exact)
    }),
    { numRuns: 20_000 },
  )
})

test('every resolution at the edges of its range', () => {
  for (let tsresol = 0; tsresol < 256; tsresol++) {
    for (const [high, low] of [
      [0, 0],
      [0, 0xffffffff],
      [1, 0],
      [0x18000000, 0x89abcdef],
      [0x80000000, 1],
      [0xffffffff, 0xffffffff],
    ] as const) {
      const exact = exactMicros(tsresol, high, low)
      const micros = stampMicros(createClock(tsresol), high, low)
      const allowed = exact <= BigInt(Number.MAX_SAFE_INTEGER) ? 0 : Number(exact) * 1e-15
      expect(Math.abs(micros - Number(exact))).toBeLessThanOrEqual(allowed)
    }
  }
})

test('offsets in seconds, forwards and backwards', () => {
  expect(stampMicros(createClock(6, 1_700_000_000), 0, 5)).toBe(1_700_000_000_000_005)
  expect(stampMicros(createClock(9, -2), 0, 1_999)).toBe(-1_999_999)
  expect(stampMicros(createClock(0x80, -10), 0, 3)).toBe(-7_000_000)
})
