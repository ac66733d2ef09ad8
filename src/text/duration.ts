// Durations in words. Cold path.

/** A duration in the unit a person would use: `0.4 ms`, `12 ms`, `1.25 s`, `3 min 20 s`, `5 h 12 min`, `3 d 4 h`. */
export function durationText(micros: number): string {
  if (micros < 1000) return `${(micros / 1000).toFixed(2)} ms`
  if (micros < 10_000) return `${(micros / 1000).toFixed(1)} ms`
  if (micros < 1_000_000) return `${Math.round(micros / 1000)} ms`
  if (micros < 60_000_000) return `${(micros / 1_000_000).toFixed(2)} s`
  const seconds = Math.round(micros / 1_000_000)
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`
}

/** `the clock was set back by 1 h 2 min`. */
export function clockWords(byMillis: number): string {
  return `the clock was set ${byMillis < 0 ? 'back' : 'forward'} by ${durationText(Math.abs(byMillis) * 1000)}`
}
