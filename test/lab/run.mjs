// Plays the lab (a small internet in network namespaces, ../shared/lab) and holds what `analyze` says against its truth.
//   npm run test:lab -- [--seeds 1,2] [--vpn wg,ovpn,tun] [--scenarios 1-6,9] [--part dns|mtu|connection|all] [--keep DIR]
// Needs root and the lab's programs; says so when they are not there.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CLI, LAB, labOptions, missing, play } from './lab.mjs'

function share(part, whole) {
  return whole === 0 ? '-' : `${((part * 100) / whole).toFixed(1)} %`
}

/** The figures of judge.py's last line, `leak found 12, leak missed 0, …`. */
function totalsOf(line) {
  return Object.fromEntries(
    [...line.matchAll(/([a-z][a-z ]*?) (\d+)(?=,|$)/g)].map(([, name, count]) => [name, Number(count)]),
  )
}

const DEFAULTS = { seeds: '1', vpn: 'wg,ovpn,tun', scenarios: '1-6,9,10,16,17,21', part: 'dns' }
const { seeds, vpn: kinds, scenarios, part, keep: kept } = labOptions('test:lab', DEFAULTS)
const why = missing()
if (why !== undefined) {
  console.log(`test:lab did not run: ${why}`)
  process.exit(0)
}

const folder = kept ?? mkdtempSync(join(tmpdir(), 'tunnelscope-lab-'))

for (const seed of seeds) {
  for (const kind of kinds) {
    for (const scenario of scenarios) {
      const out = join(folder, `${kind}-${seed}`, `${scenario}`)
      if (existsSync(join(out, 'truth.json'))) continue
      if (!play(join(LAB, 'vpnlab'), ['run', `${scenario}`], kind, seed, out)) {
        console.log(`scenario ${scenario}, ${kind}, seed ${seed}: the lab itself failed`)
      }
    }
  }
}

const judge = ['--part', part, folder, '--', process.execPath, CLI, 'analyze', '--json']
const judged = spawnSync(join(LAB, 'judge.py'), judge, { encoding: 'utf8' })
console.log(judged.stdout.trimEnd())
const totals = totalsOf(judged.stdout.trimEnd().split('\n').at(-1) ?? '')
const count = (name) => totals[name] ?? 0
console.log('\n             found  missed  invented  precision  recall')
for (const [label, found, missed, extra] of [
  ['leaks', count('leak found'), count('leak missed'), count('leak extra')],
  ['findings', count('found'), count('missed'), count('invented')],
]) {
  const row = [found, missed, extra].map((value, index) => `${value}`.padStart([5, 8, 10][index])).join('')
  console.log(
    `${label.padEnd(13)}${row}${share(found, found + extra).padStart(11)}${share(found, found + missed).padStart(8)}`,
  )
}
if (kept === undefined) rmSync(folder, { recursive: true })
process.exitCode = judged.status ?? 1
