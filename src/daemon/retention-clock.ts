// The time by which old data is forgotten. A clock that is set forward by mistake makes everything look old, and what is
// deleted does not come back when it is set right: so a leap is believed only after it has stood for a while.
import { type Clocks, PLATFORM_CLOCKS } from '../capture/clock-watch.ts'

/** Who set it wrongly, or a time server, will have mended it by then. */
const BELIEVED_AFTER_MILLIS = 6 * 3_600_000
/** Between two looks a clock does not run ahead so far by itself. */
const LEAP_MILLIS = 60_000

/**
 * Gives microseconds since 1970, never ahead of the clock. `newestMicros`: the youngest thing that is kept, when there is
 * one; a clock that is far ahead of it at the start may have been set while we did not run.
 */
export function createRetentionClock(newestMicros?: number, clocks: Clocks = PLATFORM_CLOCKS): () => number {
  const offset = () => clocks.wallMillis() - clocks.uptimeMillis()
  let believed = offset()
  if (newestMicros !== undefined) believed = Math.min(believed, newestMicros / 1000 - clocks.uptimeMillis())
  let leapSince: number | undefined
  return () => {
    const now = offset()
    const uptime = clocks.uptimeMillis()
    if (now - believed < LEAP_MILLIS) leapSince = undefined
    else leapSince ??= uptime
    if (leapSince === undefined || uptime - leapSince >= BELIEVED_AFTER_MILLIS) {
      believed = now
      leapSince = undefined
    }
    return (uptime + believed) * 1000
  }
}
