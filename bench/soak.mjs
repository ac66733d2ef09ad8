// `npm run soak`, as root: the daemon under 50,000 packets a second of a million different flows, in namespaces of our own.
// Prints its memory without the ring, drops and CPU; exits 1 when memory grows over the last two thirds or is too much.
// usage: npm run soak -- [--minutes 30] [--pps 50000] [--flows 1000000]
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { positiveNumber, scriptOptions, wholeNumber } from '../scripts/script-options.mjs'
import { fail, layCable } from './cable.mjs'
import { packetSender } from './packet-sender.mjs'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
/** What the process may hold beside the kernel's ring. */
const MAX_MIB = 150
/** Growth over the last two thirds that is noise of the collector. */
const MAX_GROWTH_MIB = 8
const TICKS_PER_SECOND = 100
const FRAME_LEN = 42 + 32

const USAGE = `usage: npm run soak -- [options], as root
  --minutes N   30
  --pps N       packets a second, 50000
  --flows N     different ones, 1000000
  --main FILE   the compiled command line, dist/cli/main.js`
const { values } = scriptOptions(USAGE, {
  minutes: { type: 'string', default: '30' },
  pps: { type: 'string', default: '50000' },
  flows: { type: 'string', default: '1000000' },
  main: { type: 'string', default: join(ROOT, 'dist/cli/main.js') },
})
const minutes = positiveNumber('--minutes', values.minutes, USAGE)
const [pps, flows] = ['pps', 'flows'].map((name) => wholeNumber(`--${name}`, values[name], USAGE))

if (process.getuid() !== 0) fail('the soak makes network namespaces: run it as root')
if (!existsSync(values.main)) fail('nothing is built: npm run build')
if (spawnSync('which', ['ip']).status !== 0) fail('missing here: ip')

const folder = mkdtempSync(join(tmpdir(), 'tunnelscope-soak-'))
const sender = packetSender(folder)
const { near, far, remove } = layCable('tssoak')
const children = []
try {
  const file = join(folder, 'flows.pcap')
  makeFlows(file)
  process.exitCode = (await soak(file)) ? 0 : 1
} finally {
  for (const child of children) child.kill('SIGKILL')
  remove()
  rmSync(folder, { recursive: true })
}

async function soak(file) {
  const daemon = start(near, [process.execPath, values.main, 'daemon', '--no-service'])
  for (let waited = 0; !daemon.words.includes('watching'); waited++) {
    if (waited === 200) fail(`the daemon does not start: ${daemon.words}`)
    await sleep(100)
  }
  const replay = start(far, sender.command('v1', file, { pps }))
  console.log(
    `${flows} flows, ${pps} packets a second by ${sender.name}, ${minutes} minutes\n\nminute   MiB without ring   CPU s`,
  )
  const samples = []
  const every = Math.max(1, minutes) * 1000
  for (let at = every; at <= minutes * 60_000; at += every) {
    await sleep(every)
    samples.push(memoryMib(daemon.child.pid))
    const cpu = cpuSeconds(daemon.child.pid).toFixed(1)
    console.log(`${(at / 60_000).toFixed(2).padStart(6)} ${samples.at(-1).toFixed(1).padStart(18)} ${cpu.padStart(7)}`)
  }
  replay.child.kill('SIGTERM')
  await sleep(1000)
  daemon.child.kill('SIGTERM')
  await daemon.ended
  console.log(`\n${daemon.words.trim().split('\n').at(-1)}`)
  const late = samples.slice(Math.floor(samples.length / 3))
  const third = Math.max(1, Math.floor(late.length / 3))
  const growth = mean(late.slice(-third)) - mean(late.slice(0, third))
  const most = Math.max(...samples)
  console.log(
    `most ${most.toFixed(1)} MiB (allowed ${MAX_MIB}), growth ${growth.toFixed(1)} MiB (allowed ${MAX_GROWTH_MIB})`,
  )
  return most <= MAX_MIB && growth <= MAX_GROWTH_MIB
}

function start(namespace, argv) {
  const child = spawn('ip', ['netns', 'exec', namespace, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] })
  const started = { child, words: '', ended: new Promise((resolve) => child.once('close', resolve)) }
  children.push(child)
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      started.words = (started.words + text).slice(-100_000)
    })
  }
  return started
}

/** Resident memory but for the ring, which is a mapping of its socket. */
function memoryMib(pid) {
  let kib = 0
  let isRing = false
  for (const line of readFileSync(`/proc/${pid}/smaps`, 'utf8').split('\n')) {
    if (/^[0-9a-f]+-[0-9a-f]+ /.test(line)) isRing = line.includes('socket:')
    else if (line.startsWith('Rss:') && !isRing) kib += Number.parseInt(line.slice(4), 10)
  }
  return kib / 1024
}

function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

/** One UDP packet for each flow: another address and port each time. */
function makeFlows(path) {
  const fd = openSync(path, 'w')
  const head = Buffer.alloc(24)
  head.writeUInt32LE(0xa1b2c3d4, 0)
  head.writeUInt16LE(2, 4)
  head.writeUInt16LE(4, 6)
  head.writeUInt32LE(65535, 16)
  head.writeUInt32LE(1, 20)
  writeSync(fd, head)
  const piece = 10_000
  for (let from = 0; from < flows; from += piece) {
    const count = Math.min(piece, flows - from)
    const bytes = Buffer.alloc(count * (16 + FRAME_LEN))
    for (let i = 0; i < count; i++) writeFlow(bytes, i * (16 + FRAME_LEN), from + i)
    writeSync(fd, bytes)
  }
  closeSync(fd)
}

function writeFlow(bytes, at, flow) {
  bytes.writeUInt32LE(FRAME_LEN, at + 8)
  bytes.writeUInt32LE(FRAME_LEN, at + 12)
  bytes.write('0200000000020200000000010800', at + 16, 'hex')
  const ipAt = at + 30
  bytes[ipAt] = 0x45
  bytes.writeUInt16BE(FRAME_LEN - 14, ipAt + 2)
  bytes[ipAt + 8] = 64
  bytes[ipAt + 9] = 17
  bytes.set([10, 9, 0, 1, 10, 10, (flow >> 8) & 0xff, flow & 0xff], ipAt + 12)
  bytes.writeUInt16BE(1024 + ((flow >> 16) & 0xff), ipAt + 20)
  bytes.writeUInt16BE(4000, ipAt + 22)
  bytes.writeUInt16BE(FRAME_LEN - 34, ipAt + 24)
}

function mean(numbers) {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length
}
