// `npm run bench`: whole processes of tunnelscope beside the tools a user would pick instead, on the same files, in one run.
// Prints the table and writes docs/benchmarks.md. Rounds are interleaved so that a slow minute hits everybody.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { refuse, scriptOptions, wholeNumber } from '../scripts/script-options.mjs'
import { makeCapture } from './make-capture.mjs'
import { cutPcap } from './slice.mjs'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const MIX = join(ROOT, '../shared/captures/mix.py')
const TIME = '/usr/bin/time'

const USAGE = `usage: npm run bench -- [options]
  --mb N             size of each capture in megabytes, 1000
  --rounds N         measured rounds of each command, 5; tshark is measured once
  --captures LIST    of web,dns,shared,shared-dns; all that can be made
  --peers LIST       of tshark,dnstop,tcpdump,capinfos; all that are installed
  --tshark-slice N   give tshark only the first N megabytes and scale its time; the report says so
  --dir DIR          where the captures are made; a temporary folder
  --keep             leave the captures in DIR, and take those that an earlier run left there
  --no-write         print only, leave docs/benchmarks.md alone`

const OPTIONS = {
  mb: { type: 'string', default: '1000' },
  rounds: { type: 'string', default: '5' },
  captures: { type: 'string', default: 'web,dns,shared,shared-dns' },
  peers: { type: 'string', default: 'tshark,dnstop,tcpdump,capinfos' },
  'tshark-slice': { type: 'string' },
  dir: { type: 'string', default: tmpdir() },
  keep: { type: 'boolean', default: false },
  'no-write': { type: 'boolean', default: false },
}

/** Each command as it is run; `limit` is what the project promises: our time as a multiple of the peer's. */
const COMMANDS = {
  tunnelscope: { argv: (file) => [process.execPath, join(ROOT, 'dist/cli/main.js'), 'analyze', '--json', file] },
  tshark: {
    argv: (file) => ['tshark', '-n', '-r', file, '-Y', 'dns', '-T', 'fields', '-e', 'dns.qry.name'],
    limit: 1 / 20,
  },
  dnstop: { argv: (file) => ['dnstop', '-4', '-6', file], limit: 3 },
  tcpdump: { argv: (file) => ['tcpdump', '-r', file, '-w', '/dev/null'], limit: 4 },
  capinfos: { argv: (file) => ['capinfos', '-M', '-c', '-d', file] },
}
const RSS_LIMIT_MB = 200

const DESCRIPTIONS = {
  web: 'made: bulk TLS, QUIC, HTTP, a little DNS, a fifth IPv6',
  dns: 'made: four of five packets are DNS',
  shared:
    'recorded captures of all kinds, one behind the other, repeated: new flows, fragments and faults all the time',
  'shared-dns': 'recorded captures with DNS in them, one behind the other, repeated',
}

const options = readOptions()
const notes = []
const folder = mkdtempSync(join(options.dir, 'tunnelscope-bench-'))
process.on('exit', () => rmSync(folder, { recursive: true }))
main()

function main() {
  if (!existsSync(TIME)) fail('/usr/bin/time is missing; install the package "time"')
  const peers = options.peers.filter((name) => {
    const found = spawnSync('which', [name]).status === 0
    if (!found) notes.push(`${name} is not installed here and was left out.`)
    return found
  })
  const tables = []
  for (const name of options.captures) {
    const capture = prepare(name)
    if (capture === undefined) continue
    const rows = measure(capture, ['tunnelscope', ...peers])
    tables.push({ capture, rows })
    console.log(`\n${tableOf({ capture, rows })}`)
    if (!options.keep) rmSync(capture.path)
  }
  const report = reportOf(tables)
  for (const note of notes) console.log(note)
  if (!options.noWrite) {
    writeFileSync(join(ROOT, 'docs/benchmarks.md'), report)
    console.log('\ndocs/benchmarks.md written')
  }
}

function readOptions() {
  const { values } = scriptOptions(USAGE, OPTIONS)
  const captures = values.captures.split(',')
  const peers = values.peers === '' ? [] : values.peers.split(',')
  const unknown = [
    ...captures.filter((name) => DESCRIPTIONS[name] === undefined),
    ...peers.filter((name) => !COMMANDS[name]),
  ]
  if (unknown.length > 0) refuse(`unknown name ${unknown.join(', ')}`, USAGE)
  const count = (name) => wholeNumber(`--${name}`, values[name], USAGE)
  return {
    megabytes: count('mb'),
    rounds: count('rounds'),
    captures,
    peers,
    tsharkSlice: values['tshark-slice'] === undefined ? undefined : count('tshark-slice'),
    dir: values.dir,
    keep: values.keep,
    noWrite: values['no-write'],
  }
}

function prepare(name) {
  const path = join(options.keep ? options.dir : folder, `${name}.pcap`)
  if (!options.keep || !existsSync(path)) {
    process.stderr.write(`making ${name}, ${options.megabytes} MB\n`)
    if (!make(name, path)) return undefined
  }
  return { name, path, description: DESCRIPTIONS[name], bytes: statSync(path).size, packets: packetCountOf(path) }
}

function make(name, path) {
  if (!name.startsWith('shared')) {
    makeCapture(path, { megabytes: options.megabytes, mix: name })
    return true
  }
  if (!existsSync(MIX)) {
    notes.push(`${name} was left out: the folder ../shared/captures is not here.`)
    return false
  }
  const only = name === 'shared-dns' ? ['--only', 'dns'] : []
  const repeat = String(Math.ceil(options.megabytes / 5))
  const made = spawnSync('python3', [MIX, path, '--mb', String(options.megabytes), '--repeat', repeat, ...only])
  if (made.status !== 0) fail(`mix.py: ${made.stderr}`)
  return true
}

function packetCountOf(path) {
  return cutPcap(path, Number.POSITIVE_INFINITY).packets
}

/** Every command over one capture; gives one row a command with medians. */
function measure(capture, names) {
  const samples = new Map(names.map((name) => [name, []]))
  // Counting its packets has put the file into the page cache.
  for (let round = 0; round < options.rounds; round++) {
    for (const name of names) {
      if (name === 'tshark' && round > 0) continue
      process.stderr.write(`${capture.name}: round ${round + 1}, ${name}\n`)
      samples.get(name).push(name === 'tshark' ? runTshark(capture) : run(name, capture.path))
    }
  }
  return names.map((name) => ({ name, ...medianOf(samples.get(name)) }))
}

function runTshark(capture) {
  if (options.tsharkSlice === undefined) return run('tshark', capture.path)
  const slice = join(folder, 'slice.pcap')
  const { packets } = cutPcap(capture.path, options.tsharkSlice * 1e6, slice)
  const sample = run('tshark', slice)
  rmSync(slice)
  const scale = capture.packets / packets
  return { wall: sample.wall * scale, cpu: sample.cpu * scale, rss: sample.rss, scaledFrom: options.tsharkSlice }
}

/** One whole process: seconds of wall time, seconds of CPU, peak resident megabytes. */
function run(name, file) {
  const argv = COMMANDS[name].argv(file)
  const result = spawnSync(TIME, ['-f', '%e %U %S %M', '-q', ...argv], {
    stdio: ['ignore', 'ignore', 'pipe'],
    maxBuffer: 64 << 20,
  })
  const [wall, user, system, rss] = result.stderr.toString().trim().split('\n').at(-1).split(' ').map(Number)
  if (result.status !== 0 || Number.isNaN(rss)) fail(`${argv.join(' ')} failed (${result.status}): ${result.stderr}`)
  return { wall, cpu: user + system, rss: rss / 1024 }
}

function medianOf(samples) {
  const median = (key) => samples.map((sample) => sample[key]).sort((a, b) => a - b)[samples.length >> 1]
  return {
    wall: median('wall'),
    cpu: median('cpu'),
    rss: median('rss'),
    rounds: samples.length,
    scaledFrom: samples[0].scaledFrom,
  }
}

function tableOf({ capture, rows }) {
  const ours = rows[0]
  const lines = rows.map(({ name, wall, cpu, rss, rounds, scaledFrom }) => {
    const { argv, limit } = COMMANDS[name]
    const command = argv('FILE')
      .join(' ')
      .replace(`${process.execPath} ${join(ROOT, 'dist/cli/main.js')}`, 'tunnelscope')
    const ratio = name === 'tunnelscope' ? '' : `${ratioText(ours.cpu / cpu)} (wall ${ratioText(ours.wall / wall)})`
    const promise = limit === undefined ? '' : `${limitText(limit)}: ${ours.cpu / cpu <= limit ? 'met' : 'MISSED'}`
    const scaled = scaledFrom === undefined ? '' : ` (scaled from ${scaledFrom} MB)`
    return `| \`${command}\`${scaled} | ${wall.toFixed(2)} | ${cpu.toFixed(2)} | ${rss.toFixed(0)} | ${rounds} | ${ratio} | ${promise} |`
  })
  const rate = `${(capture.bytes / 1e6 / ours.cpu).toFixed(0)} MB and ${(capture.packets / 1e6 / ours.cpu).toFixed(2)} M packets a CPU second`
  return [
    `### ${capture.name}: ${capture.description}`,
    '',
    `${(capture.bytes / 1e6).toFixed(0)} MB, ${capture.packets} packets. tunnelscope: ${rate}, peak memory ${ours.rss.toFixed(0)} MB` +
      ` (promise ≤ ${RSS_LIMIT_MB} MB: ${ours.rss <= RSS_LIMIT_MB ? 'met' : 'MISSED'}).`,
    '',
    '| command | wall s | CPU s | peak MB | rounds | tunnelscope takes, of its CPU time | promise |',
    '|---|---|---|---|---|---|---|',
    ...lines,
  ].join('\n')
}

function ratioText(ratio) {
  return ratio < 1 ? `1/${(1 / ratio).toFixed(1)}` : `${ratio.toFixed(2)} ×`
}

function limitText(limit) {
  return limit < 1 ? `≤ 1/${1 / limit}` : `≤ ${limit} ×`
}

function reportOf(tables) {
  return `${[
    '# Benchmarks',
    '',
    '<!-- Generated by `npm run bench`. Do not edit. -->',
    '',
    'Whole processes, start to end, output thrown away, file in the page cache, commands interleaved round by round; medians.',
    'Judged by CPU time (user and system, all threads, compiling included), for wall time says more about what else the',
    'machine was doing. tshark is measured once. The peers do less (dnstop only counts DNS, tcpdump only copies) or more',
    '(tshark knows thousands of protocols); the table is here to say what a question costs, not who is better.',
    'Where tshark was given a slice its start is scaled along with the rest, which makes it look slower than it is.',
    '',
    `Machine: ${machine()}. ${loadText()}`,
    '',
    ...tables.map((table) => `${tableOf(table)}\n`),
    ...notes,
  ]
    .join('\n')
    .trimEnd()}\n`
}

function machine() {
  const cores = cpus()
  const versions = options.peers.map(versionOf).filter((text) => text !== undefined)
  const memory = `${Math.round(totalmem() / 2 ** 30)} GB of memory`
  const system = `Linux ${release().split('-')[0]}, Node ${process.version.slice(1)}`
  return [`${cores.length} cores (${cores[0].model.trim()}), ${memory}`, system, ...versions].join('; ')
}

/** Neighbours take the caches: CPU times of a busy machine are upper bounds, their ratios hold better. */
function loadText() {
  const [, , load] = loadavg()
  const busy = load > cpus().length * 1.5
  return `Average load over the last quarter of an hour: ${load.toFixed(1)}${busy ? ', that is, shared with other work' : ''}.`
}

function versionOf(name) {
  const { stdout, stderr, error } = spawnSync(name, ['--version'])
  if (error !== undefined) return undefined
  const version = `${stdout}${stderr}`.match(/(?:tshark|tcpdump|capinfos)\D*?(\d+(?:\.\d+)+)/i)
  return version === null ? undefined : `${name} ${version[1]}`
}

function fail(sentence) {
  console.error(`bench: ${sentence}`)
  process.exit(2)
}
