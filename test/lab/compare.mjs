// Plays the lab and shows what `compare` says of each run, a line for each site, and whether the lab's truth agrees.
//   npm run test:compare -- [--seeds 1-3] [--vpn wg,ovpn,tun] [--scenarios 10-12,15-18] [--keep DIR]
// Needs root and the lab's programs; says so when they are not there. DIR also serves `LAB_RUNS=DIR npm test -- test/lab`.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CLI, LAB, labOptions, missing, play } from './lab.mjs'

const DEFAULTS = { seeds: '1-3', vpn: 'wg,ovpn,tun', scenarios: '10-12,15-18' }
const { seeds, vpn, scenarios, keep: kept } = labOptions('test:compare', DEFAULTS)
const why = missing()
if (why !== undefined) {
  console.log(`test:compare did not run: ${why}`)
  process.exit(0)
}
const folder = kept ?? mkdtempSync(join(tmpdir(), 'tunnelscope-compare-'))
let wrong = 0

for (const scenario of scenarios) {
  for (const kind of vpn) {
    for (const seed of seeds) {
      const out = join(folder, `${kind}-${seed}`, `${scenario}`)
      if (!existsSync(join(out, 'truth.json'))) play(join(LAB, 'vpnlab'), ['run', `${scenario}`], kind, seed, out)
      if (existsSync(join(out, 'truth.json'))) show(scenario, `${kind}-${seed}`, out)
      else console.log(`${scenario}  ${kind}-${seed}  the lab itself failed`)
    }
  }
}
if (kept === undefined) rmSync(folder, { recursive: true })
console.log(wrong === 0 ? 'all right' : `${wrong} wrong`)
process.exitCode = wrong === 0 ? 0 : 1

function show(scenario, run, out) {
  const truth = JSON.parse(readFileSync(join(out, 'truth.json'), 'utf8'))
  const single = readdirSync(out).filter((name) => /^(?!merged).*\.pcapng$/.test(name))
  const input = existsSync(join(out, 'merged.pcapng')) ? 'merged.pcapng' : single.join()
  const made = spawnSync(process.execPath, [CLI, 'compare', '--json', input], { cwd: out, encoding: 'utf8' })
  const { sites, notes } = JSON.parse(made.stdout)
  const faults = faultsOf(scenario, truth, sites, notes)
  wrong += faults.length > 0 ? 1 : 0
  const differing = sites.filter((one) => one.verdict === 'differs')
  const rows = differing.map(({ host, difference: d }) => `${host}: ${d?.axis} ${d?.cause}, ${d?.confidence}`)
  if (rows.length === 0) rows.push(['no difference that matters', ...new Set(notes.map((one) => one.id))].join('; '))
  const judged = faults.length === 0 ? 'ok' : `WRONG: ${faults.join('; ')}`
  for (const row of rows) console.log(`${scenario}  ${run.padEnd(7)} ${judged.padEnd(4)} ${row}`)
}

/** What the lab did, against what is said: which sites, which axis, and the values in the sentence. */
function faultsOf(scenario, truth, sites, notes) {
  const faults = []
  const failed = truth.http.filter((one) => Number.isNaN(Number(one.result)) || Number(one.result) >= 400)
  const expected = new Set(failed.map((one) => one.host))
  const differing = sites.filter((one) => one.verdict === 'differs')
  if (scenario === 17) {
    const slowest = truth.dns_timing.toSorted((a, b) => b.expected_ms - a.expected_ms)[0].server
    if (!differing.some(({ summary }) => summary.includes(slowest))) faults.push(`not said: ${slowest} is slow`)
  }
  if (scenario === 12) {
    // No site suffers: the kernel sends in fragments from then on. The cause is said of the epoch, with its size.
    const size = `takes ${truth.mtu.ptb_next_hop_mtu} bytes`
    if (!notes.some((one) => one.id === 'mtu-outer-ptb' && one.summary.includes(size))) faults.push(`not said: ${size}`)
  }
  for (const host of expected) if (!differing.some((one) => one.host === host)) faults.push(`${host} not told`)
  for (const one of differing) {
    if (scenario !== 17 && !expected.has(one.host)) faults.push(`${one.host} invented`)
    const [axis, words] = wanted(scenario, truth, one.host)
    if (one.difference?.axis !== axis) faults.push(`${one.host}: ${one.difference?.axis} instead of ${axis}`)
    for (const word of words) if (!one.summary.includes(word)) faults.push(`${one.host}: ${word} not quoted`)
  }
  return faults
}

/** The axis, and what the sentence has to quote. */
function wanted(scenario, truth, host) {
  const visits = truth.http.filter((one) => one.host === host)
  const bad = visits.find((one) => Number(one.result) >= 400)
  switch (scenario) {
    case 15:
      return [bad.result === '502' ? 'gateway' : 'address-range', [`${bad.result} came from nginx`, bad.ip]]
    case 16:
      return ['dns', [...new Set(visits.map((one) => one.ip))]]
    case 17:
      return ['dns', []]
    case 18: {
      const reset = truth.tls_reset.find((one) => one.host === host)
      return ['tls', [`TTL ${reset.rst_ttl}, the server's own packets with ${reset.server_ttl}`]]
    }
    default:
      return ['mtu', ['bytes die']]
  }
}
