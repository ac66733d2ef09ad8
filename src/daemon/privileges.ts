// Giving up rights. The packet socket and the operator's files are opened first; then the process becomes a fresh image of
// itself (execve) that is another user without any capability, so that no thread, ours or Node's, has ever had one.
import { lchownSync, lstatSync, mkdirSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { getSystemErrorMap } from 'node:util'
import { captureRefused, loadAddon, type ServiceIdentity } from '../capture/native-addon.ts'
import { SERVICE_USER } from '../constants/paths.ts'
import { OperatorError } from '../model/operator-error.ts'

/** The environment's word by which the first image hands its descriptors to the second. */
const INHERITED = 'TUNNELSCOPE_INHERITED'
const CAP_NET_RAW = 13n
const ROOT_NOTICE = `there is no user "${SERVICE_USER}", so this stays root, without any capability; sudo tunnelscope install-service makes the user`
const OUR_DIRECTORIES = ['/var/lib/tunnelscope', '/run/tunnelscope', '/var/log/tunnelscope']

/** What the image before us opened for us. */
export interface Inherited {
  /** An unbound packet socket; absent for a backend that opens its own. */
  readonly socket?: number
  /** Descriptors of files, by the path the operator gave. */
  readonly files: Readonly<Record<string, number>>
  /** One line for the operator about who we are now. */
  readonly notice?: string
}

export interface ServiceStart {
  /** Who root becomes. The service's own user need not be there yet; any other must. */
  readonly user: string
  /** The backend opens packet sockets later, in children: CAP_NET_RAW stays. */
  readonly keepNetRaw: boolean
  /** Made when missing, and then the user's. */
  readonly directories: readonly string[]
  /** Files that the operator named and perhaps only root may write. */
  readonly files: readonly string[]
}

/** Rights of one thread as /proc tells them; capability sets as bit masks. */
export interface ThreadRights {
  readonly tid: number
  readonly name: string
  readonly uids: readonly number[]
  readonly gids: readonly number[]
  readonly groups: readonly number[]
  readonly permitted: bigint
  readonly effective: bigint
  readonly inheritable: bigint
  readonly ambient: bigint
  readonly bounding: bigint
  readonly noNewPrivileges: boolean
}

/** True in the image that has given up its rights, until takeInherited(). */
export function isSecondImage(): boolean {
  return process.env[INHERITED] !== undefined
}

/** What was handed to this image; undefined in the first one. Taken once: children do not see it. */
export function takeInherited(): Inherited | undefined {
  const text = process.env[INHERITED]
  if (text === undefined) return undefined
  delete process.env[INHERITED]
  return JSON.parse(text) as Inherited
}

/**
 * Opens what needs rights and gives them up: the program starts again in this process and finds takeInherited().
 * Returns only when there is nothing to give up; opening the ring then says what is missing.
 * @throws OperatorError `capture-right`, `no-such-user`, `code-unreadable`, `file-unusable`, `privileges`
 */
export function enterService(start: ServiceStart): void {
  if (process.platform !== 'linux') return
  const isRoot = process.geteuid?.() === 0
  if (!isRoot && ((ownRights().effective >> CAP_NET_RAW) & 1n) === 0n) return
  const addon = loadAddon()
  const account = isRoot ? findAccount(start.user) : undefined
  if (isRoot && account === undefined && start.user !== SERVICE_USER) {
    throw new OperatorError(
      'no-such-user',
      `There is no user "${start.user}" on this machine: name one that is there with --user, or in the settings.`,
    )
  }
  const identity: ServiceIdentity = {
    ...(account !== undefined && { uid: account.uid, gid: account.gid, groups: account.groups }),
    keepNetRaw: start.keepNetRaw,
  }
  if (account !== undefined) {
    for (const file of [process.execPath, process.argv[1]!]) checkReadable(file, account, start.user)
    for (const directory of start.directories) giveDirectory(directory, account)
  }
  const files: Record<string, number> = {}
  for (const file of start.files) {
    const path = resolve(file)
    try {
      files[file] = addon.openFileForService(path, identity)
    } catch (error) {
      throw new OperatorError(
        'file-unusable',
        `${path} cannot be written: ${errnoText(error)}; name a file that can be.`,
      )
    }
  }
  const inherited: Inherited = {
    ...(start.keepNetRaw ? {} : { socket: packetSocket(addon) }),
    files,
    ...(isRoot && account === undefined && { notice: ROOT_NOTICE }),
  }
  const environment = { ...process.env, [INHERITED]: JSON.stringify(inherited) }
  try {
    addon.becomeService(
      identity,
      process.execPath,
      [process.execPath, ...process.execArgv, ...process.argv.slice(1)],
      Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    )
  } catch (error) {
    const { step } = error as { step?: string }
    throw new OperatorError('privileges', `The rights cannot be given up (${step}, errno ${errnoOf(error)}).`)
  }
}

/** The path under which an inherited file can be opened again; any other path as it is. */
export function inheritedPath(inherited: Inherited | undefined, path: string): string {
  const descriptor = inherited?.files[path]
  return descriptor === undefined ? path : `/proc/self/fd/${descriptor}`
}

/** Rights of every thread of a process. Threads that end meanwhile are left out. */
export function threadRights(pid: number | 'self' = 'self'): ThreadRights[] {
  const folder = `/proc/${pid}/task`
  return readdirSync(folder).flatMap((tid) => {
    try {
      return [parseThread(Number(tid), readFileSync(join(folder, tid, 'status'), 'utf8'))]
    } catch {
      return []
    }
  })
}

/** One line per thread that has more than it should; empty when the drop is whole. */
export function excessRights(threads: readonly ThreadRights[], mayCapture: boolean): string[] {
  const allowed = mayCapture ? 1n << CAP_NET_RAW : 0n
  return threads
    .filter((one) => ((one.permitted | one.effective | one.ambient) & ~allowed) !== 0n || !one.noNewPrivileges)
    .map((one) => `thread ${one.tid} (${one.name}) has capabilities ${one.permitted.toString(16)}`)
}

/** Who root becomes by /etc/passwd and /etc/group; undefined when there is no such user. */
export interface Account {
  readonly uid: number
  readonly gid: number
  readonly groups: readonly number[]
}

export function findAccount(user: string, root = ''): Account | undefined {
  const entry = linesOf(`${root}/etc/passwd`).find((fields) => fields[0] === user)
  if (entry === undefined) return undefined
  const gid = Number(entry[3])
  const others = linesOf(`${root}/etc/group`)
    .filter((fields) => (fields[3] ?? '').split(',').includes(user))
    .map((fields) => Number(fields[2]))
  return { uid: Number(entry[2]), gid, groups: [...new Set([gid, ...others])] }
}

function linesOf(file: string): string[][] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(':'))
  } catch {
    return []
  }
}

function packetSocket(addon: ReturnType<typeof loadAddon>): number {
  try {
    return addon.openPacketSocket()
  } catch (error) {
    throw captureRefused(error)
  }
}

/** Code that the service cannot read would end the second image without a word that helps. */
function checkReadable(file: string, account: Account, user: string): void {
  const path = realpathSync(file)
  for (let at = path, needed = 4; ; at = dirname(at), needed = 1) {
    const { mode, uid, gid } = statSync(at)
    const shift = uid === account.uid ? 6 : account.groups.includes(gid) ? 3 : 0
    if (((mode >> shift) & needed) === 0) {
      throw new OperatorError(
        'code-unreadable',
        `The user ${user} cannot read ${path} (${at} is closed to it): install tunnelscope below /usr or /opt, or give --user NAME.`,
      )
    }
    if (at === dirname(at)) return
  }
}

/** Makes a directory for the service. One that was there is given only when it is ours by its name, with what root left in it. */
function giveDirectory(directory: string, account: Account): void {
  const made = mkdirSync(directory, { recursive: true, mode: 0o750 })
  if (made !== undefined) {
    for (let at = directory; at.length >= made.length; at = dirname(at)) give(at, account)
    return
  }
  if (!OUR_DIRECTORIES.some((ours) => directory === ours || directory.startsWith(`${ours}/`))) return
  give(directory, account)
  for (const name of readdirSync(directory)) give(join(directory, name), account)
}

/** Links themselves are given, never what they lead to; what somebody else owns stays theirs. */
function give(path: string, { uid, gid }: Account): void {
  if (lstatSync(path).uid === 0) lchownSync(path, uid, gid)
}

function ownRights(): ThreadRights {
  return parseThread(process.pid, readFileSync('/proc/self/status', 'utf8'))
}

/** One status file of /proc/PID/task/TID (proc_pid_status(5)). */
export function parseThread(tid: number, text: string): ThreadRights {
  const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(text)?.[1]?.trim() ?? ''
  const numbers = (name: string) => field(name).split(/\s+/).filter(Boolean).map(Number)
  const mask = (name: string) => BigInt(`0x${field(name) || '0'}`)
  return {
    tid,
    name: field('Name'),
    uids: numbers('Uid'),
    gids: numbers('Gid'),
    groups: numbers('Groups'),
    permitted: mask('CapPrm'),
    effective: mask('CapEff'),
    inheritable: mask('CapInh'),
    ambient: mask('CapAmb'),
    bounding: mask('CapBnd'),
    noNewPrivileges: field('NoNewPrivs') === '1',
  }
}

/** What the addon's error number means. */
function errnoText(error: unknown): string {
  const { errno } = error as { errno?: number }
  return (errno !== undefined && getSystemErrorMap().get(-errno)?.[1]) || String(errno ?? error)
}

function errnoOf(error: unknown): string {
  return String((error as { errno?: number }).errno ?? error)
}
