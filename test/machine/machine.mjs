// A whole machine to install on: Debian's own root (debootstrap), booted by systemd-nspawn with systemd as its first process
// and no network but what it makes itself. The root is kept between runs and never changed; a machine is a copy of it.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const SUITE = 'trixie'
// Debian's nodejs of this suite is new enough for us, so apt's own look at Depends is part of the trial.
const PACKAGES = 'systemd,systemd-sysv,dbus,nodejs,iproute2,libcap2-bin,procps'
const MIRROR = 'http://deb.debian.org/debian'
const BOOT_SECONDS = 60
const END_SECONDS = 15
const PATH = 'PATH=/usr/sbin:/usr/bin:/sbin:/bin'
const NSPAWN_WORDS = [
  ...[
    '--boot',
    '--register=no',
    '--keep-unit',
    '--private-network',
    '--console=pipe',
    '--resolv-conf=off',
    '--timezone=off',
  ],
  // systemd's own IPAddressDeny needs it.
  ...['--capability=CAP_BPF', '--system-call-filter=bpf'],
]

const pause = (millis, value) => new Promise((resolve) => setTimeout(resolve, millis, value))

/** What is missing here; empty when a machine can be made. */
export function missing() {
  if (process.getuid() !== 0) return 'root'
  const programs = ['debootstrap', 'systemd-nspawn', 'nsenter']
  return programs.filter((name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0).join(', ')
}

/** The root below `cache`, made when it is not there (a minute, from Debian's mirror). */
export function debianRoot(cache) {
  const root = join(cache, SUITE)
  if (existsSync(root)) return root
  const fresh = `${root}.new`
  rmSync(fresh, { recursive: true, force: true })
  execFileSync('debootstrap', ['--variant=minbase', `--include=${PACKAGES}`, SUITE, fresh, MIRROR], {
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: 900_000,
  })
  renameSync(fresh, root)
  return root
}

/** A booted copy of `root`. */
export async function bootMachine(root) {
  const folder = mkdtempSync(join(tmpdir(), 'tunnelscope-machine-'))
  const tree = join(folder, 'root')
  execFileSync('cp', ['-a', '--reflink=auto', root, tree])
  writeFileSync(join(tree, 'etc/hostname'), 'machine\n')
  let container
  let ended
  /** The machine's first process as we see it. */
  let leader = 0

  const inside = (words) => ['-t', String(leader), '--all', '--root', '--wdns=/', 'env', '-i', PATH, ...words]

  /** Runs a program in the machine; its status, and what it said on both outputs. */
  function run(...words) {
    const { status, stdout, stderr } = spawnSync('nsenter', inside(words), {
      encoding: 'utf8',
      timeout: 120_000,
      maxBuffer: 2 ** 26,
    })
    return { status, text: `${stdout}${stderr}`.trim() }
  }

  async function boot() {
    const log = openSync(join(folder, 'boot.log'), 'w')
    container = spawn('systemd-nspawn', ['-D', tree, ...NSPAWN_WORDS], {
      stdio: ['ignore', log, log],
      env: { ...process.env, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1' },
    })
    closeSync(log)
    ended = new Promise((resolve) => container.once('close', resolve))
    for (let waited = 0; waited < BOOT_SECONDS * 5; waited++) {
      await pause(200)
      const children = readIfThere(`/proc/${container.pid}/task/${container.pid}/children`)
      leader = Number(children?.split(' ')[0] ?? 0)
      if (container.exitCode !== null) break
      if (leader === 0) continue
      const { text } = run('systemctl', 'is-system-running')
      if (text === 'running' || text === 'degraded') return text
    }
    throw new Error(`the machine did not boot:\n${readFileSync(join(folder, 'boot.log'), 'utf8').slice(-2000)}`)
  }

  async function powerOff() {
    run('systemctl', 'poweroff')
    if ((await Promise.race([ended, pause(END_SECONDS * 1000, 'late')])) === 'late') {
      // The container's processes go with its first one.
      process.kill(leader, 'SIGKILL')
      await ended
    }
  }

  return {
    tree,
    state: await boot(),
    leader: () => leader,
    run,
    /** A program's output; throws when it fails. */
    tell(...words) {
      const { status, text } = run(...words)
      if (status !== 0) throw new Error(`${words.join(' ')} ended with ${status}: ${text}`)
      return text
    },
    /** A program that goes on in the machine until it is killed. */
    start: (...words) => spawn('nsenter', inside(words), { stdio: 'ignore' }),
    /** Switched off and on again; how it came up. */
    async again() {
      await powerOff()
      return boot()
    },
    async end() {
      await powerOff()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function readIfThere(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
