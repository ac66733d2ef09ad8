// Time stamps of capture files into whole microseconds since 1970, floored, exact for every resolution pcapng can state.
// HOT PATH

/** One clock: how an interface's 64-bit stamps count. Made once per interface. */
export interface Clock {
  readonly kind: number
  /** CLOCK_COARSE: microseconds per unit. CLOCK_FINE: units per microsecond = divisor · divisor2. CLOCK_BINARY: exponent. */
  readonly factor: number
  readonly divisor2: number
  /** Added to every stamp. */
  readonly offsetMicros: number
}

const CLOCK_COARSE = 0
const CLOCK_NANOS = 1
const CLOCK_FINE = 2
const CLOCK_BINARY = 3

const TWO_32 = 4294967296

/**
 * The clock for an if_tsresol octet (most significant bit 0: negative power of ten, 1: of two) and an if_tsoffset in
 * seconds (draft-ietf-opsawg-pcapng, 4.2). 6 is the default: microseconds.
 */
export function createClock(tsresol = 6, offsetSeconds = 0): Clock {
  const offsetMicros = offsetSeconds * 1e6
  const exponent = tsresol & 0x7f
  if (tsresol & 0x80) return { kind: CLOCK_BINARY, factor: exponent, divisor2: 1, offsetMicros }
  if (exponent <= 6) return { kind: CLOCK_COARSE, factor: 10 ** (6 - exponent), divisor2: 1, offsetMicros }
  if (exponent === 9) return { kind: CLOCK_NANOS, factor: 1000, divisor2: 1, offsetMicros }
  // Floors of floors are floors: two divisors of at most nine digits keep every step exact.
  const digits = exponent - 6
  return { kind: CLOCK_FINE, factor: 10 ** Math.min(digits, 9), divisor2: 10 ** Math.max(digits - 9, 0), offsetMicros }
}

/** Microseconds of the stamp high·2³² + low. */
export function stampMicros(clock: Clock, high: number, low: number): number {
  const kind = clock.kind
  // 2³² = 4294967 · 1000 + 296
  if (kind === CLOCK_NANOS) return high * 4294967 + Math.floor((high * 296 + low) / 1000) + clock.offsetMicros
  if (kind === CLOCK_COARSE) return (high * TWO_32 + low) * clock.factor + clock.offsetMicros
  if (kind === CLOCK_BINARY) return binaryMicros(clock.factor, high, low) + clock.offsetMicros
  return Math.floor(divide(high, low, clock.factor) / clock.divisor2) + clock.offsetMicros
}

/** floor((high·2³² + low) / divisor) by long division in 16-bit digits; exact for divisors below 2³⁷. */
function divide(high: number, low: number, divisor: number): number {
  let quotient = Math.floor(high / divisor)
  let rest = (high - quotient * divisor) * 65536 + (low >>> 16)
  let digit = Math.floor(rest / divisor)
  quotient = quotient * 65536 + digit
  rest = (rest - digit * divisor) * 65536 + (low & 0xffff)
  digit = Math.floor(rest / divisor)
  return quotient * 65536 + digit
}

function binaryMicros(exponent: number, high: number, low: number): number {
  if (exponent === 0) return (high * TWO_32 + low) * 1e6
  if (exponent < 32) {
    const unit = 2 ** exponent
    const seconds = high * 2 ** (32 - exponent) + Math.floor(low / unit)
    return seconds * 1e6 + Math.floor(((low % unit) * 1e6) / unit)
  }
  const unit = 2 ** (exponent - 32)
  const seconds = Math.floor(high / unit)
  const carry = Math.floor((low * 1e6) / TWO_32)
  return seconds * 1e6 + Math.floor(((high - seconds * unit) * 1e6 + carry) / unit)
}
