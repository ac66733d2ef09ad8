// Notices that somebody set the clock: packets bear its time, and deadlines, epochs and "before" mean nothing across the
// step. A machine that slept did not have its clock set; its time really passed.
import { uptime } from 'node:os'

/** What a platform can tell of time. */
export interface Clocks {
  /** The clock of the packets, milliseconds since 1970. */
  wallMillis(): number
  /** Never set, and standing still while the machine sleeps. */
  steadyMillis(): number
  /** Never set, and going on while the machine sleeps; may be as coarse as a second. */
  uptimeMillis(): number
}

export const PLATFORM_CLOCKS: Clocks = Object.freeze({
  wallMillis: () => Date.now(),
  steadyMillis: () => performance.now(),
  uptimeMillis: () => uptime() * 1000,
})

/** Smaller steps are no more than packets that arrive out of order; and the uptime may be as coarse as this. */
const MIN_STEP_MILLIS = 2000
/** Until packets from before a step have reached us. */
const DELIVERY_MILLIS = 100

export class ClockWatch {
  readonly #clocks: Clocks
  #offsetMillis: number
  #asleepMillis: number
  /** Seen at the clock, not yet at the packets. */
  #aheadMillis = 0
  #aheadSince = 0
  /** Seen at the packets, not yet taken. */
  #behindMillis = 0

  constructor(clocks: Clocks = PLATFORM_CLOCKS) {
    this.#clocks = clocks
    this.#offsetMillis = clocks.wallMillis() - clocks.steadyMillis()
    this.#asleepMillis = clocks.uptimeMillis() - clocks.steadyMillis()
  }

  /** Looks at the clock: true when it was set while packets of the time before may still come. Cheap. */
  isAhead(): boolean {
    const step = this.#look()
    if (step !== 0) {
      this.#aheadMillis += step
      this.#aheadSince = this.#clocks.steadyMillis()
    }
    return this.#aheadMillis !== 0
  }

  /** The next packets bear `timeMicros`, or there are none: whether that is the time after the step. */
  reached(timeMicros: number | undefined): boolean {
    const { wallMillis, steadyMillis } = this.#clocks
    const isNew =
      timeMicros === undefined
        ? steadyMillis() - this.#aheadSince >= DELIVERY_MILLIS
        : Math.abs(timeMicros / 1000 - wallMillis()) < Math.abs(this.#aheadMillis) / 2
    if (!isNew) return false
    this.#behindMillis += this.#aheadMillis
    this.#aheadMillis = 0
    return true
  }

  /** By how many milliseconds the clock was set between the packets so far and the next, forward positive. Once; else 0. */
  take(): number {
    const step = this.#behindMillis
    this.#behindMillis = 0
    return step
  }

  #look(): number {
    const steady = this.#clocks.steadyMillis()
    const offset = this.#clocks.wallMillis() - steady
    const moved = offset - this.#offsetMillis
    this.#offsetMillis = offset
    // Slewed, as time servers do: nothing to tell, however far it goes.
    if (Math.abs(moved) < MIN_STEP_MILLIS) return 0
    const asleep = this.#clocks.uptimeMillis() - steady
    const step = moved - Math.max(0, asleep - this.#asleepMillis)
    this.#asleepMillis = asleep
    return Math.abs(step) < MIN_STEP_MILLIS ? 0 : step
  }
}
