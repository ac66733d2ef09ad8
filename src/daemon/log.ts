// What the operator is told: one line each on standard error. Under systemd every line bears its priority (sd-daemon(3)),
// so that `journalctl -p warning` works; elsewhere a word says it.
import { escapeForTerminal } from '../text/escape.ts'

export type LogLevel = 'error' | 'warn' | 'info' | 'debug'

export interface Log {
  tell(level: LogLevel, message: string): void
  /** Lines below this are left out from now on. */
  setLevel(level: LogLevel): void
}

/** syslog(3) priorities. */
const PRIORITY: Readonly<Record<LogLevel, number>> = Object.freeze({ error: 3, warn: 4, info: 6, debug: 7 })
const WORD: Readonly<Record<LogLevel, string>> = Object.freeze({
  error: 'error: ',
  warn: 'warning: ',
  info: '',
  debug: '',
})

/** `isJournal`: somebody reads priorities (JOURNAL_STREAM is set). */
export function createLog(level: LogLevel, isJournal: boolean, write: (line: string) => void): Log {
  let least = PRIORITY[level]
  return {
    tell(of, message) {
      if (PRIORITY[of] > least) return
      const text = escapeForTerminal(message)
      write(isJournal ? `<${PRIORITY[of]}>${text}\n` : `tunnelscope: ${WORD[of]}${text}\n`)
    },
    setLevel(next) {
      least = PRIORITY[next]
    },
  }
}
