// TLS secrets for `--keylog`: files in which programs log them (SSLKEYLOGFILE, RFC 9850), and those that a capture carries
// inside. They stay in memory and are written nowhere.
import { createKeyLog, type KeyLog } from '../analysis/key-log.ts'
import type { CaptureAnnex } from '../capture/source.ts'
import { OperatorError } from '../model/operator-error.ts'
import { systemErrorText } from '../text/system-error.ts'
import { readBounded } from './bounded-file.ts'

/** All files together: some 70,000 connections of TLS 1.3, which a browser makes in months. */
const MAX_KEY_LOGS_LEN = 64 << 20
/** Stands for the secrets inside the captures; a file of that name is `./capture`. */
const INSIDE_CAPTURES = 'capture'

/**
 * Reads the key logs that `--keylog` names; undefined when it names none.
 * @throws OperatorError `keylog`
 */
export function openKeyLogs(names: readonly string[]): KeyLog | undefined {
  if (names.length === 0) return undefined
  const keyLog = createKeyLog(names.includes(INSIDE_CAPTURES))
  let leftLen = MAX_KEY_LOGS_LEN
  for (const name of names) if (name !== INSIDE_CAPTURES) leftLen -= addFile(keyLog, name, leftLen)
  return keyLog
}

/** Returns the bytes of the file. */
function addFile(keyLog: KeyLog, name: string, leftLen: number): number {
  const refused = (why: string) => new OperatorError('keylog', `--keylog ${name}: ${why}.`)
  let bytes: Buffer | undefined
  try {
    bytes = readBounded(name, leftLen)
  } catch (error) {
    throw refused(systemErrorText(error))
  }
  if (bytes === undefined) {
    throw refused(`more than ${MAX_KEY_LOGS_LEN >> 20} MB; give the lines from the time of the capture`)
  }
  const damagedLines = keyLog.damagedLines
  if (keyLog.add(bytes) === 0 && keyLog.damagedLines > damagedLines) {
    throw refused('no TLS key log; give the file that a program wrote with SSLKEYLOGFILE set')
  }
  return bytes.length
}

/** Call before each batch: takes the secrets that a capture carries as they are met, where they are wanted. */
export function createSecretsFeed(annex: CaptureAnnex, keyLog: KeyLog | undefined): () => void {
  if (keyLog?.usesCaptures !== true) return () => {}
  const encoder = new TextEncoder()
  let fed = 0
  return () => {
    for (; fed < annex.tlsKeyLogs.length; fed++) keyLog.add(encoder.encode(annex.tlsKeyLogs[fed]!))
  }
}
