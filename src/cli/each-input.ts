// Several inputs one after the other: a bad one is told and the rest goes on (product.md, exit codes).
import type { InputSummary } from '../model/capture-interface.ts'
import { OperatorError } from '../model/operator-error.ts'
import { escapeForTerminal } from '../text/escape.ts'
import { EXIT_DAMAGED, EXIT_OPERATOR } from './exit-codes.ts'
import { tellDamage } from './tell-damage.ts'

/** Runs `read` for each file; sets the exit code to the worst that happened. */
export async function eachInput(
  files: readonly string[],
  read: (file: string) => Promise<readonly InputSummary[]>,
): Promise<void> {
  for (const file of files) {
    try {
      if (tellDamage(await read(file))) process.exitCode = EXIT_DAMAGED
    } catch (error) {
      if (!(error instanceof OperatorError) || files.length === 1) throw error
      process.stderr.write(`tunnelscope: ${escapeForTerminal(error.message)}\n`)
      // One file among many that is no capture counts as damaged: the others are told in full.
      const worst = error.code === 'input-not-capture' || error.code === 'input-empty' ? EXIT_DAMAGED : EXIT_OPERATOR
      process.exitCode = Math.max(worst, Number(process.exitCode ?? 0))
    }
  }
}
