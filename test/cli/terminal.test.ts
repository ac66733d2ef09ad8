// The commands as processes: on a real terminal (tmux), into pipes, against a service that comes and goes.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { utcTime } from '../../src/text/timestamp.ts'
import { compiled } from '../support/compiled.ts'
import { makeEpoch, makeFinding, makeStats, makeVerdict } from '../support/findings.ts'
import { type RunningService, runService } from '../support/running-service.ts'

const PROGRAM = compiled('test/support/client-program.ts')
const now = () => utcTime(Date.now() * 1000)
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** ESC sequences, newline, NUL, RTL marks, markup, a 63-byte label: everything a name could try. */
const HOSTILE = `\x1b[2J\x1b[H\x1b]0;owned\x07evil\nforged: all fine\r\0\u202egnp.exe\u200b<script>alert(1)</script>.${'a'.repeat(63)}.example`

let running: RunningService
beforeEach(async () => {
  running = await runService()
})
afterEach(() => running.stop())

function hostileFinding() {
  return makeFinding({
    key: HOSTILE,
    summary: `${HOSTILE} was asked`,
    interface: 'eth0',
    data: { host: HOSTILE },
    time: now(),
    last: now(),
  })
}

async function until<T>(look: () => T | undefined, what: string): Promise<T> {
  const end = Date.now() + 15_000
  for (;;) {
    const seen = look()
    if (seen !== undefined && seen !== false) return seen
    if (Date.now() > end) throw new Error(`not in time: ${what}`)
    await sleep(50)
  }
}

const hasTmux = spawnSync('tmux', ['-V']).status === 0

describe('on a real terminal', () => {
  const session = `tunnelscope-test-${process.pid}`
  const tmux = (...args: string[]) => spawnSync('tmux', ['-L', session, ...args], { encoding: 'utf8' })
  const screen = () => tmux('capture-pane', '-p', '-t', session).stdout

  function startTail(columns: number): void {
    const command = `TZ=UTC LANG=C.UTF-8 ${process.execPath} ${PROGRAM} tail --socket ${running.socketPath}; echo "status $?"; sleep 60`
    tmux('-u', '-f', '/dev/null', 'new-session', '-d', '-s', session, '-x', `${columns}`, '-y', '24', command)
  }

  afterEach(() => tmux('kill-server'))

  test('hostile names are inert, repeats are rewritten in place, q leaves', async () => {
    if (!hasTmux) {
      console.log('did not run: tmux is not installed')
      return
    }
    running.service.publishEpoch(makeEpoch())
    running.service.publishVerdict(makeVerdict())
    running.service.publish(hostileFinding())
    startTail(160)
    await until(() => screen().includes('evil\\nforged') || undefined, 'the hostile line')
    running.service.publishStats(makeStats())
    running.service.publish(makeFinding({ key: 'plain', summary: 'a plain one', time: now(), last: now() }))
    await until(() => screen().includes('a plain one') || undefined, 'the next line')
    running.service.publish({ ...hostileFinding(), count: 5 })
    const rows = await until(() => (screen().includes('×5') ? screen().split('\n') : undefined), 'the repeat')
    const hostile = rows.findIndex((row) => row.includes('evil'))
    expect(rows[hostile]).toContain('\\x1b[2J\\x1b[H\\x1b]0;owned\\x07evil\\nforged')
    expect(rows[hostile]).toMatch(/×5$/)
    expect(rows[hostile + 1]).toMatch(
      /^— Following tunnelscope 9\.9\.9, which has been watching since \d\d:\d\d:\d\d\. Epoch 1 \(start\): tunnel up \(wg0\), resolvers 10\.64\.0\.1\.$/,
    )
    expect(rows[hostile + 2]).toContain('a plain one')
    expect(rows.filter((row) => row.startsWith('forged'))).toEqual([])
    expect(rows[hostile + 3]).toContain('DNS LEAK, some questions │ complete │ tunnel up │ 1,240 pkt/s')
    expect(tmux('display-message', '-p', '-t', session, '#{pane_title}').stdout).not.toContain('owned')

    tmux('send-keys', '-t', session, 'p')
    await until(() => screen().includes('paused, 0 held back') || undefined, 'pause')
    tmux('send-keys', '-t', session, 'p')
    tmux('send-keys', '-t', session, 'q')
    await until(() => screen().includes('status 0') || undefined, 'the end')
    expect(screen()).not.toContain('q quit')
  })
})

interface Piped {
  child: ChildProcess
  out(): string
  err(): string
  ended: Promise<number | null>
}

function pipe(...args: string[]): Piped {
  const child = spawn(process.execPath, [PROGRAM, ...args, '--socket', running.socketPath], {
    env: { ...process.env, TZ: 'UTC', COLUMNS: '100', FORCE_COLOR: '' },
  })
  let out = ''
  let err = ''
  child.stdout.on('data', (part) => {
    out += part
  })
  child.stderr.on('data', (part) => {
    err += part
  })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  return { child, out: () => out, err: () => err, ended }
}

describe('into a pipe', () => {
  test('tail --json: one line of printable ASCII a message, hostile or not', async () => {
    const piped = pipe('tail', '--json')
    running.service.publish(hostileFinding())
    await until(() => piped.out().includes('\n') || undefined, 'a line')
    piped.child.kill('SIGTERM')
    expect(await piped.ended).toBe(0)
    expect(piped.out()).toMatch(/^[\x20-\x7e]+\n$/)
    expect(JSON.parse(piped.out())).toMatchObject({ type: 'finding', finding: { key: HOSTILE } })
  })

  test('tail: a line when it is new and when it has doubled, notes beside it, over a restart of the service', async () => {
    const piped = pipe('tail')
    const again = (count: number) =>
      running.service.publish(makeFinding({ count, summary: 'again', time: now(), last: now() }))
    again(1)
    await until(() => piped.out().includes('again') || undefined, 'the first')
    for (const count of [2, 3, 4, 7]) {
      again(count)
      await sleep(100)
    }
    await until(() => piped.out().includes('×4') || undefined, 'a fourth')
    const { folder } = running
    await running.stop(true)
    await until(() => piped.err().includes('The daemon is gone') || undefined, 'gone')
    running = await runService({}, folder)
    running.service.publish(makeFinding({ key: 'b', summary: 'after the restart', time: now(), last: now() }))
    await until(() => piped.out().includes('after the restart') || undefined, 'after')
    piped.child.kill('SIGTERM')
    expect(await piped.ended).toBe(0)
    expect(
      piped
        .out()
        .split('\n')
        .map((line) => line.replace(/^.*again/, 'again').replace(/^.*after/, 'after')),
    ).toEqual(['again', 'again ×2', 'again ×4', 'after the restart', ''])
    expect(piped.err()).toMatch(
      /back after .* \(started \d\d:\d\d:\d\d\); \d findings? from meanwhile\. Nothing was captured/,
    )
  })

  test('tail waits for a service that is not there yet', async () => {
    const { folder } = running
    await running.stop(true)
    const piped = pipe('tail')
    await until(() => piped.err().includes('sudo tunnelscope daemon') || undefined, 'the sentence')
    running = await runService({}, folder)
    running.service.publish(makeFinding({ summary: 'here', time: now(), last: now() }))
    await until(() => piped.out().includes('here') || undefined, 'the finding')
    piped.child.kill('SIGTERM')
    expect(await piped.ended).toBe(0)
  })

  test('findings: numbered lines, filters, JSON', async () => {
    running.service.publish(hostileFinding())
    const summary = `an alert ${'that is long '.repeat(20)}and told to its end`
    running.service.publish(makeFinding({ key: 'b', id: 'tls-alert', severity: 'warning', summary }))
    await until(() => running.service.state.reader().countFindings({}) === 2 || undefined, 'stored')
    const all = pipe('findings')
    expect(await all.ended).toBe(0)
    expect(all.out().split('\n')).toHaveLength(3)
    expect(all.out()).not.toMatch(/[\x00-\x09\x0b-\x1f\u202e\u200b]/)
    expect(all.out()).toMatch(/^ {4}#2 01-02 03:04:05 warn eth0 {7}\S+ +tls-alert +an alert .* told to its end$/m)
    expect(all.err()).toBe('2 findings; --json tells each in full, with what to do.\n')
    const one = pipe('findings', '--id', 'tls-alert', '--json')
    await one.ended
    expect(JSON.parse(one.out())).toMatchObject({ number: 2, id: 'tls-alert' })
    const none = pipe('findings', '--since', '1s', '--id', 'tls-alert')
    expect([await none.ended, none.out(), none.err()]).toEqual([0, '', 'No such finding in the store.\n'])
  })

  test.each([
    [['findings', '--since', 'yesterday'], /--since yesterday: give a span/],
    [['findings', '--severity', 'fatal'], /use info, warning or critical/],
    [['findings', '--epoch', 'x'], /give the epoch/],
    [['findings', '--id', 'DNS_Leek'], /--id DNS_Leek: no such finding; did you mean dns-leak\?/],
    [['tail', '--finding', 'mine\x1b'], /--finding mine\\x1b: no such finding; there are: dns-leak, /],
    [['tail', '--url', 'http://example.com:1'], /give a loopback address/],
    [['tail', '--url', 'http://127.0.0.1:1'], /needs --token-file/],
  ])('%j is answered with a sentence, exit 2', async (args, sentence) => {
    const piped = pipe(...args)
    expect(await piped.ended).toBe(2)
    expect(piped.err()).toMatch(sentence)
    expect(piped.err()).not.toMatch(/\n\s+at /)
  })
})
