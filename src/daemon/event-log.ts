// The event log: EVE lines to a file or to standard output. A file that was moved away is opened anew (SIGHUP); a full
// disk loses lines, counted, and never holds up the daemon.
import { createWriteStream, type WriteStream } from 'node:fs'
import { OperatorError } from '../model/operator-error.ts'

/** Bytes that may wait for a slow disk or reader; then lines are counted instead of kept. */
const MAX_WAITING_LEN = 4 << 20

export interface EventLog {
  /** One line, without its newline. */
  write(line: string): void
  /** Lines that could not be written. */
  lost(): number
  /** Closes and opens the file again, so that a rotated one is left alone. */
  reopen(): void
  close(): Promise<void>
}

/**
 * Opens the log; `-` is standard output. New files are 0600. `onTrouble` hears of the first lost line after a good one.
 * @throws OperatorError `event-log-unusable`
 */
export async function openEventLog(path: string, onTrouble: (message: string) => void): Promise<EventLog> {
  let lost = 0
  let inTrouble = false
  const lose = (message: string) => {
    lost++
    if (!inTrouble) onTrouble(`event log ${path}: ${message}; lines are lost until it can be written again`)
    inTrouble = true
  }
  const open = () => {
    const stream = createWriteStream(path, { flags: 'a', mode: 0o600 })
    stream.on('error', (error) => lose(error.message))
    return stream
  }

  if (path === '-') {
    return {
      write(line) {
        if (process.stdout.writableLength > MAX_WAITING_LEN) lose('its reader is too slow')
        else process.stdout.write(`${line}\n`)
      },
      lost: () => lost,
      reopen() {},
      close: async () => {},
    }
  }
  let stream = open()
  await new Promise<void>((resolve, reject) => {
    stream.once('open', () => resolve())
    stream.once('error', (error) => {
      reject(new OperatorError('event-log-unusable', `The event log ${path} cannot be written: ${error.message}.`))
    })
  })
  return {
    write(line) {
      // A stream that failed is dead; the next line tries a new one.
      if (stream.destroyed) stream = open()
      if (stream.writableLength > MAX_WAITING_LEN) {
        lose('the disk is too slow')
        return
      }
      stream.write(`${line}\n`, (error) => {
        if (error) lose(error.message)
        else inTrouble = false
      })
    },
    lost: () => lost,
    reopen() {
      stream.end()
      stream = open()
    },
    close: () => endStream(stream),
  }
}

function endStream(stream: WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed) resolve()
    else {
      stream.once('close', () => resolve())
      stream.end()
    }
  })
}
