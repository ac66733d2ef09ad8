// The daemon's settings: flags over the configuration file over the defaults, and what of it has to be opened or made
// before the rights are dropped.
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { DEFAULT_CONFIG, STANDARD_OUTPUT } from '../constants/paths.ts'
import {
  type Config,
  defaultConfig,
  evidenceDirectory,
  isLoopback,
  listenAddress,
  MAX_RING_MIB,
  MAX_SNAP_LEN,
  readConfig,
  tokenFile,
} from '../daemon/config.ts'
import type { DaemonOptions } from '../daemon/daemon.ts'
import type { EvidenceLimits } from '../daemon/evidence.ts'
import { type Inherited, inheritedPath, type ServiceStart } from '../daemon/privileges.ts'
import { VERSION } from '../daemon/version.ts'
import { OperatorError } from '../model/operator-error.ts'
import { addressFlag, dohFlag, endpointFlag } from './network-flags.ts'

export interface DaemonFlags {
  config?: string
  checkConfig?: boolean
  user?: string
  interface: string[]
  count?: string
  snapshotLength?: string
  write?: string
  report?: string
  backend?: string
  buffer?: string
  tunnel: string[]
  physical: string[]
  vpnResolver: string[]
  endpoint: string[]
  doh: string[]
  asDatabase?: string
  store?: string
  socket?: string
  listen?: string
  service: boolean
}

/** The file in use; undefined when there is none. */
export function configFile(flags: DaemonFlags): string | undefined {
  return flags.config ?? (existsSync(DEFAULT_CONFIG) ? DEFAULT_CONFIG : undefined)
}

/**
 * The file's settings, overridden by the flags.
 * @throws OperatorError of readConfig, and `bad-flag`, `bad-address`, `bad-resolver`, `no-backend`
 */
export function daemonConfig(flags: DaemonFlags): Config {
  checkPaths(flags)
  const file = configFile(flags)
  const config = file === undefined ? defaultConfig() : readConfig(file)
  const { capture, network, store, api } = config
  return {
    ...config,
    user: flags.user ?? config.user,
    capture: {
      ...capture,
      backend: backendFlag(flags.backend) ?? capture.backend,
      interfaces: chosenInterfaces(flags.interface, capture.interfaces),
    },
    network: {
      ...network,
      tunnel: [...network.tunnel, ...flags.tunnel],
      physical: [...network.physical, ...flags.physical],
      'vpn-resolvers': [
        ...network['vpn-resolvers'],
        ...flags.vpnResolver.map((value) => addressFlag('--vpn-resolver', value)),
      ],
      endpoints: [...network.endpoints, ...flags.endpoint.map(endpointFlag)],
      doh: [...network.doh, ...flags.doh.map(dohFlag)],
      'as-database': flags.asDatabase ?? network['as-database'],
    },
    store: { ...store, path: flags.store ?? store.path },
    evidence: { ...config.evidence, directory: evidenceDirectory(config, flags.store) },
    api: {
      socket: flags.socket ?? api.socket,
      listen: listenFlag(flags.listen) ?? api.listen,
      'token-file': tokenFile(config, flags.store),
    },
  }
}

/** `any` is tcpdump's word for every interface, which we watch unless told otherwise. */
function chosenInterfaces(flags: string[], configured: string[]): string[] {
  if (flags.includes('any')) return []
  return flags.length === 0 ? configured : flags
}

/** What is opened and made before the rights go. */
export function serviceStart(config: Config, flags: DaemonFlags): ServiceStart {
  const { store, api, events, evidence } = config
  const service = [
    dirname(store.path),
    dirname(api.socket),
    ...(api.listen === undefined ? [] : [dirname(api['token-file'])]),
    ...(evidence.enabled ? [evidence.directory] : []),
  ]
  return {
    user: config.user,
    keepNetRaw: config.capture.backend === 'cap',
    directories: [...(flags.service ? service : []), ...(events.file === undefined ? [] : [dirname(events.file)])],
    files: [flags.write === STANDARD_OUTPUT ? undefined : flags.write, flags.report].filter(
      (path) => path !== undefined,
    ),
  }
}

/** Everything the daemon is started with but its handlers. @throws OperatorError `bad-number` */
export function daemonOptions(
  config: Config,
  flags: DaemonFlags,
  expression: readonly string[],
  inherited: Inherited | undefined,
): Omit<DaemonOptions, 'onFinding' | 'tell'> {
  const packetCount = countFlag('-c', flags.count, 1, 0x7fff_ffff)
  // As tcpdump has it, 0 is all of a packet.
  const snapLen = countFlag('-s', flags.snapshotLength, 0, MAX_SNAP_LEN) ?? config.capture.snaplen
  const bufferKib = countFlag('-B', flags.buffer, 1024, MAX_RING_MIB * 1024) ?? config.capture['ring-mib'] * 1024
  const filter = expression.length === 0 ? config.capture.filter : expression.join(' ')
  const { capture, network, store, api } = config
  return {
    capture: {
      version: VERSION,
      backend: capture.backend,
      tunnels: network.tunnel,
      physicals: network.physical,
      vpnResolvers: network['vpn-resolvers'],
      endpoints: network.endpoints,
      encryptedResolvers: network.doh,
      ...(network['as-database'] === undefined ? {} : { asDatabase: network['as-database'] }),
      ringLen: bufferKib * 1024,
      ...(capture.interfaces.length === 0 ? {} : { interfaces: capture.interfaces }),
      ...(filter === '' ? {} : { expression: filter }),
      ...(packetCount === undefined ? {} : { packetCount }),
      ...(snapLen === 0 ? {} : { snapLen }),
      ...(flags.write === undefined
        ? {}
        : {
            writePath: inheritedPath(inherited, flags.write),
            writeName: flags.write === STANDARD_OUTPUT ? 'standard output' : flags.write,
          }),
      ...(flags.service && config.evidence.enabled
        ? {
            evidence: {
              directory: config.evidence.directory,
              memoryLen: config.evidence['memory-mib'] * 2 ** 20,
              ...evidenceLimits(config),
            },
          }
        : {}),
      ...(inherited?.socket === undefined ? {} : { socket: inherited.socket }),
    },
    ...(flags.service && {
      service: {
        storePath: store.path,
        socketPath: api.socket,
        retention: {
          maxAgeMicros: store['max-age-days'] * 86_400_000_000,
          maxBytes: store['max-size-mb'] * 1_000_000,
        },
        ...(api.listen !== undefined && {
          loopback: { ...listenAddress(api.listen), tokenPath: api['token-file'] },
        }),
      },
    }),
    ...(config.events.file === undefined ? {} : { eventLogPath: config.events.file }),
    ...(flags.report === undefined
      ? {}
      : { reportPath: inheritedPath(inherited, flags.report), reportName: flags.report }),
  }
}

/** The part of the evidence's settings that a reload may change. */
export function evidenceLimits({ evidence }: Config): EvidenceLimits {
  return {
    seconds: evidence.seconds,
    blank: evidence.blank,
    maxAgeMicros: evidence['max-age-days'] * 86_400_000_000,
    maxBytes: evidence['max-size-mb'] * 1_000_000,
  }
}

function backendFlag(name: string | undefined): 'ring' | 'cap' | undefined {
  if (name === undefined || name === 'ring' || name === 'cap') return name
  throw new OperatorError('no-backend', `--backend ${name}: no such backend; use ring or cap.`)
}

function listenFlag(value: string | undefined): string | undefined {
  if (value === undefined || isLoopback(value)) return value
  throw new OperatorError('bad-flag', `--listen ${value}: give 127.0.0.1:PORT or [::1]:PORT, such as 127.0.0.1:8477.`)
}

function countFlag(flag: string, value: string | undefined, least: number, most: number): number | undefined {
  if (value === undefined) return undefined
  const count = Number(value)
  if (/^\d+$/.test(value) && count >= least && count <= most) return count
  throw new OperatorError('bad-number', `${flag} ${value}: give a whole number from ${least} to ${most}.`)
}

/** A path of nothing would mean the working directory. */
function checkPaths(flags: DaemonFlags): void {
  for (const name of ['config', 'write', 'report', 'asDatabase', 'store', 'socket'] as const) {
    if (flags[name] !== '') continue
    const flag = name === 'asDatabase' ? 'as-database' : name
    throw new OperatorError('bad-flag', `--${flag} is empty: name a file.`)
  }
}
