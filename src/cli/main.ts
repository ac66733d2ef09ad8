#!/usr/bin/env node
// The command line: one command, one file. Exit codes as the README lists them.
import { Command, CommanderError } from 'commander'
import { VERSION } from '../daemon/version.ts'
import { OperatorError } from '../model/operator-error.ts'
import { escapeForTerminal } from '../text/escape.ts'
import { addAnalyzeCommand } from './commands/analyze.ts'
import { addDaemonCommand } from './commands/daemon.ts'
import { addEventsCommand } from './commands/events.ts'
import { addFindingsCommand } from './commands/findings.ts'
import { addInterfacesCommand } from './commands/interfaces.ts'
import { addPacketsCommand } from './commands/packets.ts'
import { addStartCommand } from './commands/start.ts'
import { addTailCommand } from './commands/tail.ts'
import { EXIT_OPERATOR } from './exit-codes.ts'

const program = new Command('tunnelscope')
  .description('Says what leaves this machine outside the VPN tunnel, and why a site breaks only with the VPN on.')
  .version(VERSION)
  .showHelpAfterError('(tunnelscope --help lists the commands)')
  .exitOverride()

addAnalyzeCommand(program)
addDaemonCommand(program)
addEventsCommand(program)
addPacketsCommand(program)
addTailCommand(program)
addFindingsCommand(program)
addInterfacesCommand(program)
addStartCommand(program)

// A reader that went away (head, less) is no fault of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1)
})

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : EXIT_OPERATOR
  else if (error instanceof OperatorError) {
    process.stderr.write(`tunnelscope: ${escapeForTerminal(error.message)}\n`)
    process.exitCode = EXIT_OPERATOR
  } else throw error
}
