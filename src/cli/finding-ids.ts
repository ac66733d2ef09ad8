// `--finding ID` and `--id ID`: one that no detector raises would be waited for in vain.
import { OperatorError } from '../model/operator-error.ts'
import { escapeForTerminal } from '../text/escape.ts'
import { nearestWord } from '../text/nearest-word.ts'

/** The ids given with `flag`, each one of a finding that there is. @throws OperatorError `bad-flag` */
export async function findingIdFlag(flag: string, ids: readonly string[]): Promise<readonly string[]> {
  if (ids.length === 0) return ids
  const { DETECTORS } = await import('../analysis/detectors/index.ts')
  const known = DETECTORS.map((one) => one.meta.id)
  for (const id of ids) {
    if (known.includes(id)) continue
    const meant = nearestWord(id, known)
    const hint = meant === undefined ? `there are: ${known.join(', ')}` : `did you mean ${meant}?`
    throw new OperatorError('bad-flag', `${flag} ${escapeForTerminal(id)}: no such finding; ${hint}`)
  }
  return ids
}
