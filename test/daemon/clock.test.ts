// The clock is set while the daemon runs: what it says afterwards is right, what it stored stays, clients miss nothing.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Epoch } from '../../src/model/report.ts'
import { canMakeNamespaces, Namespace, sayNotRun } from '../native/namespace.ts'
import { compiled } from '../support/compiled.ts'

const HOUR = 3_600_000
const program = (name: string) => new URL(`./programs/${name}`, import.meta.url).pathname
const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

interface Message {
  seq: number
  type: string
  epoch?: Epoch
  finding?: { id: string; time: string; last: string; epoch: number; data: object }
}

if (!canMakeNamespaces || spawnSync('python3', ['--version']).status !== 0) {
  test('a clock that is set did not run', () => sayNotRun('a clock that is set'))
} else {
  test.each([
    ['back', HOUR],
    ['forward', -HOUR],
  ])(
    '%s by an hour',
    async (word, wrongBy) => {
      const [near, far] = [new Namespace(), new Namespace()]
      const folder = mkdtempSync(join(tmpdir(), 'tunnelscope-clock-'))
      const at = (name: string) => join(folder, name)
      try {
        near.cable('v0', far, 'v1')
        near.ip('addr add 192.0.2.10/24 dev v0')
        far.ip('addr add 192.0.2.53/24 dev v1')
        near.ip('route add default via 192.0.2.53')
        await far.start('python3', [program('resolver.py'), '192.0.2.53']).says('listening')
        writeFileSync(at('offset'), String(wrongBy))
        writeFileSync(
          at('settings.toml'),
          `user = "nobody"\n[store]\npath = "${at('state/store.db')}"\n[api]\nsocket = "${at('run/api.sock')}"\n[evidence]\ndirectory = "${at('state/evidence')}"\n`,
        )
        spawnSync('chmod', ['755', folder])
        const words = [
          '--import',
          program('clock.mjs'),
          compiled('src/cli/main.ts'),
          'daemon',
          '--config',
          at('settings.toml'),
        ]
        const daemon = near.start('env', [`CLOCK_OFFSET_FILE=${at('offset')}`, process.execPath, ...words])
        const until = async (what: string, holds: () => unknown) => {
          for (let waited = 0; !holds(); waited++) {
            if (waited === 600) throw new Error(`waited in vain for: ${what}\n${daemon.errors}`)
            await pause(50)
          }
        }
        await until('readiness', () => daemon.errors.includes('watching'))
        const { createClient } = (await import(
          compiled('src/api/client.ts')
        )) as typeof import('../../src/api/client.ts')
        const client = createClient({ socketPath: at('run/api.sock') })
        const heard: Message[] = []
        const stream = client.stream(
          { after: 0 },
          { message: (message) => heard.push(message as unknown as Message), failed: () => {} },
        )
        await until('the first epoch', () => heard.some(({ type }) => type === 'epoch'))

        const ask = (name: string) => `import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(8):
    n = b'${name}%d' % i
    s.sendto(bytes([0, i, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, len(n)]) + n + b'\\x07example\\x00\\x00\\x01\\x00\\x01', ('192.0.2.53', 53))`
        // A clock that is behind the packets' lets no deadline come.
        if (word === 'back') {
          await near.start('python3', ['-c', ask('n')]).ends()
          await until('a finding before', () => heard.some(({ finding }) => finding?.id === 'dns-unanswered'))
        }
        heard.length = 0
        writeFileSync(at('offset'), '0')
        await until('the step', () => daemon.errors.includes(`the clock was set ${word} by 1 h 0 min`))
        await until('its epoch', () => heard.some(({ epoch }) => epoch?.reason.startsWith('the clock was set')))
        await near.start('python3', ['-c', ask('slow')]).ends()
        await near.start('python3', ['-c', ask('n')]).ends()
        await until('the finding', () => heard.some(({ finding }) => finding?.id === 'dns-unanswered'))
        await until('all of it', () =>
          heard.some(({ finding }) =>
            Object.entries(finding?.data ?? {})
              .join(' ')
              .includes('unanswered,8'),
          ),
        )

        const findings = heard.flatMap(({ finding }) => finding ?? [])
        const unanswered = findings.filter(({ id }) => id === 'dns-unanswered').at(-1)!
        // Those that were answered after a second are not among them, as they would be by the clock of before.
        expect(unanswered.data).toMatchObject({ asked: 16, unanswered: 8 })
        expect(findings.filter(({ id }) => id.startsWith('traffic') || id.startsWith('capture'))).toEqual([])
        const epochs = heard.flatMap(({ epoch }) => epoch ?? [])
        const stepped = epochs.find(({ reason }) => reason.startsWith('the clock was set'))!
        expect(unanswered.epoch).toBe(stepped.id)
        expect(stepped.id).toBeGreaterThan(1)
        for (const { time, last } of findings) expect(time <= last).toBe(true)
        expect(Math.abs(Date.parse(unanswered.time.replace('+0000', 'Z')) - Date.now())).toBeLessThan(60_000)

        // Numbers go on across the step; who resumes gets what comes after, once.
        const numbers = heard.filter(({ type }) => type === 'finding' || type === 'epoch').map(({ seq }) => seq)
        expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
        expect(new Set(numbers).size).toBe(numbers.length)
        stream.close()
        daemon.child.kill('SIGTERM')
        expect(await daemon.ends()).toBe(0)
        expect(spawnSync('ls', [at('state/evidence')], { encoding: 'utf8' }).stdout).toMatch(/dns-unanswered/)
      } finally {
        near.remove()
        far.remove()
        rmSync(folder, { recursive: true, force: true })
      }
    },
    90_000,
  )
}
