// Progress of long work on stderr, once a second, only for a person at a terminal.
import type { CaptureSource } from '../capture/source.ts'

export interface Progress {
  /** Call after every batch. */
  batch(): void
  /** Wipes the line. */
  end(): void
}

const FIRST_AFTER_MILLIS = 1000
const EVERY_MILLIS = 500

export function createProgress(source: CaptureSource): Progress {
  if (process.stderr.isTTY !== true) return { batch() {}, end() {} }
  const startedAt = performance.now()
  let nextAt = startedAt + FIRST_AFTER_MILLIS
  let shown = false
  return {
    batch() {
      const now = performance.now()
      if (now < nextAt) return
      nextAt = now + EVERY_MILLIS
      shown = true
      const packets = source.inputs.reduce((sum, input) => sum + input.packets, 0)
      const bytes = source.inputs.reduce((sum, input) => sum + input.bytes, 0)
      const rate = bytes / 1e6 / ((now - startedAt) / 1000)
      process.stderr.write(`\r\x1b[K${packets.toLocaleString('en')} packets, ${rate.toFixed(0)} MB/s`)
    },
    end() {
      if (shown) process.stderr.write('\r\x1b[K')
    },
  }
}
