// `install-service` and `uninstall-service`: the systemd unit, the user and the directories. Each step is said.
import { existsSync, realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { OperatorError } from '../../model/operator-error.ts'
import { escapeForTerminal } from '../../text/escape.ts'

interface InstallFlags {
  dryRun?: boolean
  root?: string
  start?: boolean
}

const EXAMPLE_CONFIG = fileURLToPath(new URL('../../../packaging/tunnelscope.toml', import.meta.url))

export function addInstallServiceCommand(program: Command): void {
  const command = program
    .command('install-service')
    .description('Make the user, the configuration and the systemd unit, and start the service; says each step.')
    .option('--no-start', 'do not start it')
  addPlaceOptions(command).action((flags: InstallFlags) => run('install', flags))
}

export function addUninstallServiceCommand(program: Command): void {
  const command = program
    .command('uninstall-service')
    .description('Stop the service and take away what install-service made; the store stays.')
  addPlaceOptions(command).action((flags: InstallFlags) => run('uninstall', flags))
}

function addPlaceOptions(command: Command): Command {
  return command
    .option('--dry-run', 'only say the steps')
    .option('--root <directory>', 'work on the system in this directory instead of the running one')
}

async function run(what: 'install' | 'uninstall', flags: InstallFlags): Promise<void> {
  if (process.platform !== 'linux') {
    throw new OperatorError('no-systemd', 'The service is for Linux with systemd; elsewhere run: tunnelscope daemon.')
  }
  const { installSteps, runSteps, uninstallSteps } = await import('../../daemon/service-install.ts')
  const root = flags.root === undefined ? '' : resolve(flags.root)
  if (root !== '' && !existsSync(root))
    throw new OperatorError('no-root', `--root ${root}: there is no such directory.`)
  const isManaged = existsSync('/run/systemd/system')
  const steps =
    what === 'install'
      ? installSteps({
          root,
          command: [process.execPath, realpathSync(process.argv[1]!)],
          exampleConfig: EXAMPLE_CONFIG,
          start: flags.start !== false && isManaged,
        })
      : uninstallSteps(root, isManaged)
  const say = (line: string) => process.stdout.write(`${escapeForTerminal(line)}\n`)
  if (flags.dryRun === true) {
    for (const { words } of steps) say(`would: ${words}`)
    return
  }
  if (process.geteuid?.() !== 0) {
    throw new OperatorError(
      'not-root',
      `${what}-service changes the system: run it with sudo (--dry-run only shows the steps).`,
    )
  }
  runSteps(steps, say)
  if (what === 'install' && root === '' && !isManaged) say('systemd does not run here, so nothing was started')
  if (what === 'install' && root === '') say('who may ask the service: sudo usermod -aG tunnelscope NAME')
}
