// What came of `--keylog`, on stderr, where it is not what the operator will have expected.
import type { KeyLog } from '../analysis/key-log.ts'

/** Call once, when all packets have been read. */
export function tellKeyLog(keyLog: KeyLog | undefined): void {
  if (keyLog === undefined) return
  const { damagedLines, sessionCount, openedCount } = keyLog
  if (damagedLines > 0) {
    const lines = damagedLines === 1 ? '1 line is' : `${damagedLines} lines are`
    process.stderr.write(`tunnelscope: --keylog: ${lines} not of a key log and told nothing.\n`)
  }
  if (openedCount > 0) return
  const sessions = sessionCount === 1 ? 'the connection' : `the ${sessionCount} connections`
  process.stderr.write(
    sessionCount === 0
      ? 'tunnelscope: --keylog: there are no secrets; a program logs them when SSLKEYLOGFILE is set before it connects.\n'
      : `tunnelscope: --keylog: the secrets of ${sessions} open nothing here; the start of a connection must be in the capture.\n`,
  )
}
