// `daemon`: captures on every interface, says what it finds in a line each, serves it on a socket, until SIGTERM.
import type { Command } from 'commander'
import { DEFAULT_SOCKET, DEFAULT_STORE } from '../../constants/paths.ts'
import type { Daemon } from '../../daemon/daemon.ts'
import { VERSION } from '../../daemon/version.ts'
import { OperatorError } from '../../model/operator-error.ts'
import { parseAddress } from '../../text/address.ts'
import { escapeForTerminal } from '../../text/escape.ts'
import { createStyle } from '../../text/style.ts'
import { findingRow } from '../screen/finding-row.ts'
import { localTime } from '../screen/local-time.ts'
import { createRepeatFilter } from '../screen/repeat-filter.ts'
import { collect } from '../service-options.ts'
import { outputWidth, usesColour } from '../terminal.ts'

interface DaemonFlags {
  interface: string[]
  count?: string
  snapshotLength?: string
  write?: string
  report?: string
  backend: string
  buffer?: string
  tunnel: string[]
  physical: string[]
  vpnResolver: string[]
  store: string
  socket: string
  service: boolean
}

export function addDaemonCommand(program: Command): void {
  program
    .command('daemon')
    .description('Capture on every interface, analyse, store and serve; findings are printed, a line each.')
    .argument(
      '[expression...]',
      'capture only what this filter accepts (pcap-filter(7); packets start at the IP header)',
    )
    .option('-i, --interface <name>', 'capture on this interface only (repeatable)', collect, [])
    .option('-c, --count <packets>', 'end after so many packets')
    .option('-s, --snapshot-length <bytes>', 'keep at most so many bytes of a packet')
    .option('-w, --write <file>', 'also write the packets and the network context to this pcapng file')
    .option('--report <file>', 'write the report here (as analyze --json) on SIGUSR1 and at the end')
    .option('--backend <name>', 'where packets come from: ring', 'ring')
    .option('-B, --buffer <kib>', 'size of the kernel’s ring in KiB')
    .option('--tunnel <name>', 'this interface is the tunnel (repeatable)', collect, [])
    .option('--physical <name>', 'this interface is a way out of the machine (repeatable)', collect, [])
    .option('--vpn-resolver <address>', 'address of a resolver that belongs to the VPN (repeatable)', collect, [])
    .option('--store <file>', 'the database of findings', DEFAULT_STORE)
    .option('--socket <path>', 'the UNIX socket clients connect to', DEFAULT_SOCKET)
    .option('--no-service', 'store and serve nothing')
    .action(runDaemon)
}

async function runDaemon(expression: string[], flags: DaemonFlags): Promise<void> {
  const daemon = await daemonOf(flags, expression, printFindings())
  const signals = { SIGTERM: daemon.stop, SIGINT: daemon.stop, SIGUSR1: () => void daemon.writeReport() }
  for (const [name, action] of Object.entries(signals)) process.on(name, action)
  const served = daemon.addresses.length === 0 ? '' : `; listening on ${daemon.addresses.join(', ')}`
  tell('info', `watching ${watchedText(daemon.interfaces)}${served}`)
  try {
    const { packets, dropped } = await daemon.ended
    tell('info', `${packets} packets captured, ${dropped} dropped by the kernel`)
  } finally {
    for (const [name, action] of Object.entries(signals)) process.off(name, action)
  }
}

/** Starts the daemon as the flags say. @throws OperatorError */
export async function daemonOf(
  flags: DaemonFlags,
  expression: readonly string[],
  onFinding: Parameters<typeof import('../../daemon/daemon.ts').startDaemon>[0]['onFinding'],
): Promise<Daemon> {
  checkBackend(flags.backend)
  const packetCount = countFlag('-c', flags.count)
  const snapLen = countFlag('-s', flags.snapshotLength)
  const bufferKib = countFlag('-B', flags.buffer)
  const { startDaemon } = await import('../../daemon/daemon.ts')
  return startDaemon({
    capture: {
      version: VERSION,
      tunnels: flags.tunnel,
      physicals: flags.physical,
      vpnResolvers: flags.vpnResolver.map(addressFlag),
      ...(flags.interface.length === 0 ? {} : { interfaces: flags.interface }),
      ...(expression.length === 0 ? {} : { expression: expression.join(' ') }),
      ...(packetCount === undefined ? {} : { packetCount }),
      ...(snapLen === undefined ? {} : { snapLen }),
      ...(bufferKib === undefined ? {} : { ringLen: bufferKib * 1024 }),
      ...(flags.write === undefined ? {} : { writePath: flags.write }),
    },
    ...(flags.service ? { service: { storePath: flags.store, socketPath: flags.socket } } : {}),
    ...(flags.report === undefined ? {} : { reportPath: flags.report }),
    onFinding,
    tell,
  })
}

/** A line for each finding that is new or whose count has doubled. */
function printFindings(): Parameters<typeof daemonOf>[2] {
  const style = createStyle(usesColour(process.stdout))
  const isWorthALine = createRepeatFilter()
  return (finding) => {
    if (!isWorthALine(finding)) return
    const columns = process.stdout.isTTY ? outputWidth() : Number.POSITIVE_INFINITY
    process.stdout.write(`${findingRow(finding, { columns, style, timeText: localTime })}\n`)
  }
}

function tell(level: 'info' | 'warn' | 'error', message: string): void {
  const word = level === 'info' ? '' : level === 'warn' ? 'warning: ' : 'error: '
  process.stderr.write(`tunnelscope: ${word}${escapeForTerminal(message)}\n`)
}

function watchedText(interfaces: Daemon['interfaces']): string {
  const watched = interfaces.filter((one) => one.isWatched).map((one) => `${one.name} (${one.role})`)
  return `${watched.length} ${watched.length === 1 ? 'interface' : 'interfaces'}: ${watched.join(', ')}`
}

function checkBackend(name: string): void {
  if (name === 'ring') return
  if (name === 'cap') {
    throw new OperatorError('no-backend', '--backend cap is for systems without our ring and not there yet; use ring.')
  }
  throw new OperatorError('no-backend', `--backend ${name}: no such backend; use ring.`)
}

function countFlag(flag: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  const count = Number(value)
  if (/^\d+$/.test(value) && count > 0 && count <= 0x7fff_ffff) return count
  throw new OperatorError('bad-number', `${flag} ${value}: give a whole number from 1 to 2147483647.`)
}

function addressFlag(value: string): string {
  if (parseAddress(value) !== undefined) return value
  throw new OperatorError('bad-address', `--vpn-resolver ${value}: not an IP address; give one like 10.64.0.1.`)
}
