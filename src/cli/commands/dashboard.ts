// `dashboard`: the address of the daemon's page with a code in it that works once. It is printed rather than opened: who starts
// a browser puts the code on a command line, and everybody on the machine can read those.
import type { Command } from 'commander'
import { type AddressFlags, addAddressOptions, serviceAddress } from '../service-options.ts'

export function addDashboardCommand(program: Command): void {
  const command = program
    .command('dashboard')
    .description('Print the address of the daemon’s page, good for one browser within five minutes.')
  addAddressOptions(command).action(runDashboard)
}

async function runDashboard(flags: AddressFlags): Promise<void> {
  const { createClient } = await import('../../api/client.ts')
  const url = await createClient(serviceAddress(flags)).browserUrl()
  process.stdout.write(`${url}\n`)
  if (!process.stdout.isTTY) return
  process.stderr.write('Open it in a browser on this machine: it works once, within five minutes.\n')
}
