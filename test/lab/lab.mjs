// The lab beside the project (a small internet in network namespaces, ../shared/lab), for the scripts that play it.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
export const LAB = join(ROOT, '../shared/lab')
export const CLI = join(ROOT, 'dist/cli/main.js')
const RUN_TIMEOUT_MILLIS = 120_000

/** The word after `--name`. */
export function option(name, otherwise) {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? otherwise : process.argv[at + 1]
}

/** `1-3,7` as numbers. */
export function numbers(text) {
  return text.split(',').flatMap((span) => {
    const [low, high = low] = span.split('-').map(Number)
    return Array.from({ length: high - low + 1 }, (_, index) => low + index)
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
