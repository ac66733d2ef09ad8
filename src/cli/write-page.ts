// The page of --html.
import { writeFileSync } from 'node:fs'
import { STANDARD_OUTPUT } from '../constants/paths.ts'
import { OperatorError } from '../model/operator-error.ts'
import { systemErrorText } from '../text/system-error.ts'

/** Before the work: whether both can be printed. @throws OperatorError `cannot-write` */
export function checkPage(path: string | undefined, hasJson = false): void {
  if (path !== STANDARD_OUTPUT || !hasJson) return
  throw new OperatorError('cannot-write', '--html - and --json both go to standard output; name a file with --html.')
}

/** For its owner only: names are sensitive. `-` is standard output. @throws OperatorError `cannot-write` */
export function writePage(path: string, html: string): void {
  if (path === STANDARD_OUTPUT) {
    process.stdout.write(html)
    return
  }
  try {
    writeFileSync(path, html, { mode: 0o600 })
  } catch (error) {
    throw new OperatorError(
      'cannot-write',
      `The page cannot be written to ${path}: ${systemErrorText(error)}; name another file with --html.`,
    )
  }
}
