// `start` (npm start): the daemon and its tail in one terminal; without the right to capture, the bundled capture.
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { DEFAULT_SOCKET, DEFAULT_STORE } from '../../constants/paths.ts'
import { createLog } from '../../daemon/log.ts'
import { isSecondImage } from '../../daemon/privileges.ts'
import { runAnalyze } from './analyze.ts'
import { daemonOf } from './daemon.ts'
import { runTail } from './tail.ts'

const EXAMPLE = fileURLToPath(new URL('../../../examples/leak.pcapng', import.meta.url))

export function addStartCommand(program: Command): void {
  program
    .command('start', { hidden: true })
    .description('The daemon and its tail in one terminal; without root, what a bundled capture shows.')
    .option('--store <file>', 'the database of findings', DEFAULT_STORE)
    .option('--socket <path>', 'the UNIX socket clients connect to', DEFAULT_SOCKET)
    .action(runStart)
}

async function runStart(flags: { store: string; socket: string }): Promise<void> {
  if (process.getuid?.() !== 0 && !isSecondImage()) {
    process.stderr.write(
      'Watching this machine needs root (sudo npm start); meanwhile, what a bundled capture shows:\n\n',
    )
    return runAnalyze([EXAMPLE], { read: [], tunnel: [], physical: [], vpnResolver: [], doh: [] })
  }
  const network = { tunnel: [], physical: [], vpnResolver: [], endpoint: [], doh: [] }
  const everything = { interface: [], ...network, service: true }
  const daemon = await daemonOf(
    { ...everything, ...flags },
    [],
    () => {},
    createLog('warn', false, (line) => process.stderr.write(line)),
  )
  const tail = runTail({ socket: flags.socket, interface: [], finding: [], since: '10m' })
  try {
    await Promise.race([tail, daemon.ended])
  } finally {
    daemon.stop()
    await daemon.ended
  }
}
