// The page of --html.
import { writeFileSync } from 'node:fs'
import { OperatorError } from '../model/operator-error.ts'
import { systemErrorText } from '../text/system-error.ts'

/** For its owner only: names are sensitive. @throws OperatorError `cannot-write` */
export function writePage(path: string, html: string): void {
  try {
    writeFileSync(path, html, { mode: 0o600 })
  } catch (error) {
    throw new OperatorError(
      'cannot-write',
      `The page cannot be written to ${path}: ${systemErrorText(error)}; name another file with --html.`,
    )
  }
}
