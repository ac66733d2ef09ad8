// Rights are really gone: a process of its own gives them up and is looked at thread by thread, from inside and outside.
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SERVICE_USER } from '../../src/constants/paths.ts'
import { excessRights, findAccount, parseThread, threadRights } from '../../src/daemon/privileges.ts'
import { hasAddon } from '../native/namespace.ts'
import { sayNotRun } from '../support/not-run.ts'

const loader = new URL('../native/register-typescript.mjs', import.meta.url).href
const program = fileURLToPath(new URL('./programs/drop.ts', import.meta.url))
const isRoot = process.geteuid?.() === 0 && hasAddon

interface Thread {
  tid: number
  name: string
  uids: number[]
  gids: number[]
  groups: number[]
  permitted: string
  effective: string
  inheritable: string
  ambient: string
  bounding: string
  noNewPrivileges: boolean
}

interface Told {
  refused?: string
  sentence?: string
  isSecondImage: boolean
  notice?: string
  leftInEnvironment?: string
  threads: Thread[]
  received: number
  again: string
  readable: string[]
  writable: string[]
}

/** Runs the program; `prefix` is a command that starts it as somebody else. */
function drop(start: Record<string, unknown>, prefix: string[] = []): Promise<{ told: Told; pid: number }> {
  const whole = { user: 'nobody', keepNetRaw: false, directories: [], files: [], read: [], write: [], ...start }
  const words = [...prefix, process.execPath, '--import', loader, program, JSON.stringify(whole)]
  return new Promise((resolve, reject) => {
    const child = spawn(words[0]!, words.slice(1), { stdio: ['ignore', 'pipe', 'inherit'], timeout: 30_000 })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      // The ring is open: something it can see.
      if (text.includes('ready')) execFileSync('ping', ['-c', '1', '-W', '1', '127.0.0.1'], { stdio: 'ignore' })
      output += text
    })
    child.once('close', () => {
      try {
        resolve({ told: JSON.parse(output.trim().split('\n').at(-1)!), pid: child.pid! })
      } catch (error) {
        reject(error as Error)
      }
    })
  })
}

function printThreads(title: string, threads: readonly Thread[]): void {
  const rows = threads.map(
    ({ tid, name, uids, permitted, effective, ambient, noNewPrivileges }) =>
      `${String(tid).padStart(7)} ${name.padEnd(16)} uid ${uids.join(',')} CapPrm ${permitted} CapEff ${effective} CapAmb ${ambient} NoNewPrivs ${noNewPrivileges ? 1 : 0}`,
  )
  console.log([title, ...rows].join('\n'))
}

describe('what /proc tells of a thread', () => {
  const status = (permitted: string, noNewPrivileges: 0 | 1) =>
    parseThread(
      7,
      `Name:\tnode\nUid:\t9\t9\t9\t9\nGid:\t9\t9\t9\t9\nGroups:\t9 10\nCapPrm:\t${permitted}\nCapEff:\t${permitted}\nNoNewPrivs:\t${noNewPrivileges}\n`,
    )

  test('is read field by field', () => {
    expect(status('0000000000002000', 1)).toMatchObject({
      tid: 7,
      name: 'node',
      groups: [9, 10],
      permitted: 0x2000n,
      ambient: 0n,
    })
  })

  test('too much is told, thread by thread', () => {
    expect(excessRights([status('0', 1)], false)).toEqual([])
    expect(excessRights([status('0', 0)], false)).toHaveLength(1)
    expect(excessRights([status('0', 1), status('2000', 1)], false)).toEqual(['thread 7 (node) has capabilities 2000'])
    expect(excessRights([status('2000', 1)], true)).toEqual([])
    expect(excessRights([status('2001', 1)], true)).toHaveLength(1)
  })

  test('own threads are found', () => {
    expect(threadRights().map(({ tid }) => tid)).toContain(process.pid)
  })
})

test('accounts are read as the system writes them', () => {
  const root = mkdtempSync(join(tmpdir(), 'tunnelscope-accounts-'))
  mkdirSync(join(root, 'etc'))
  writeFileSync(
    join(root, 'etc/passwd'),
    'root:x:0:0::/root:/bin/sh\ntunnelscope:x:990:985::/nonexistent:/usr/sbin/nologin\n',
  )
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\ntunnelscope:x:985:\nsystemd-journal:x:101:alice,tunnelscope\n')
  expect(findAccount('tunnelscope', root)).toEqual({ uid: 990, gid: 985, groups: [985, 101] })
  expect(findAccount('tunnel', root)).toBeUndefined()
  rmSync(root, { recursive: true })
})

if (!isRoot) {
  test('dropping rights did not run', () => sayNotRun('dropping rights', 'root and the addon'))
} else {
  const folder = mkdtempSync(join(tmpdir(), 'tunnelscope-drop-'))
  chmodSync(folder, 0o755)
  const account = findAccount('nobody')!
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  describe('root that becomes a service', () => {
    test('has no capability in any thread, and the ring works on the socket it was handed', async () => {
      const closed = join(folder, 'closed')
      mkdirSync(closed, { mode: 0o700 })
      const capture = join(closed, 'capture.pcapng')
      const state = join(folder, 'state')
      const { told, pid } = await drop({
        directories: [state],
        files: [capture],
        read: ['/etc/shadow', '/root', '/proc/1/environ', closed, state, '/etc/passwd'],
        write: ['/etc', '/usr', '/etc/passwd', '/run', folder, state],
      })
      printThreads('threads of the daemon that root started:', told.threads)
      expect(told.isSecondImage).toBe(true)
      expect(told.leftInEnvironment).toBeUndefined()
      expect(told.threads.length).toBeGreaterThan(5)
      expect(told.threads[0]!.tid).toBe(pid)
      for (const thread of told.threads) {
        expect(thread).toMatchObject({
          uids: Array(4).fill(account.uid),
          gids: Array(4).fill(account.gid),
          groups: account.groups,
        })
        expect(thread).toMatchObject({
          permitted: '0',
          effective: '0',
          inheritable: '0',
          ambient: '0',
          bounding: '0',
          noNewPrivileges: true,
        })
      }
      expect(told.received).toBeGreaterThan(0)
      expect(told.again).toBe('capture-right')
      expect(told.readable).toEqual([state, '/etc/passwd'])
      expect(told.writable).toEqual([state])
      expect(readFileSync(capture, 'utf8')).toBe('written')
      expect(statSync(capture)).toMatchObject({ uid: account.uid, mode: 0o100600 })
    })

    test('keeps CAP_NET_RAW alone when its backend opens sockets later', async () => {
      const { told } = await drop({ keepNetRaw: true })
      printThreads('threads of the daemon with --backend cap:', told.threads)
      for (const thread of told.threads) {
        expect(thread).toMatchObject({
          permitted: '2000',
          effective: '2000',
          ambient: '2000',
          bounding: '2000',
          noNewPrivileges: true,
        })
        expect(thread.uids).toEqual(Array(4).fill(account.uid))
      }
      expect(told.again).toBe('opened')
    })

    test('without the user stays root without any capability, and says so', async () => {
      if (findAccount(SERVICE_USER) !== undefined)
        return sayNotRun('staying root', `a machine without the user ${SERVICE_USER}`)
      const { told } = await drop({ user: SERVICE_USER, read: ['/etc/shadow', '/root'] })
      for (const thread of told.threads) expect(thread).toMatchObject({ permitted: '0', effective: '0', ambient: '0' })
      expect(told.threads[0]!.uids).toEqual([0, 0, 0, 0])
      expect(told.notice).toMatch(/no user "tunnelscope".*install-service/)
      expect(told.received).toBeGreaterThan(0)
    })

    test('a user that the operator names and that is not there is refused', async () => {
      const { told } = await drop({ user: 'no-such-user' })
      expect(told.refused).toBe('no-such-user')
      expect(told.sentence).toMatch(/no user "no-such-user".*--user/)
    })

    test('does not give away a directory that is not its own', async () => {
      const own = join(folder, 'not-ours')
      mkdirSync(own)
      writeFileSync(join(own, 'file'), '')
      await drop({ directories: [own] })
      expect(statSync(own).uid).toBe(0)
      expect(statSync(join(own, 'file')).uid).toBe(0)
    })

    test('a file that cannot be written is told before anything is given up', async () => {
      symlinkSync('/nonexistent/x', join(folder, 'dangling'))
      const { told } = await drop({ files: [join(folder, 'dangling')] })
      expect(told.refused).toBe('file-unusable')
      expect(told.sentence).toBe(
        `${join(folder, 'dangling')} cannot be written: no such file or directory; name a file that can be.`,
      )
    })
  })

  test('a unit with AmbientCapabilities=CAP_NET_RAW: the thread sets are empty as well', async () => {
    const prefix = [
      'setpriv',
      '--reuid',
      String(account.uid),
      '--regid',
      String(account.gid),
      '--clear-groups',
      '--inh-caps',
      '-all,+net_raw',
      '--ambient-caps',
      '-all,+net_raw',
      '--bounding-set',
      '-all,+net_raw',
      '--no-new-privs',
    ]
    const { told } = await drop({}, prefix)
    printThreads('threads of the daemon that the unit started:', told.threads)
    expect(told.isSecondImage).toBe(true)
    for (const thread of told.threads)
      expect(thread).toMatchObject({
        permitted: '0',
        effective: '0',
        inheritable: '0',
        ambient: '0',
        noNewPrivileges: true,
      })
    expect(told.received).toBeGreaterThan(0)
    expect(told.again).toBe('capture-right')
  })

  test('somebody without rights gives up nothing and hears what is missing', async () => {
    const prefix = [
      'setpriv',
      '--reuid',
      String(account.uid),
      '--regid',
      String(account.gid),
      '--clear-groups',
      '--inh-caps',
      '-all',
      '--bounding-set',
      '-all',
    ]
    const { told } = await drop({}, prefix)
    expect(told).toMatchObject({ isSecondImage: false, again: 'capture-right' })
  })
}
