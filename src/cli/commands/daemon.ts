// `daemon`: captures on every interface, says what it finds in a line each, serves it on a socket, until SIGTERM.
import type { Command } from 'commander'
import { DEFAULT_CONFIG, DEFAULT_SOCKET, DEFAULT_STORE, SERVICE_USER, STANDARD_OUTPUT } from '../../constants/paths.ts'
import { type Config, configChanges } from '../../daemon/config.ts'
import type { Daemon, DaemonOptions } from '../../daemon/daemon.ts'
import { createLog, type Log } from '../../daemon/log.ts'
import { OperatorError } from '../../model/operator-error.ts'
import { createStyle } from '../../text/style.ts'
import {
  configFile,
  type DaemonFlags,
  daemonConfig,
  daemonOptions,
  evidenceLimits,
  serviceStart,
} from '../daemon-settings.ts'
import { EXIT_OPERATOR } from '../exit-codes.ts'
import { findingRow } from '../screen/finding-row.ts'
import { localTime } from '../screen/local-time.ts'
import { createRepeatFilter } from '../screen/repeat-filter.ts'
import { collect } from '../service-options.ts'
import { rowWidth, usesColour } from '../terminal.ts'

export function addDaemonCommand(program: Command): void {
  program
    .command('daemon')
    .description('Capture on every interface, analyse, store and serve; findings are printed, a line each.')
    .argument(
      '[expression...]',
      'capture only what this filter accepts (pcap-filter(7); packets start at the IP header)',
    )
    .option(
      '-i, --interface <name>',
      'capture on this interface only (repeatable); "any" is every one, as without it',
      collect,
      [],
    )
    .option('-c, --count <packets>', 'end after so many packets')
    .option('-s, --snapshot-length <bytes>', 'keep at most so many bytes of a packet')
    .option(
      '-w, --write <file>',
      'also write the packets and the network context to this pcapng file ("-" is standard output)',
    )
    .option('--report <file>', 'write the report here (as analyze --json) on SIGUSR1 and at the end')
    .option('--backend <name>', 'where packets come from: ring, or cap (npm cap, drops unknown)')
    .option('-B, --buffer <kib>', 'size of the kernel’s ring in KiB')
    .option('--tunnel <name>', 'this interface is the tunnel (repeatable)', collect, [])
    .option('--physical <name>', 'this interface is a way out of the machine (repeatable)', collect, [])
    .option('--vpn-resolver <address>', 'address of a resolver that belongs to the VPN (repeatable)', collect, [])
    .option('--endpoint <address[:port]>', 'a VPN server: what goes there is the VPN’s own (repeatable)', collect, [])
    .option('--doh <name-or-address>', 'an encrypted resolver besides the well-known ones (repeatable)', collect, [])
    .option('--as-database <file>', 'AS-number database (.mmdb) that tells who runs a resolver')
    .option('--store <file>', `the database of findings (default: ${DEFAULT_STORE})`)
    .option('--socket <path>', `the UNIX socket clients connect to (default: ${DEFAULT_SOCKET})`)
    .option('--listen <address:port>', 'also serve on loopback, with the dashboard: 127.0.0.1:8477 or [::1]:8477')
    .option('--config <file>', `settings; flags win over them (default: ${DEFAULT_CONFIG}, when it is there)`)
    .option('--check-config', 'say whether the settings are right, and end')
    .option('--user <name>', `who root becomes (default: ${SERVICE_USER})`)
    .option('--no-service', 'store and serve nothing')
    .action(runDaemon)
}

async function runDaemon(expression: string[], flags: DaemonFlags): Promise<void> {
  if (flags.checkConfig === true) {
    const file = configFile(flags)
    daemonConfig(flags)
    process.stdout.write(file === undefined ? 'ok: no file, the defaults hold\n' : `ok: ${file}\n`)
    return
  }
  const config = daemonConfig(flags)
  const isPiped = flags.write === STANDARD_OUTPUT
  if (isPiped && process.stdout.isTTY) {
    throw new OperatorError('bad-flag', '-w -: packets are no text for a terminal; pipe them on, or name a file.')
  }
  const log = createLog(config.log.level, process.env.JOURNAL_STREAM !== undefined, writeError)
  const daemon = await daemonOf(flags, expression, printFindings(isPiped ? process.stderr : process.stdout), log)
  const signals = {
    SIGTERM: daemon.stop,
    SIGINT: daemon.stop,
    SIGUSR1: () => void daemon.writeReport(),
    SIGHUP: () => daemon.reload(),
  }
  for (const [name, action] of Object.entries(signals)) process.on(name, action)
  const served = daemon.addresses.length === 0 ? '' : `; listening on ${daemon.addresses.join(', ')}`
  log.tell('info', `watching ${watchedText(daemon.interfaces)}${served}`)
  if (daemon.addresses.some((address) => address.startsWith('http'))) {
    // The way in is not written here: a log has more readers than the socket.
    log.tell('info', `the dashboard: run "tunnelscope dashboard${socketWords(config)}" for an address to open`)
  }
  try {
    const { packets, dropped, isFileCut, isReportLost } = await daemon.ended
    const lost = config.capture.backend === 'cap' ? 'how many were lost is unknown' : `${dropped} dropped by the kernel`
    log.tell('info', `${packets} packets captured, ${lost}`)
    // Told when it happened; who waits for the file must not take it for whole.
    if (isFileCut || isReportLost) process.exitCode = EXIT_OPERATOR
  } finally {
    for (const [name, action] of Object.entries(signals)) process.off(name, action)
  }
}

/**
 * Starts the daemon as the flags and the configuration say. As root, or with CAP_NET_RAW, it starts in a second image of
 * this process, which has no rights: the first call then never returns.
 * @throws OperatorError
 */
export async function daemonOf(
  flags: DaemonFlags,
  expression: readonly string[],
  onFinding: DaemonOptions['onFinding'],
  log: Log,
): Promise<Daemon & { reload(): void }> {
  let config = daemonConfig(flags)
  const { enterService, takeInherited } = await import('../../daemon/privileges.ts')
  const inherited = takeInherited()
  if (inherited === undefined) enterService(serviceStart(config, flags))
  if (inherited?.notice !== undefined) log.tell('warn', inherited.notice)
  const { startDaemon } = await import('../../daemon/daemon.ts')
  const daemon = await startDaemon({
    ...daemonOptions(config, flags, expression, inherited),
    onFinding,
    tell: log.tell,
  })
  return {
    ...daemon,
    reload() {
      daemon.reloading(() => {
        config = reloaded(config, flags, log)
        log.setLevel(config.log.level)
        daemon.setEvidence(evidenceLimits(config))
      })
    },
  }
}

/** The configuration after SIGHUP; a wrong one is told and changes nothing. */
function reloaded(before: Config, flags: DaemonFlags, log: Log): Config {
  try {
    const after = daemonConfig(flags)
    const { live, restart } = configChanges(before, after)
    if (live.length > 0) log.tell('info', `configuration: ${live.join(', ')} changed`)
    if (restart.length > 0)
      log.tell('warn', `configuration: ${restart.join(', ')} changed; takes effect after a restart`)
    if (live.length + restart.length === 0) log.tell('info', 'configuration: nothing changed')
    return after
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error
    log.tell('error', `${error.message} The configuration stays as it was.`)
    return before
  }
}

/** A line for each finding that is new or whose count has doubled. */
function printFindings(output: NodeJS.WriteStream): DaemonOptions['onFinding'] {
  const style = createStyle(usesColour(output))
  const isWorthALine = createRepeatFilter()
  return (finding) => {
    if (!isWorthALine(finding)) return
    output.write(`${findingRow(finding, { columns: rowWidth(output), style, timeText: localTime })}\n`)
  }
}

function writeError(line: string): void {
  process.stderr.write(line)
}

/** What has to be said to find this daemon. */
function socketWords({ api }: Config): string {
  return api.socket === DEFAULT_SOCKET ? '' : ` --socket ${api.socket}`
}

function watchedText(interfaces: Daemon['interfaces']): string {
  const watched = interfaces.filter((one) => one.isWatched).map((one) => `${one.name} (${one.role})`)
  if (watched.length === 0) return 'no interface yet: none is up'
  return `${watched.length} ${watched.length === 1 ? 'interface' : 'interfaces'}: ${watched.join(', ')}`
}
