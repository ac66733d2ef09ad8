// `npm run bench`: whole processes of tunnelscope beside the tools a user would pick instead, on the same files, in one run.
// Prints the table and writes docs/benchmarks.md. Rounds are interleaved so that a slow minute hits everybody.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { cpus, release, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { makeCapture } from './make-capture.mjs'
import { cutPcap } from './slice.mjs'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const MIX = join(ROOT, '../shared/captures/mix.py')
const TIME = '/usr/bin/time'

const USAGE = `usage: npm run bench -- [options]
  --mb N             size of each capture in megabytes, 1000
  --rounds N         measured rounds of each command, 5; tshark is measured once
  --captures LIST    of web,dns,shared; all that can be made
  --peers LIST       of tshark,dnstop,tcpdump,capinfos; all that are installed
  --tshark-slice N   give tshark only the first N megabytes and scale its time; the report says so
  --dir DIR          where the captures are made; a temporary folder
  --no-write         print only, leave docs/benchmarks.md alone`

const OPTIONS = {
  mb: { type: 'string', default: '1000' },
  rounds: { type: 'string', default: '5' },
  captures: { type: 'string', default: 'web,dns,shared' },
  peers: { type: 'string', default: 'tshark,dnstop,tcpdump,capinfos' },
  'tshark-slice': { type: 'string' },
  dir: { type: 'string', default: tmpdir() },
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
    rmSync(capture.path)
  }
  const report = reportOf(tables)
  for (const note of notes) console.log(note)
  if (!options.noWrite) {
    writeFileSync(join(ROOT, 'docs/benchmarks.md'), report)
    console.log('\ndocs/benchmarks.md written')
  }
}

function readOptions() {
  try {
    const { values } = parseArgs({ options: OPTIONS })
    const captures = values.captures.split(',')
    const peers = values.peers === '' ? [] : values.peers.split(',')
    const unknown = [
      ...captures.filter((name) => !['web', 'dns', 'shared'].includes(name)),
      ...peers.filter((name) => !COMMANDS[name]),
    ]
    if (unknown.length > 0) fail(`unknown name ${unknown.join(', ')}\n${USAGE}`)
    return {
      megabytes: Number(values.mb),
      rounds: Number(values.rounds),
      captures,
      peers,
      tsharkSlice: values['tshark-slice'] === undefined ? undefined : Number(values['tshark-slice']),
      dir: values.dir,
      noWrite: values['no-write'],
    }
  } catch (error) {
    return fail(`${error.message}\n${USAGE}`)
  }
}

function prepare(name) {
  const path = join(folder, `${name}.pcap`)
  process.stderr.write(`making ${name}, ${options.megabytes} MB\n`)
  if (name === 'shared') {
    if (!existsSync(MIX)) {
      notes.push('The mix of recorded captures was left out: the folder ../shared/captures is not here.')
      return undefined
    }
    const repeat = Math.ceil(options.megabytes / 20)
    const made = spawnSync('python3', [MIX, path, '--mb', String(options.megabytes), '--repeat', String(repeat)])
    if (made.status !== 0) fail(`mix.py: ${made.stderr}`)
  } else makeCapture(path, { megabytes: options.megabytes, mix: name })
  const description = {
    web: 'made: bulk TLS, QUIC, HTTP, a little DNS, a fifth IPv6',
    dns: 'made: four of five packets are DNS',
    shared: 'mixed from about 600 recorded captures, repeated',
  }[name]
  return { name, path, description, bytes: statSync(path).size, packets: packetCountOf(path) }
}

function packetCountOf(path) {
  return cutPcap(path, Number.POSITIVE_INFINITY).packets
}

/** Every command over one capture; gives one row a command with medians. */
function measure(capture, names) {
  const samples = new Map(names.map((name) => [name, []]))
  // One unmeasured pass puts the file and the build into the page cache.
  run('tunnelscope', capture.path)
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
    const ratio = name === 'tunnelscope' ? '' : `${ratioText(ours.wall / wall)}, ${ratioText(ours.cpu / cpu)} CPU`
    const promise = limit === undefined ? '' : `${limitText(limit)}: ${ours.wall / wall <= limit ? 'met' : 'MISSED'}`
    const scaled = scaledFrom === undefined ? '' : ` (scaled from ${scaledFrom} MB)`
    return `| \`${command}\`${scaled} | ${wall.toFixed(2)} | ${cpu.toFixed(2)} | ${rss.toFixed(0)} | ${rounds} | ${ratio} | ${promise} |`
  })
  const rate = `${(capture.bytes / 1e6 / ours.wall).toFixed(0)} MB/s, ${(capture.packets / 1e6 / ours.wall).toFixed(2)} M packets/s`
  return [
    `### ${capture.name}: ${capture.description}`,
    '',
    `${(capture.bytes / 1e6).toFixed(0)} MB, ${capture.packets} packets. tunnelscope: ${rate}, peak memory ${ours.rss.toFixed(0)} MB` +
      ` (promise ≤ ${RSS_LIMIT_MB} MB: ${ours.rss <= RSS_LIMIT_MB ? 'met' : 'MISSED'}).`,
    '',
    '| command | wall s | CPU s | peak MB | rounds | tunnelscope takes, of its time | promise |',
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
    'Whole processes, start to end, output thrown away, file in the page cache, commands interleaved round by round; medians of wall',
    'time. tshark is measured once. The peers do less (dnstop only counts DNS, tcpdump only copies) or more (tshark knows',
    'thousands of protocols); the table is here to say what a question costs, not who is better.',
    '',
    `Machine: ${machine()}`,
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
