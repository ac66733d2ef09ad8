// The systemd unit: what it says, that systemd understands it, and how exposed systemd finds it.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serviceUnit, shownDirectories } from '../../src/daemon/service-unit.ts'
import { sayNotRun } from '../support/not-run.ts'

const hasAnalyze = spawnSync('systemd-analyze', ['--version']).status === 0
const unitOf = (command: string[]) =>
  serviceUnit({ command, user: 'tunnelscope', shownDirectories: shownDirectories(command) })

test('runs as its user, with one capability, watched and told when it is ready', () => {
  const lines = unitOf(['/usr/bin/node', '/usr/lib/tunnelscope/dist/cli/main.js']).split('\n')
  for (const line of [
    'ExecStart=/usr/bin/node /usr/lib/tunnelscope/dist/cli/main.js daemon',
    'Type=notify',
    'WatchdogSec=30',
    'User=tunnelscope',
    'AmbientCapabilities=CAP_NET_RAW',
    'CapabilityBoundingSet=CAP_NET_RAW',
    'NoNewPrivileges=yes',
    'PrivateMounts=yes',
    'ProtectHome=yes',
    // ProtectSystem=strict alone was not enough; test:machine tries what can really be written.
    'ReadOnlyPaths=/run',
  ]) {
    expect(lines).toContain(line)
  }
})

test('paths are quoted as systemd wants them', () => {
  const unit = unitOf(['/opt/my node/node', '/opt/100%/$x/main.js'])
  expect(unit).toContain('ExecStart="/opt/my node/node" /opt/100%%/$$x/main.js daemon\n')
})

test('a program in a home is shown to the service, and nothing else there', () => {
  const modules = '/home/ann/.nvm/lib/node_modules'
  const unit = unitOf(['/home/ann/.nvm/bin/node', `${modules}/tunnelscope/dist/cli/main.js`])
  expect(unit).toContain(`ProtectHome=tmpfs\nBindReadOnlyPaths=/home/ann/.nvm/bin\nBindReadOnlyPaths=${modules}\n`)
  const roots = unitOf(['/usr/bin/node', '/root/tunnelscope/dist/cli/main.js'])
  expect(roots).toContain(
    'ProtectHome=tmpfs\nTemporaryFileSystem=/root:ro,mode=755\nBindReadOnlyPaths=/root/tunnelscope\n',
  )
})

if (!hasAnalyze) {
  test('systemd’s own judgement did not run', () => sayNotRun('systemd-analyze on the unit', 'systemd'))
} else {
  test('systemd finds nothing wrong and an exposure of at most 1.5', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tunnelscope-unit-'))
    const file = join(folder, 'tunnelscope.service')
    writeFileSync(file, unitOf([process.execPath, '/usr/lib/tunnelscope/dist/cli/main.js']))
    const words = ['security', '--offline=true', '--no-pager', '--threshold=15', file]
    const { status, stdout } = spawnSync('systemd-analyze', words, { encoding: 'utf8' })
    const overall = /Overall exposure level for tunnelscope.service: ([\d.]+)/.exec(stdout)
    console.log(stdout.trim().split('\n').at(-1))
    expect(Number(overall![1])).toBeLessThanOrEqual(1.5)
    expect(status).toBe(0)
    const verify = spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8' })
    expect(verify.stderr.split('\n').filter((line) => line.includes('tunnelscope'))).toEqual([])
    rmSync(folder, { recursive: true })
  })
}
