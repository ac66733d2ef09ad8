// Ends the process when one piece of work takes far too long: a loop that never ends cannot be interrupted otherwise.
import { Worker } from 'node:worker_threads'

const SOURCE = `
  const { workerData } = require('node:worker_threads')
  const { writeSync } = require('node:fs')
  const beat = new Int32Array(workerData.beat)
  let seen = -1
  setInterval(() => {
    const now = Atomics.load(beat, 0)
    if (now === seen) {
      writeSync(2, 'fuzz: hang; the input is ' + workerData.path + '\\n')
      process.kill(process.pid, 'SIGKILL')
    }
    seen = now
  }, workerData.limitMillis)
`

export interface Watchdog {
  beat(): void
  stop(): Promise<void>
}

/** `beat()` has to be called at least every `limitMillis`; `path` is named when it was not. */
export function createWatchdog(path: string, limitMillis: number): Watchdog {
  const beat = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(SOURCE, { eval: true, workerData: { beat: beat.buffer, path, limitMillis } })
  return {
    beat: () => void Atomics.add(beat, 0, 1),
    stop: async () => void (await worker.terminate()),
  }
}
