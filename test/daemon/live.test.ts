// The daemon alive, in network namespaces of its own: what it says, what it writes, how it bears a busy and a flapping
// network. Its report, and `analyze` of the file it wrote, are held against each other.
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Report } from '../../src/model/report.ts'
import { canMakeNamespaces, Namespace, type Program, replayTest, sayNotRun } from '../native/namespace.ts'
import { makePackets } from '../native/packets.make.ts'
import { compiled } from '../support/compiled.ts'

const namespaces: Namespace[] = []
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tunnelscope-live-'))
})
afterEach(() => {
  for (const one of namespaces.splice(0)) one.remove()
  rmSync(folder, { recursive: true, force: true })
})

/** Two images of Node and their threads, on a machine that runs other tests meanwhile. */
const START_MILLIS = 25_000

const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))
const program = (name: string) => new URL(`./programs/${name}`, import.meta.url).pathname
const path = (name: string) => join(folder, name)
const main = () => compiled('src/cli/main.ts')

/** A machine with v0 and a router behind it; IPv6 is off so that nothing but the test's packets is there. */
function machine(): [Namespace, Namespace] {
  const [near, far] = [new Namespace(), new Namespace()]
  namespaces.push(near, far)
  for (const { name } of [near, far]) {
    const off = ['net.ipv6.conf.all.disable_ipv6=1', 'net.ipv6.conf.default.disable_ipv6=1']
    execFileSync('ip', ['netns', 'exec', name, 'sysctl', '-qw', ...off])
  }
  near.cable('v0', far, 'v1')
  near.ip('addr add 192.0.2.10/24 dev v0')
  far.ip('addr add 192.0.2.53/24 dev v1')
  near.ip('route add default via 192.0.2.53')
  return [near, far]
}

async function startDaemon(near: Namespace, ...words: string[]): Promise<Program> {
  const flags = ['--no-service', '--report', path('live.json'), ...words]
  const daemon = near.start(process.execPath, [main(), 'daemon', ...flags])
  for (const end = Date.now() + START_MILLIS; !daemon.errors.includes('watching'); ) {
    if (Date.now() > end) throw new Error(`not ready: ${daemon.errors}`)
    await pause(50)
  }
  return daemon
}

async function stop(daemon: Program): Promise<Report> {
  daemon.child.kill('SIGTERM')
  expect(await daemon.ends()).toBe(0)
  return reportOf('live.json')
}

const reportOf = (name: string) => JSON.parse(readFileSync(path(name), 'utf8')) as Report

/** What only the live host knows is left out: the name of the input, and where a packet is to be found again. */
function comparable(report: Report): unknown {
  const inputs = report.inputs.map((input) => ({
    ...input,
    file: '',
    format: '',
    interfaces: input.interfaces.map((one) => ({ ...one, dropped: undefined })),
  }))
  const sites = report.sites.map((site) =>
    JSON.parse(JSON.stringify(site, (key, value) => (key === 'source' ? '' : value))),
  )
  const findings = report.findings.map((finding) => ({
    ...finding,
    evidence: finding.evidence.map(({ frame }) => frame),
  }))
  return { ...report, inputs, findings, sites }
}

/** What it said, but for the remark that there is no service user on this machine. */
const sentences = ({ errors }: Program) =>
  errors.split('\n').filter((line) => line !== '' && !line.startsWith('tunnelscope: warning: there is no user'))

function analyzed(name: string): Report {
  const json = execFileSync(process.execPath, [main(), 'analyze', '--json', path(name)], { maxBuffer: 64 << 20 })
  return JSON.parse(json.toString()) as Report
}

if (!canMakeNamespaces) {
  sayNotRun('the daemon on a live network')
  test('the daemon without namespaces: nothing to run here', () => {
    expect(canMakeNamespaces).toBe(false)
  })
} else {
  test('a tunnel that comes, is lost and comes back: leaks, the window, and the same from the written file', async () => {
    const [near, far] = machine()
    const daemon = await startDaemon(near, '-w', path('own.pcapng'))
    const vpn = near.start('python3', [program('tunnel.py')], true)
    const tunnel = async (word: string) => {
      const before = vpn.output.length
      vpn.child.stdin!.write(`${word}\n`)
      while (!vpn.output.slice(before).includes('\n')) await pause(5)
      return Number(vpn.output.slice(before).split(' ')[1]) * 1e6
    }
    const ask = (server: string, count: number) =>
      near.start('python3', [program('ask.py'), server, `${count}`, '50']).ends()
    await ask('192.0.2.53', 3)
    await tunnel('up')
    await pause(150)
    await ask('192.0.2.53', 4)
    await ask('8.8.8.8', 5)
    const lost = await tunnel('down')
    await pause(150)
    await ask('192.0.2.53', 6)
    const back = await tunnel('up')
    await pause(150)
    await ask('192.0.2.53', 7)
    // Nobody answers here: the questions are decided when their time is over.
    await pause(5500)
    daemon.child.kill('SIGUSR1')
    await pause(300)
    expect(reportOf('live.json').verdict.dns).toBe('mixed')
    const live = await stop(daemon)
    vpn.child.stdin!.end()
    expect(far.name).not.toBe(near.name)

    expect(live.verdict).toMatchObject({
      dns: 'mixed',
      coverage: { dropped: 0, questionsOutside: 17, questionsInTunnel: 5, interfacesUp: 3, interfacesWatched: 3 },
    })
    const ids = live.findings.map(({ id }) => id)
    expect(ids).toEqual(expect.arrayContaining(['dns-leak', 'dns-leak-window', 'tunnel-down']))
    const leaked = live.findings.filter(({ id }) => id === 'dns-leak').map(({ count }) => count)
    expect(leaked.reduce((sum, count) => sum + count, 0)).toBe(11)
    const window = live.findings.find(({ id }) => id === 'dns-leak-window')!
    expect(window).toMatchObject({ count: 6, data: { nameCount: 6 } })
    const windowMs = (back - lost) / 1000
    expect(Math.abs((window.data.windowMs as number) - windowMs)).toBeLessThan(100)
    const lossAt = live.epochs.find((epoch) => epoch.connected && !epoch.tunnelUp)!
    expect(Math.abs(Date.parse(lossAt.start) * 1000 - lost)).toBeLessThan(100_000)
    expect(live.epochs.map(({ tunnelInterfaces }) => tunnelInterfaces.join())).toContain('tun7')
    expect(daemon.output).toMatch(/crit v0 +192\.0\.2\.53 +dns-leak /)

    expect(comparable(analyzed('own.pcapng'))).toEqual(comparable(live))
  }, 60_000)

  replayTest(
    'a ring that overflows: drops are counted, the verdict is not complete, capture-loss is raised',
    async () => {
      const [near, far] = machine()
      const daemon = await startDaemon(near, '-B', '1024')
      makePackets(path('flood.pcap'), 5000)
      daemon.child.kill('SIGSTOP')
      const flood = ['-i', 'v1', '--topspeed', '--loop=4', path('flood.pcap')]
      expect(await far.start('tcpreplay', flood).ends()).toBe(0)
      daemon.child.kill('SIGCONT')
      await pause(1500)
      expect(daemon.output).toContain('capture-loss')
      const report = await stop(daemon)
      const { dropped = 0, packets } = report.verdict.coverage
      expect(dropped).toBeGreaterThan(10_000)
      expect(packets + dropped).toBeGreaterThanOrEqual(20_000)
      expect(report.verdict.complete).toBe(false)
      expect(report.findings.find(({ id }) => id === 'capture-loss')).toMatchObject({ count: dropped })
      expect(daemon.errors).toContain(`${dropped} dropped by the kernel`)
    },
    60_000,
  )

  replayTest(
    'a hundred tun devices made, used and deleted under traffic: no crash, no leak, every one seen',
    async () => {
      const [near, far] = machine()
      const daemon = await startDaemon(near)
      makePackets(path('traffic.pcap'), 1000)
      const fds = () => readdirSync(`/proc/${daemon.pid}/fd`).length
      const rssMib = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8'))![1]) / 1024
      const before = fds()
      const traffic = far.start('tcpreplay', ['-i', 'v1', '--pps=10000', '--loop=0', path('traffic.pcap')])
      const cycles = new URL('../native/programs/tun-cycles.py', import.meta.url).pathname
      // The first ones warm up what then stays. The collector lets some 15 MiB come together; a ring that stays has 64.
      expect(await near.start('python3', [cycles, '30', 'full']).ends()).toBe(0)
      const warm = rssMib()
      expect(await near.start('python3', [cycles, '70', 'full']).ends()).toBe(0)
      const grown = rssMib() - warm
      traffic.child.kill('SIGTERM')
      await pause(300)
      expect(fds()).toBeLessThanOrEqual(before)
      console.log(
        `a hundred tun devices: ${fds()} descriptors (${before} before), ${grown.toFixed(1)} MiB more after the last 70`,
      )
      expect(grown).toBeLessThan(24)
      const report = await stop(daemon)
      // Each time it carries the internet is a time of its own, and each loss.
      const ups = report.epochs.filter(({ tunnelUp }, index) => tunnelUp && report.epochs[index - 1]?.tunnelUp !== true)
      expect(ups).toHaveLength(100)
      for (const one of ups) expect(one).toMatchObject({ connected: true, tunnelInterfaces: ['tun7'] })
      expect(report.epochs.filter(({ tunnelUp, reason }) => !tunnelUp && reason.includes('tun7'))).toHaveLength(100)
      const [lo, v0, tun7, ...others] = report.inputs[0]!.interfaces
      expect([lo?.name, v0?.name, tun7?.name, others]).toEqual(['lo', 'v0', 'tun7', []])
      expect(tun7).toMatchObject({ role: 'tunnel' })
      // A daemon that gets no turn for two seconds, for others compute, has a full ring: what is not seen is then counted.
      const { packets, dropped = 0 } = report.verdict.coverage
      expect(tun7!.packets).toBeLessThanOrEqual(500)
      expect(tun7!.packets + dropped).toBeGreaterThanOrEqual(500)
      expect(packets).toBeGreaterThan(10_000)
    },
    90_000,
  )

  test('-i, -c and a filter: less is watched, and it says so', async () => {
    const [near] = machine()
    near.ip('link add dum0 type veth peer name dum1')
    near.ip('addr add 198.51.100.1/24 dev dum0')
    near.ip('link set dum0 up')
    near.ip('link set dum1 up')
    const daemon = await startDaemon(near, '-i', 'lo', '-c', '4', 'udp and port 53')
    await near.start('python3', [program('ask.py'), '127.0.0.1', '10', '100']).ends()
    expect(await daemon.ends()).toBe(0)
    const report = reportOf('live.json')
    expect(report.inputs[0]).toMatchObject({ packets: 4 })
    expect(report.findings.find(({ id }) => id === 'capture-blind')).toMatchObject({ interface: 'v0' })
    expect(report.verdict.reasons.join(' ')).toContain('v0 (physical)')
  }, 30_000)

  test.each([
    ['goes away', 0, /^$/],
    ['is a full disk', 2, /standard output cannot be written \(ENOSPC\); make room or write elsewhere/],
  ])(
    'whoever reads its lines %s: it ends in order, what it wrote is whole',
    async (kind, code, sentence) => {
      const [near] = machine()
      const words = ['daemon', '--no-service', '-w', path('own.pcapng'), '--report', path('live.json')]
      const output = kind === 'goes away' ? '| true' : '> /dev/full'
      const shell = `"$0" "$@" ${output}; echo "code \${PIPESTATUS[0]}" >&2`
      const daemon = near.start('bash', ['-c', shell, process.execPath, main(), ...words])
      while (!daemon.errors.includes('watching')) await pause(50)
      await near.start('python3', [program('ask.py'), '192.0.2.53', '20', '10']).ends()
      await daemon.ends()
      expect(daemon.errors).toContain(`code ${code}\n`)
      const said = sentences(daemon).filter((line) => !/watching|captured|^code/.test(line))
      expect(said.join()).toMatch(sentence)
      expect(reportOf('live.json').findings.map(({ id }) => id)).toContain('dns-unanswered')
      expect(analyzed('own.pcapng').inputs[0]!.damage).toBeUndefined()
    },
    40_000,
  )

  test.each([['-w'], ['--report']])(
    'what %s asks for cannot be written: told, exit 2',
    async (flag) => {
      const [near] = machine()
      const daemon = near.start(process.execPath, [main(), 'daemon', '--no-service', '-c', '10', flag, '/dev/full'])
      while (!daemon.errors.includes('watching')) await pause(50)
      await near.start('python3', [program('ask.py'), '192.0.2.53', '20', '10']).ends()
      expect(await daemon.ends()).toBe(2)
      expect(sentences(daemon).join()).toMatch(/\/dev\/full.*(disk is full|no space left)/)
    },
    40_000,
  )

  test('-w - gives the packets to a pipe, and ends when nobody reads it any more', async () => {
    const [near] = machine()
    const words = ['daemon', '--no-service', '-w', '-']
    const shell = `"$0" "$@" | head -c 64 > ${path('head.pcapng')}; echo "code \${PIPESTATUS[0]}" >&2`
    const daemon = near.start('bash', ['-c', shell, process.execPath, main(), ...words])
    while (!daemon.errors.includes('watching')) await pause(50)
    await near.start('python3', [program('ask.py'), '192.0.2.53', '20', '10']).ends()
    await daemon.ends()
    expect(daemon.errors).toContain('code 0\n')
    expect(daemon.errors).not.toContain('error:')
    expect(readFileSync(path('head.pcapng')).subarray(0, 4)).toEqual(Buffer.from('0a0d0d0a', 'hex'))
  }, 40_000)

  test.each([
    ['no such interface', ['-i', 'nosuch0'], /-i nosuch0: there is no such interface; there are lo, v0/],
    ['a filter that is none', ['port', 'what'], /filter "port what"/],
    ['another backend', ['--backend', 'nosuch'], /no such backend/],
    ['a user that is none', ['--user', 'nobody-here'], /no user "nobody-here"/],
    ['a report nowhere', ['--report', '/nowhere/r.json'], /\/nowhere\/r.json cannot be written: no such file/],
    ['a count that is none', ['-c', 'many'], /-c many/],
  ])(
    '%s is one sentence, exit 2',
    async (_, words, sentence) => {
      const [near] = machine()
      const daemon = near.start(process.execPath, [main(), 'daemon', '--no-service', ...words])
      expect(await daemon.ends()).toBe(2)
      expect(daemon.errors).toMatch(sentence)
      expect(sentences(daemon)).toHaveLength(1)
    },
    30_000,
  )

  test.each([['alone'], ['with its service']])(
    'without root, %s: one sentence that says what to do, exit 2, nothing made',
    async (kind) => {
      const [near] = machine()
      chmodSync(folder, 0o777)
      const service = ['--config', '/dev/null', '--store', path('state/store.db'), '--socket', path('run/api.sock')]
      const flags = kind === 'alone' ? ['--no-service'] : service
      const words = ['--reuid=65534', '--clear-groups', process.execPath, main(), 'daemon', ...flags]
      const daemon = near.start('setpriv', words)
      expect(await daemon.ends()).toBe(2)
      expect(sentences(daemon).join()).toMatch(/^tunnelscope: capturing needs CAP_NET_RAW: run with sudo.*$/)
      expect(readdirSync(folder)).toEqual([])
    },
    30_000,
  )

  test('a store that cannot be opened: one sentence, exit 2, although the capture has begun', async () => {
    const [near] = machine()
    writeFileSync(path('in-the-way'), '')
    const paths = ['--config', '/dev/null', '--store', path('in-the-way/store.db'), '--socket', path('run/api.sock')]
    const daemon = near.start(process.execPath, [main(), 'daemon', ...paths])
    expect(await daemon.ends()).toBe(2)
    expect(sentences(daemon).join()).toMatch(/^tunnelscope: .*in-the-way.*$/)
  }, 30_000)
}
