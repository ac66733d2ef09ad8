// The commands that talk to a service, alone: what a test starts on a terminal.
import { Command } from 'commander'
import { addFindingsCommand } from '../../src/cli/commands/findings.ts'
import { addTailCommand } from '../../src/cli/commands/tail.ts'

const program = new Command('tunnelscope').exitOverride()
addTailCommand(program)
addFindingsCommand(program)
try {
  await program.parseAsync()
} catch (error) {
  process.stderr.write(`tunnelscope: ${(error as Error).message}\n`)
  process.exitCode = 2
}
