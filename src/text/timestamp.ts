// Cold path. Packet time as text, always UTC and to the microsecond.

/** 0000-01-01 and 9999-12-31: what ISO 8601 writes with four digits; stamps beyond are shown as these seconds. */
const MIN_SECONDS = -62_167_219_200
const MAX_SECONDS = 253_402_300_799

/** `2026-11-22T17:03:14.123456`, without a zone. Never throws. */
function isoText(timeMicros: number, separator: string): string {
  const micros = Number.isFinite(timeMicros) ? Math.floor(timeMicros) : 0
  const seconds = Math.floor(micros / 1_000_000)
  const date = new Date(Math.min(Math.max(seconds, MIN_SECONDS), MAX_SECONDS) * 1000).toISOString()
  const fraction = String(micros - seconds * 1_000_000).padStart(6, '0')
  return `${date.slice(0, 10)}${separator}${date.slice(11, 19)}.${fraction}`
}

/** EVE's form: `2026-11-22T17:03:14.123456+0000`. */
export function eventTime(timeMicros: number): string {
  return `${isoText(timeMicros, 'T')}+0000`
}

/** RFC 3339 with `Z`, as findings and reports write it. */
export function utcTime(timeMicros: number): string {
  return `${isoText(timeMicros, 'T')}Z`
}

/** For lines people read: `2026-11-22 17:03:14.123456`. */
export function lineTime(timeMicros: number): string {
  return isoText(timeMicros, ' ')
}
