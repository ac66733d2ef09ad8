// Plays the lab with the daemon inside and shows what happens to its sites: when `site-differs` comes, which epochs the
// store has, and what `compare --epochs` says of them.
//   npm run test:compare-live -- [--seeds 0] [--vpn wg,ovpn,tun] [--scenarios 15,16,31] [--keep DIR]
// Scenario 31 is ours (scenarios/): two changes at once, then one of them back. Needs root and the lab's programs.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CLI, labOptions, labWithOurs, missing, play, ROOT } from './lab.mjs'

if (process.argv[2] === '--stamp') stamp(process.argv.slice(3))
else if (process.argv[2] === '--ask') ask(process.argv[3], process.argv[4])
else run()

/** Runs a program and puts the time of arrival before each of its lines. */
function stamp([program, ...argv]) {
  const child = spawn(program, argv, { stdio: ['ignore', 'pipe', 'inherit'] })
  let rest = ''
  child.stdout.on('data', (part) => {
    const lines = (rest + part).split('\n')
    rest = lines.pop()
    for (const line of lines) console.log(`${Date.now() / 1000} ${line}`)
  })
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code) => {
    process.exitCode = code ?? 1
  })
}

/** While the daemon runs: its epochs, and `compare` of neighbours and of all in which there was a way out. */
function ask(socket, out) {
  const said = (...words) => spawnSync(process.execPath, [CLI, ...words, '--socket', socket], { encoding: 'utf8' })
  const url = ['-s', '--unix-socket', socket, 'http://localhost/api/v1/epochs']
  const { epochs } = JSON.parse(spawnSync('curl', url, { encoding: 'utf8' }).stdout)
  writeFileSync(join(out, 'epochs.json'), JSON.stringify(epochs))
  const ids = epochs.filter((one) => one.resolvers.length > 0).map((one) => `${one.id}`)
  const asked = [...ids.slice(1).map((id, index) => [ids[index], id]), ...(ids.length > 2 ? [ids] : [])]
  for (const numbers of asked) {
    const { stdout, stderr } = said('compare', '--epochs', ...numbers)
    writeFileSync(join(out, `compare-${numbers.join('-')}.txt`), stdout + stderr)
  }
}

function run() {
  const DEFAULTS = { seeds: '0', vpn: 'wg,ovpn,tun', scenarios: '15,16,31' }
  const { seeds, vpn, scenarios, keep: kept } = labOptions('test:compare-live', DEFAULTS)
  const why = missing()
  if (why !== undefined) {
    console.log(`test:compare-live did not run: ${why}`)
    return
  }
  const folder = kept ?? mkdtempSync(join(tmpdir(), 'tunnelscope-live-'))
  const lab = labWithOurs(folder)
  for (const scenario of scenarios) {
    for (const kind of vpn) {
      for (const seed of seeds) {
        const out = join(folder, `${scenario}-${kind}-${seed}`)
        rmSync(out, { recursive: true, force: true })
        mkdirSync(out, { recursive: true })
        playLive(lab, scenario, kind, seed, out)
        show(scenario, kind, seed, out)
      }
    }
  }
  if (kept === undefined) rmSync(folder, { recursive: true })
}

function playLive(lab, scenario, kind, seed, out) {
  const self = join(ROOT, 'test/lab/compare-live.mjs')
  const socket = join(out, 's.sock')
  const after = `${process.execPath} ${self} --ask ${socket} ${out}`
  const daemon = ['daemon', '--socket', socket, '--store', join(out, 'store.db'), '-w', join(out, 'live.pcapng')]
  const command = [
    process.execPath,
    self,
    '--stamp',
    process.execPath,
    CLI,
    ...daemon,
    '--report',
    join(out, 'live.json'),
  ]
  const more = ['--cmd-first', '--ready-log', 'watching', '--linger', '4', '--after', after, '--', ...command]
  if (!play(lab, ['up', `${scenario}`], kind, seed, out, more))
    console.log(`${scenario} ${kind} ${seed}: the lab itself failed`)
}

function show(scenario, kind, seed, out) {
  const file = (name) => (existsSync(join(out, name)) ? readFileSync(join(out, name), 'utf8') : '')
  console.log(`\n== scenario ${scenario}, ${kind}, seed ${seed}`)
  for (const { id, start, endpoint, resolvers, tunnelUp, connected } of JSON.parse(file('epochs.json') || '[]')) {
    const state = tunnelUp ? `up, ${endpoint}` : connected ? 'lost' : 'no tunnel'
    console.log(`  epoch ${id}  ${start.slice(11, 23)}  ${state}  asks ${resolvers.join(', ')}`)
  }
  const { http = [], events = [] } = JSON.parse(file('truth.json') || '{}')
  const end = events.find((one) => one.what === 'play-end')?.t
  for (const line of file('cmd.log').split('\n')) {
    const [, at, host] = /^([\d.]+) .* (\S+) +site-differs /.exec(line) ?? []
    if (host === undefined) continue
    const failed = http.find((one) => one.host === host && !(Number(one.result) < 400))
    const late = failed === undefined ? '?' : Math.round((Number(at) - failed.t) * 1000)
    const during = end === undefined ? '' : `, ${Number(at) < end ? 'during' : 'after'} the play`
    console.log(`  site-differs ${host}: ${late} ms after curl had its ${failed?.result}${during}`)
  }
  for (const name of readdirSync(out).filter((one) => one.startsWith('compare-'))) {
    const text = file(name)
    const verdicts = text
      .split('\n')
      .filter((line) =>
        /^\S+\.\S+ {2}(fails|works|has)|first difference|experiment is made|→|^[A-Z ]+ {2}|ruled out/.test(line),
      )
    console.log(`  ${name.replace('.txt', '')}:`)
    for (const line of verdicts) console.log(`    ${line.trim()}`)
  }
}
