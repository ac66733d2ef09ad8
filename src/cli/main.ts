#!/usr/bin/env node
// The command line: one command, one file. Exit codes as the README lists them.
import { Command, CommanderError, Help } from 'commander'
import { boundEngine } from '../daemon/engine-bounds.ts'
import { VERSION } from '../daemon/version.ts'
import { OperatorError } from '../model/operator-error.ts'
import { escapeForTerminal } from '../text/escape.ts'
import { EXIT_OPERATOR } from './exit-codes.ts'

boundEngine()

/** In the order of the help. Each command brings its own packages (zod, ws, SQLite): only what is asked for is loaded. */
const COMMANDS: Readonly<Record<string, () => Promise<(program: Command) => void>>> = Object.freeze({
  analyze: async () => (await import('./commands/analyze.ts')).addAnalyzeCommand,
  check: async () => (await import('./commands/check.ts')).addCheckCommand,
  compare: async () => (await import('./commands/compare.ts')).addCompareCommand,
  daemon: async () => (await import('./commands/daemon.ts')).addDaemonCommand,
  events: async () => (await import('./commands/events.ts')).addEventsCommand,
  packets: async () => (await import('./commands/packets.ts')).addPacketsCommand,
  tail: async () => (await import('./commands/tail.ts')).addTailCommand,
  dashboard: async () => (await import('./commands/dashboard.ts')).addDashboardCommand,
  findings: async () => (await import('./commands/findings.ts')).addFindingsCommand,
  interfaces: async () => (await import('./commands/interfaces.ts')).addInterfacesCommand,
  doctor: async () => (await import('./commands/doctor.ts')).addDoctorCommand,
  export: async () => (await import('./commands/export.ts')).addExportCommand,
  'install-service': async () => (await import('./commands/install-service.ts')).addInstallServiceCommand,
  'uninstall-service': async () => (await import('./commands/install-service.ts')).addUninstallServiceCommand,
  start: async () => (await import('./commands/start.ts')).addStartCommand,
})

const program = new Command('tunnelscope')
  .description('Says what leaves this machine outside the VPN tunnel, and why a site breaks only with the VPN on.')
  .version(VERSION)
  .showHelpAfterError('(tunnelscope --help lists the commands)')
  .configureHelp({
    // A list that begins empty has no default worth a line.
    optionDescription: (option) => new Help().optionDescription(option).replace(' (default: [])', ''),
  })
  // A name that begins with a dash is taken for an option, and told; a folder may hold such a file, whoever put it there.
  .configureOutput({
    outputError: (text, write) => write(text.split('\n').map(escapeForTerminal).join('\n')),
  })
  .exitOverride()

for (const name of neededCommands(process.argv[2] ?? '')) (await COMMANDS[name]!())(program)
for (const command of program.commands)
  command.showHelpAfterError(`(tunnelscope ${command.name()} --help lists its options)`)

// What is told beside the output may be lost; the exit code still says how it went.
process.stderr.on('error', () => {})

// A reader that went away (head, less) is no fault; a full disk is, and 1 would say that findings were found.
process.stdout.once('error', (error: NodeJS.ErrnoException) => {
  process.stdout.on('error', () => {})
  process.exitCode = error.code === 'EPIPE' ? 0 : EXIT_OPERATOR
  if (error.code !== 'EPIPE') {
    process.stderr.write(
      `tunnelscope: standard output cannot be written (${error.code}); make room or write elsewhere.\n`,
    )
  }
  // The daemon has a store and files to flush: it ends as SIGTERM would have it.
  if (!process.emit('SIGTERM')) process.exit()
})

try {
  await program.parseAsync(withoutVainHelp(process.argv.slice(2)), { from: 'user' })
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : EXIT_OPERATOR
  else if (error instanceof OperatorError) {
    process.stderr.write(`tunnelscope: ${escapeForTerminal(error.message)}\n`)
    process.exitCode = EXIT_OPERATOR
  } else throw error
}

/** The version needs none; the help, and the message for a word that is no command, need all. */
function neededCommands(word: string): string[] {
  if (Object.hasOwn(COMMANDS, word)) return [word]
  return word === '--version' || word === '-V' ? [] : Object.keys(COMMANDS)
}

/** Of a word that is no command there is no help: commander would print that of the program and not say why. */
function withoutVainHelp(words: string[]): string[] {
  const isVain = words[0] === 'help' && words[1] !== undefined && !Object.hasOwn(COMMANDS, words[1])
  return isVain ? words.slice(1) : words
}
