// Times and durations in words. Cold path.

/** Microseconds since 1970 as ISO 8601 in UTC with microseconds: `2026-01-02T03:04:05.000006Z`. */
export function isoTime(micros: number): string {
  const millis = Math.floor(micros / 1000)
  const date = new Date(millis)
  if (Number.isNaN(date.getTime())) return `${micros}us`
  const rest = String(micros - millis * 1000).padStart(3, '0')
  return `${date.toISOString().slice(0, -1)}${rest}Z`
}

/** A duration in the unit a person would use: `0.4 ms`, `12 ms`, `1.25 s`, `3 min 20 s`. */
export function durationText(micros: number): string {
  if (micros < 1000) return `${(micros / 1000).toFixed(2)} ms`
  if (micros < 10_000) return `${(micros / 1000).toFixed(1)} ms`
  if (micros < 1_000_000) return `${Math.round(micros / 1000)} ms`
  if (micros < 60_000_000) return `${(micros / 1_000_000).toFixed(2)} s`
  const seconds = Math.round(micros / 1_000_000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}
