// `npm run bench:live`, as root: a million packets, at top speed unless a pace is given, through a veth pair in namespaces of our own, caught by the
// daemon with its whole analysis, by our ring alone, by `tcpdump -i any -w /dev/null` and by dumpcap, one after the other;
// then the same packets as a file through `analyze`. Prints packets, drops and CPU seconds.
// usage: npm run bench:live -- [rounds [packets a second]]
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { scriptOptions, wholeNumber } from '../scripts/script-options.mjs'
import { fail, layCable } from './cable.mjs'
import { packetSender } from './packet-sender.mjs'

const PACKETS = 1_000_000
const FRAMES = 10_000
const USAGE = 'usage: npm run bench:live -- [rounds [packets a second]], as root; 3 rounds, as fast as it goes'
const [rounds = '3', pace = '0'] = scriptOptions(USAGE, {}, 2).words
const ROUNDS = wholeNumber('rounds', rounds, USAGE)
/** 0 = as fast as it goes. */
const PPS = wholeNumber('packets a second', pace, USAGE, 0)
const ROOT = fileURLToPath(new URL('..', import.meta.url))
const TICKS_PER_SECOND = 100

/** What is measured: the command, and how its own words tell packets and drops. */
const CAPTURERS = {
  'tunnelscope daemon': {
    argv: [process.execPath, join(ROOT, 'dist/cli/main.js'), 'daemon', '--no-service'],
    packets: /(\d+) packets captured/,
    dropped: /(\d+) dropped by the kernel/,
    ready: /watching/,
  },
  'tunnelscope ring': {
    argv: [process.execPath, fileURLToPath(new URL('./live-ring.mjs', import.meta.url))],
    packets: /packets (\d+)/,
    dropped: /dropped (\d+)/,
    ready: /reading/,
  },
  'tcpdump -i any': {
    argv: ['tcpdump', '-i', 'any', '-w', '/dev/null'],
    packets: /(\d+) packets captured/,
    dropped: /(\d+) packets dropped by kernel/,
  },
  'dumpcap -i any': {
    argv: ['dumpcap', '-q', '-i', 'any', '-w', '/dev/null'],
    packets: /Packets captured: (\d+)/,
    dropped: /received\/dropped on interface 'any': \d+\/(\d+)/,
  },
}

if (process.getuid() !== 0) fail('bench:live makes network namespaces: run it as root')
if (!existsSync(join(ROOT, 'dist/capture/ring-source.js'))) fail('nothing is built: npm run build')
const missing = ['ip', 'tcpdump', 'dumpcap'].filter((name) => spawnSync('which', [name]).status !== 0)
if (missing.length > 0) fail(`missing here: ${missing.join(', ')}`)

const folder = mkdtempSync(join(tmpdir(), 'tunnelscope-live-'))
const sender = packetSender(folder)
const { near, far, remove } = layCable('tsbench')
try {
  const file = join(folder, 'packets.pcap')
  makePackets(file, 1)
  const whole = join(folder, 'whole.pcap')
  makePackets(whole, PACKETS / FRAMES)
  console.log(`${PACKETS} packets, mixed sizes, by ${sender.name}, ${ROUNDS} rounds\n`)
  console.log('capturer             packets   dropped      kpps   CPU s')
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, capturer] of Object.entries(CAPTURERS)) await measure(name, capturer, file)
    offline(whole)
  }
} finally {
  remove()
  rmSync(folder, { recursive: true })
}

async function measure(name, { argv, packets, dropped, ready = / on |Capturing/ }, file) {
  const child = spawn('ip', ['netns', 'exec', near, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] })
  let words = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      words += text
    })
  }
  for (let waited = 0; waited < 100 && !ready.test(words); waited++) await sleep(100)
  await sleep(500)
  const atRest = cpuSeconds(child.pid)
  const replay = spawn('ip', [
    'netns',
    'exec',
    far,
    ...sender.command('v1', file, { loops: PACKETS / FRAMES, pps: PPS }),
  ])
  let said = ''
  replay.stdout.setEncoding('utf8').on('data', (text) => {
    said += text
  })
  await new Promise((resolve) => replay.once('close', resolve))
  await sleep(300)
  const used = cpuSeconds(child.pid) - atRest
  const ended = new Promise((resolve) => child.once('close', resolve))
  child.kill('SIGINT')
  await ended
  const number = (pattern) => Number(pattern.exec(words)?.[1] ?? Number.NaN)
  const kpps = Number(sender.pattern.exec(said)?.[1] ?? Number.NaN) / 1000
  console.log(
    `${name.padEnd(18)} ${String(number(packets)).padStart(9)} ${String(number(dropped)).padStart(9)} ${kpps.toFixed(0).padStart(9)} ${used.toFixed(2).padStart(7)}`,
  )
}

/** User and system time of a process with the children it has waited for: all of it, whatever thread. */
function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_SECOND
}

/** Analysis of the same packets from a file, start-up subtracted: what the daemon's CPU is to be held against. */
function offline(file) {
  const main = join(ROOT, 'dist/cli/main.js')
  const run = (words) => childCpu(() => spawnSync(process.execPath, [main, ...words]))
  const used = run(['analyze', '--json', file]) - run(['--version'])
  console.log(
    `${'analyze FILE'.padEnd(18)} ${String(PACKETS).padStart(9)} ${'-'.padStart(9)} ${'-'.padStart(9)} ${used.toFixed(2).padStart(7)}`,
  )
}

/** CPU seconds of the children that `action` runs and waits for. */
function childCpu(action) {
  const before = childTicks()
  action()
  return (childTicks() - before) / TICKS_PER_SECOND
}

function childTicks() {
  const fields = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return Number(fields[13]) + Number(fields[14])
}

/** FRAMES packets, so many times over. */
function makePackets(path, times) {
  const sizes = [64, 64, 90, 120, 300, 600, 1400]
  const head = Buffer.alloc(24)
  head.writeUInt32LE(0xa1b2c3d4, 0)
  head.writeUInt16LE(2, 4)
  head.writeUInt16LE(4, 6)
  head.writeUInt32LE(65535, 16)
  head.writeUInt32LE(1, 20)
  const parts = [head]
  for (let i = 0; i < FRAMES; i++) {
    const payloadLen = sizes[(i * 7919) % sizes.length]
    const record = Buffer.alloc(16 + 42 + payloadLen)
    record.writeUInt32LE(i, 0)
    record.writeUInt32LE(42 + payloadLen, 8)
    record.writeUInt32LE(42 + payloadLen, 12)
    record.write('0200000000020200000000010800', 16, 'hex')
    record[30] = 0x45
    record.writeUInt16BE(28 + payloadLen, 32)
    record[38] = 64
    record[39] = 17
    record.set([10, 9, 0, 1, 10, 9, 0, 2], 42)
    record.writeUInt16BE(1024 + i, 50)
    record.writeUInt16BE(53, 52)
    record.writeUInt16BE(8 + payloadLen, 54)
    parts.push(record)
  }
  const [start, ...records] = parts
  const once = Buffer.concat(records)
  writeFileSync(path, Buffer.concat([start, ...new Array(times).fill(once)]))
}
