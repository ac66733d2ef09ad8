// Durations in words. Cold path.

/** A duration in the unit a person would use: `0.4 ms`, `12 ms`, `1.25 s`, `3 min 20 s`. */
export function durationText(micros: number): string {
  if (micros < 1000) return `${(micros / 1000).toFixed(2)} ms`
  if (micros < 10_000) return `${(micros / 1000).toFixed(1)} ms`
  if (micros < 1_000_000) return `${Math.round(micros / 1000)} ms`
  if (micros < 60_000_000) return `${(micros / 1_000_000).toFixed(2)} s`
  const seconds = Math.round(micros / 1_000_000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}
