// Loaded before the program (node --import): Date.now() is off by the milliseconds that a file holds, which a test may
// change. The kernel's time stamps are not, so a step *to* zero is what a clock that is set looks like from here.
import { readFileSync } from 'node:fs'

const real = Date.now
let offset = 0
let readAt = Number.NEGATIVE_INFINITY
Date.now = () => {
  if (performance.now() - readAt > 20) {
    readAt = performance.now()
    offset = Number(readFileSync(process.env.CLOCK_OFFSET_FILE, 'utf8').trim() || offset)
  }
  return real() + offset
}
