// Why a store cannot be used, and what helps.
import { OperatorError } from '../model/operator-error.ts'

/** The code of a failed system call or of SQLite; empty when there is none. */
export function errorCode(error: unknown): string {
  const code = (error as { code?: unknown }).code
  return typeof code === 'string' ? code : ''
}

/** What to throw when opening failed with `error`. */
export function storeUnusable(path: string, error: unknown): OperatorError {
  if (isNotBuilt(error)) {
    return new OperatorError(
      'store-unusable',
      `The store ${path} cannot be opened: better-sqlite3 is not built for this Node; install a C++ compiler, make and python3, then run: npm rebuild better-sqlite3`,
    )
  }
  return new OperatorError(
    'store-unusable',
    `The store ${path} cannot be opened: ${(error as Error).message}; ${whatHelps(errorCode(error))} or name another place with --store.`,
  )
}

/** Nothing was built at installation, as where npm ran no install scripts, or it was built for another Node. */
function isNotBuilt(error: unknown): boolean {
  return errorCode(error) === 'ERR_DLOPEN_FAILED' || Array.isArray((error as { tries?: unknown }).tries)
}

function whatHelps(code: string): string {
  if (/^(ENOSPC|EDQUOT|SQLITE_FULL)/.test(code)) return 'make room there'
  if (/^(EROFS|SQLITE_READONLY)/.test(code)) return 'make its file system writable'
  return 'run as root (sudo)'
}
