// The daemon as a service: what its manager hears, a reload right and wrong, being stopped and continued, and that all the
// while no thread of it has a right.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { excessRights, threadRights } from '../../src/daemon/privileges.ts'
import { canMakeNamespaces, Namespace, type Program, sayNotRun } from '../native/namespace.ts'
import { compiled } from '../support/compiled.ts'

const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let waited = 0; !holds(); waited++) {
    if (waited === 300) throw new Error(`waited in vain for: ${what}`)
    await pause(50)
  }
}

if (!canMakeNamespaces || spawnSync('python3', ['--version']).status !== 0) {
  test('the daemon as a service did not run', () => sayNotRun('the daemon as a service'))
} else {
  test('readiness, watchdog, reload, stop and continue, end', async () => {
    const space = new Namespace()
    const folder = mkdtempSync(join(tmpdir(), 'tunnelscope-service-'))
    chmodSync(folder, 0o755)
    const at = (name: string) => join(folder, name)
    const script = new URL('./programs/notify-socket.py', import.meta.url).pathname
    const manager = spawn('python3', [script, at('notify')], { stdio: ['ignore', 'pipe', 'inherit'] })
    let heard = ''
    manager.stdout.setEncoding('utf8').on('data', (text: string) => {
      heard += text
    })
    const settings = (rest: string) =>
      `user = "nobody"\n[store]\npath = "${at('state/store.db')}"\n[api]\nsocket = "${at('run/api.sock')}"\n[evidence]\ndirectory = "${at('state/evidence')}"\n[events]\nfile = "${at('log/eve.json')}"\n${rest}`
    try {
      await until('the manager', () => heard.includes('listening'))
      writeFileSync(at('settings.toml'), settings(''))
      const env = [`NOTIFY_SOCKET=${at('notify')}`, 'WATCHDOG_USEC=30000000', 'JOURNAL_STREAM=1:1']
      const daemon: Program = space.start('env', [
        ...env,
        process.execPath,
        compiled('src/cli/main.ts'),
        'daemon',
        '--config',
        at('settings.toml'),
      ])
      await until('readiness', () => heard.includes('READY=1') && heard.includes('STATUS=watching 1 interface'))
      await until('a sign of life', () => heard.includes('WATCHDOG=1'))
      await until('the line in the journal', () => /^<6>watching 1 interface: lo /m.test(daemon.errors))

      const threads = threadRights(daemon.pid)
      console.log(
        threads
          .map(
            (one) =>
              `${one.tid} ${one.name} uid ${one.uids.join()} CapEff ${one.effective.toString(16)} CapPrm ${one.permitted.toString(16)} NoNewPrivs ${one.noNewPrivileges}`,
          )
          .join('\n'),
      )
      expect(threads.length).toBeGreaterThan(10)
      expect(excessRights(threads, false)).toEqual([])
      expect(new Set(threads.flatMap(({ uids }) => uids)).has(0)).toBe(false)
      expect(statSync(at('state/evidence')).mode & 0o777).toBe(0o700)
      expect(statSync(at('run/api.sock')).mode & 0o777).toBe(0o660)

      const before = heard.length
      writeFileSync(at('settings.toml'), settings('[evidense]\nblank = false\n'))
      process.kill(daemon.pid, 'SIGHUP')
      await until('the refusal', () =>
        daemon.errors.includes(
          'there is no key "evidense"; did you mean "evidence". The configuration stays as it was.',
        ),
      )
      expect(daemon.errors).toMatch(/^<3>/m)
      await until('READY after RELOADING', () => /RELOADING=1\n[\s\S]*READY=1/.test(heard.slice(before)))
      writeFileSync(at('settings.toml'), settings('[log]\nlevel = "debug"\n[capture]\nfilter = "udp"\n'))
      execFileSync('mv', [at('log/eve.json'), at('log/eve.json.1')])
      process.kill(daemon.pid, 'SIGHUP')
      await until('the live key', () => daemon.errors.includes('log.level changed'))
      await until('the other key', () => daemon.errors.includes('capture.filter changed; takes effect after a restart'))
      await until(
        'the event log opened anew',
        () => statSync(at('log/eve.json'), { throwIfNoEntry: false }) !== undefined,
      )

      process.kill(daemon.pid, 'SIGSTOP')
      execFileSync('ip', ['netns', 'exec', space.name, 'ping', '-c', '3', '-i', '0.2', '127.0.0.1'], {
        stdio: 'ignore',
      })
      const signs = heard.split('WATCHDOG=1').length
      await pause(1500)
      expect(heard.split('WATCHDOG=1').length).toBe(signs)
      process.kill(daemon.pid, 'SIGCONT')
      await until('a sign of life afterwards', () => heard.split('WATCHDOG=1').length > signs)
      daemon.child.kill('SIGTERM')
      expect(await daemon.ends()).toBe(0)
      await until('the word of the stop', () => heard.includes('STOPPING=1'))
      // What came while it was stopped waited in the ring.
      expect(daemon.errors).toMatch(/<6>6 packets captured, 0 dropped by the kernel/)
      expect(readFileSync(at('state/store.db')).subarray(0, 15).toString()).toBe('SQLite format 3')
    } finally {
      manager.kill()
      space.remove()
      rmSync(folder, { recursive: true, force: true })
    }
  })
}
