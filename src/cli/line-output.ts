// Lines to standard output, gathered into large writes; a slow reader slows us down instead of filling memory.
import { once } from 'node:events'

export interface LineOutput {
  write(line: string): void
  /** Waits while the reader is behind; call between batches. */
  settle(): Promise<void>
}

const FLUSH_LEN = 1 << 16

export function createLineOutput(): LineOutput {
  let waiting: string[] = []
  let waitingLen = 0
  const flush = async (): Promise<void> => {
    if (waitingLen === 0) return
    const text = waiting.join('')
    waiting = []
    waitingLen = 0
    if (!process.stdout.write(text)) await once(process.stdout, 'drain')
  }
  let pending: Promise<void> | undefined
  return {
    write(line) {
      waiting.push(line, '\n')
      waitingLen += line.length + 1
      if (waitingLen >= FLUSH_LEN && pending === undefined) {
        pending = flush().finally(() => {
          pending = undefined
        })
      }
    },
    async settle() {
      await pending
      await flush()
    },
  }
}
