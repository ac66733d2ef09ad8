// The one loader of the native addon and its checked face: what the system refuses becomes a sentence with its remedy.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { endianness } from 'node:os'
import { fileURLToPath } from 'node:url'
import { OperatorError } from '../model/operator-error.ts'

/** Counted since the ring was opened. `dropped` packets are part of `received`. */
export interface RingStatistics {
  received: number
  dropped: number
  /** Times the ring was full. */
  freezes: number
}

export interface RingOptions {
  ringLen: number
  /** A multiple of the page size; a frame longer than a block is cut by the kernel. */
  blockLen: number
  blockTimeoutMillis: number
  /** Encoded instructions (filter.ts); empty = every packet. */
  filter: Uint8Array
  /** Nobody can change the filter afterwards, not even we. */
  lockFilter: boolean
  /** A packet socket that was opened while that was allowed; it belongs to the ring from now on. Absent = open one. */
  socket?: number
}

/** The kernel's ring. `memory` is detached (length 0) by close(); it is not to be kept. */
export interface NativeRing {
  readonly memory: ArrayBuffer
  readonly blockLen: number
  /** Less than asked for when memory was short. */
  readonly blockCount: number
  /** Asks for one call of the callback as soon as a block is ready. */
  arm(): void
  statistics(): RingStatistics
  close(): void
}

/** Whole netlink messages and when they were read (microseconds since 1970); `snapshot` = forget what was known. */
export type NetMessages = [timeMicros: number, snapshot: boolean, data: Uint8Array]

export interface NativeNetWatch {
  /**
   * Everything the kernel has told since the last call, in its order. A dump that is due or under way is waited for with
   * `wait`; otherwise what it brings comes with a later call.
   */
  take(wait: boolean): NetMessages[]
  /** Asks for a snapshot, which also comes by itself when events were lost. */
  requestDump(): void
  close(): void
}

/** Who the process becomes; without `uid` the user stays. */
export interface ServiceIdentity {
  readonly uid?: number
  readonly gid?: number
  readonly groups?: readonly number[]
  /** CAP_NET_RAW stays, in every thread. */
  readonly keepNetRaw: boolean
}

/** One interface, by which everything leaves (SO_BINDTODEVICE). */
export interface BoundSocketOptions {
  /** TCP, otherwise UDP. */
  readonly stream: boolean
  readonly ipv6: boolean
  readonly interfaceName: string
}

/** Not connected, never blocking; the caller closes `fd`. The local port is chosen before anything is sent. */
export interface BoundSocket {
  readonly fd: number
  readonly port: number
}

export interface Addon {
  readonly PacketRing: new (options: RingOptions, onReadable: () => void) => NativeRing
  readonly NetWatch: new (onMessages: () => void) => NativeNetWatch
  readonly layout: Readonly<Record<string, number>>
  /** Descriptor of an unbound packet socket that outlives exec. */
  openPacketSocket(): number
  /** Descriptor, for writing, that outlives exec; the identity's user owns a file that is new or root's. */
  openFileForService(path: string, identity: ServiceIdentity): number
  /** Gives up all rights and runs `program` in place of this process; returns only by throwing. */
  becomeService(identity: ServiceIdentity, program: string, words: readonly string[], env: readonly string[]): void
  /** sd_notify(3); 0 or an errno. */
  notifyService(path: string, message: string): number
  openBoundSocket(options: BoundSocketOptions): BoundSocket
  compileFilter(expression: string, linkType: number): { program?: Uint8Array; error?: string; missing?: boolean }
}

/** What was built here wins over what the package brought. */
const PLACES = [
  '../../native/build/Release/tunnelscope.node',
  `../../native/prebuilds/${process.platform}-${process.arch}/tunnelscope.node`,
]

const EPERM = 1
const ENOMEM = 12
const EACCES = 13
const ENODEV = 19

let loaded: Addon | undefined

/**
 * Opens the ring on all interfaces. `onReadable` is called once after each arm().
 * @throws OperatorError `capture-right`, `capture-memory`, `capture-filter`, `capture-refused`, `addon-missing`
 */
export function openPacketRing(options: RingOptions, onReadable: () => void): NativeRing {
  const addon = loadAddon()
  try {
    return new addon.PacketRing(options, onReadable)
  } catch (error) {
    throw captureRefused(error)
  }
}

/**
 * Opens the watch on links, addresses, routes and rules; the first take() gives a snapshot.
 * @throws OperatorError `network-watch`, `addon-missing`
 */
export function openNetWatch(onMessages: () => void): NativeNetWatch {
  const addon = loadAddon()
  try {
    return new addon.NetWatch(onMessages)
  } catch (error) {
    const { step, errno } = systemFault(error)
    throw new OperatorError('network-watch', `the kernel does not tell about the network (${step}, errno ${errno})`)
  }
}

/** DLT_RAW: packets start at the IP header, as a cooked socket shows them. */
const DLT_RAW = 12

/**
 * Compiles an expression of tcpdump's filter language, for raw IP packets unless another DLT_* is given; returns encoded
 * instructions.
 * @throws OperatorError `filter-syntax`, `filter-library`, `addon-missing`
 */
export function compileFilterExpression(expression: string, linkType = DLT_RAW): Uint8Array {
  const result = loadAddon().compileFilter(expression, linkType)
  if (result.missing === true) {
    throw new OperatorError(
      'filter-library',
      'a capture filter needs libpcap and this system has none: install libpcap0.8 (Debian, Ubuntu) or libpcap, or leave the filter out',
    )
  }
  if (result.program === undefined) {
    const hint = linkType === DLT_RAW ? ' (packets start at the IP header)' : ''
    throw new OperatorError('filter-syntax', `filter "${expression}": ${result.error}${hint}`)
  }
  return result.program
}

/**
 * A socket that uses one interface only, whatever the routes say.
 * @throws OperatorError `bind-right`, `bind-refused`, `addon-missing`
 */
export function openBoundSocket(options: BoundSocketOptions): BoundSocket {
  const addon = loadAddon()
  try {
    return addon.openBoundSocket(options)
  } catch (error) {
    const { step, errno } = systemFault(error)
    const { interfaceName } = options
    if (errno === EPERM) {
      throw new OperatorError('bind-right', `binding to ${interfaceName} needs CAP_NET_RAW: run with sudo`)
    }
    const reason = errno === ENODEV ? 'there is no such interface' : `${step}, errno ${errno}`
    throw new OperatorError('bind-refused', `no socket can be bound to ${interfaceName} (${reason})`)
  }
}

/** Offsets of the kernel's structures as the addon was compiled with; for the layout test. */
export function nativeLayout(): Readonly<Record<string, number>> {
  return loadAddon().layout
}

/** @throws OperatorError `addon-missing` when this machine has no addon. */
export function loadAddon(): Addon {
  if (loaded !== undefined) return loaded
  if (process.platform !== 'linux') {
    throw new OperatorError('addon-missing', 'the kernel ring is for Linux; capture with --backend cap here')
  }
  if (endianness() !== 'LE') {
    throw new OperatorError('addon-missing', 'live capture supports little-endian machines only')
  }
  const paths = PLACES.map((place) => fileURLToPath(new URL(place, import.meta.url)))
  const path = paths.find((candidate) => existsSync(candidate))
  if (path === undefined) {
    throw new OperatorError(
      'addon-missing',
      'the live capture addon is not built: install a C++ compiler, make and python3, then run: npm run build:native',
    )
  }
  try {
    loaded = createRequire(import.meta.url)(path) as Addon
  } catch (error) {
    const reason = String((error as { message?: unknown }).message ?? error)
    throw new OperatorError('addon-missing', `${path} cannot be loaded (${reason}); run: npm run build:native`)
  }
  return loaded
}

export function captureRefused(error: unknown): OperatorError {
  const { step, errno } = systemFault(error)
  if (errno === EPERM || errno === EACCES) {
    return new OperatorError(
      'capture-right',
      'capturing needs CAP_NET_RAW: run with sudo, or install the service (sudo tunnelscope install-service)',
    )
  }
  if (errno === ENOMEM) {
    return new OperatorError(
      'capture-memory',
      'the kernel has no memory for even the smallest ring; free some and start again',
    )
  }
  if (step === 'SO_ATTACH_FILTER') {
    return new OperatorError(
      'capture-filter',
      `the kernel refuses the capture filter (errno ${errno}): make it shorter`,
    )
  }
  return new OperatorError('capture-refused', `the kernel refuses the packet ring (${step}, errno ${errno})`)
}

/** Exceptions from native code are recognised by their fields: `instanceof Error` fails across module realms. */
function systemFault(error: unknown): { step: string; errno: number } {
  const { step, errno } = error as { step?: string; errno?: number }
  if (step === undefined || errno === undefined) throw error
  return { step, errno }
}
