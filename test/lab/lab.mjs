// The lab beside the project (a small internet in network namespaces, ../shared/lab), for the scripts that play it.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { refuse, scriptOptions } from '../../scripts/script-options.mjs'

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
export const LAB = join(ROOT, '../shared/lab')
export const CLI = join(ROOT, 'dist/cli/main.js')
const RUN_TIMEOUT_MILLIS = 120_000

const KINDS = ['wg', 'ovpn', 'tun']
const MEANINGS = {
  seeds: 'LIST       of numbers and spans, such as 1-3,7',
  vpn: 'LIST         of wg,ovpn,tun',
  scenarios: 'LIST   of numbers and spans',
  part: 'WHICH       dns, mtu, connection or all',
  keep: 'DIR         keep the captures there, and take those that are there already',
}

/**
 * The flags of `npm run NAME`, lists taken apart; `defaults` names those it has, and each has --keep. Ends the process with
 * the usage when it is asked for (0) or something is not understood (2).
 */
export function labOptions(name, defaults) {
  const lines = [...Object.keys(defaults), 'keep'].map(
    (flag) => `  --${flag} ${MEANINGS[flag]}${defaults[flag] === undefined ? '' : `; ${defaults[flag]} unless given`}`,
  )
  const usage = [`usage: npm run ${name} -- [options], as root`, ...lines].join('\n')
  const types = Object.keys({ ...defaults, keep: '' }).map((flag) => [flag, { type: 'string' }])
  const given = { ...defaults, ...scriptOptions(usage, Object.fromEntries(types)).values }
  const numbers = (flag) => numbersOf(given[flag]) ?? refuse(`--${flag} ${given[flag]}: no list of numbers.`, usage)
  const vpn = given.vpn.split(',')
  const stranger = vpn.find((kind) => !KINDS.includes(kind))
  if (stranger !== undefined) refuse(`--vpn ${stranger}: no such VPN.`, usage)
  if (given.part !== undefined && !['dns', 'mtu', 'connection', 'all'].includes(given.part)) {
    refuse(`--part ${given.part}: no such part.`, usage)
  }
  return { seeds: numbers('seeds'), vpn, scenarios: numbers('scenarios'), part: given.part, keep: given.keep }
}

/** `1-3,7` as numbers; undefined when it is something else. */
export function numbersOf(text) {
  if (!/^\d{1,4}(-\d{1,4})?(,\d{1,4}(-\d{1,4})?)*$/.test(text)) return undefined
  return text.split(',').flatMap((span) => {
    const [low, high = low] = span.split('-').map(Number)
    return Array.from({ length: Math.max(0, high - low + 1) }, (_, index) => low + index)
  })
}

/** Why nothing can be played; undefined when all is there. */
export function missing() {
  if (!existsSync(join(LAB, 'vpnlab'))) return 'the lab (../shared/lab) is not beside the project.'
  if (process.getuid() !== 0) return 'it makes network namespaces, which needs root.'
  if (!existsSync(CLI)) return 'dist/ is not there; `npm run build` makes it.'
  const check = spawnSync(join(LAB, 'vpnlab'), ['check'], { encoding: 'utf8' })
  return check.status === 0 ? undefined : `programs are missing: ${check.stdout.trim()} ${check.stderr.trim()}`
}

/** Plays one scenario (`['run', '15']`, or `['up', …]` with its own flags in `more`) into `out`; true when the lab is content. */
export function play(lab, [how, scenario], kind, seed, out, more = []) {
  process.stderr.write(`\rplaying scenario ${scenario}, ${kind}, seed ${seed}   `)
  const flags = [how, scenario, '--seed', `${seed}`, '--vpn', kind, '--out', out, ...more]
  const played = spawnSync(lab, flags, { encoding: 'utf8', timeout: RUN_TIMEOUT_MILLIS })
  process.stderr.write('\r')
  return played.status === 0
}

/** The lab's own folder cannot be written: a copy of its program with links to its parts, and our scenarios beside its own. */
export function labWithOurs(folder) {
  const lab = join(folder, 'lab')
  rmSync(lab, { recursive: true, force: true })
  mkdirSync(join(lab, 'scenarios'), { recursive: true })
  copyFileSync(join(LAB, 'vpnlab'), join(lab, 'vpnlab'))
  symlinkSync(join(LAB, 'lib'), join(lab, 'lib'))
  for (const from of [join(LAB, 'scenarios'), join(ROOT, 'test/lab/scenarios')]) {
    for (const name of readdirSync(from)) symlinkSync(join(from, name), join(lab, 'scenarios', name))
  }
  return join(lab, 'vpnlab')
}
