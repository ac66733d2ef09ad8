// `npm run bench:latency`, as root: how long from the wire to a finding at 50,000 packets a second, in namespaces of our own.
// Damaged DNS messages leave one by one; each makes a finding grow, and is timed until the daemon's line and until a WebSocket
// client has it (stored in between). Then the same for questions that leave past a tunnel, which are judged by their answers.
// usage: npm run bench:latency -- [packets a second]
import { spawn, spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { scriptOptions, wholeNumber } from '../scripts/script-options.mjs'
import { fail, ip, layCable } from './cable.mjs'
import { packetSender } from './packet-sender.mjs'

const SAMPLES = 1000
const LEAK_SAMPLES = 200
const RESOLVER = '10.9.0.1'
/** Nobody answers there: an answer would be damaged as well. */
const SILENT = '10.9.0.3'
const USAGE = 'usage: npm run bench:latency -- [packets a second], as root; 50000 unless given'
/** Our own children are `daemon` and `probe`, with two paths. */
const [role = '50000', socketPath, storePath] = scriptOptions(
  USAGE,
  {},
  process.argv[2] === 'daemon' || process.argv[2] === 'probe' ? 3 : 1,
).words
/** Milliseconds of a clock that all processes share. */
const now = () => Number(process.hrtime.bigint()) / 1e6

if (role === 'daemon') await daemon()
else if (role === 'probe') await probe()
else await main(wholeNumber('packets a second', role, USAGE))

/** The daemon as the command starts it; at its end, the time of every line by finding and count. */
async function daemon() {
  const { startDaemon } = await import('../dist/daemon/daemon.js')
  const lines = { 'traffic-malformed': [], 'dns-leak': [] }
  const running = await startDaemon({
    capture: { version: 'bench', tunnels: [], physicals: [], vpnResolvers: [] },
    service: { storePath, socketPath },
    onFinding: ({ id, count }) => note(lines, id, count),
    tell() {},
  })
  process.stdout.write('ready\n')
  await once(process.stdin, 'data')
  running.stop()
  const { packets, dropped } = await running.ended
  process.stdout.write(`${JSON.stringify({ lines, packets, dropped })}\n`)
  process.exit(0)
}

/** Sends, and hears the stream. Prints when each was sent, and when each was heard. */
async function probe() {
  const { createClient } = await import('../dist/api/client.js')
  const heard = { 'traffic-malformed': [], 'dns-leak': [] }
  const client = createClient({ socketPath }).stream(
    {},
    {
      message(message) {
        if (message.type === 'finding') note(heard, message.finding.id, message.finding.count)
      },
      failed(error) {
        throw error
      },
    },
  )
  await sleep(2000)
  const socket = createSocket('udp4')
  const sent = { 'traffic-malformed': [], 'dns-leak': [] }
  const damaged = Buffer.from('000101000001000000000000ffff', 'hex')
  for (let i = 0; i < SAMPLES; i++) {
    sent['traffic-malformed'].push(now())
    socket.send(damaged, 53, SILENT)
    await sleep(10 + Math.random() * 10)
  }
  const tunnel = spawn('python3', [fileURLToPath(new URL('../test/daemon/programs/tunnel.py', import.meta.url))])
  tunnel.stdin.write('up\n')
  await once(tunnel.stdout, 'data')
  // Questions are told in order, and those before were not answered: their time must be over.
  await sleep(5500)
  for (let i = 0; i < LEAK_SAMPLES; i++) {
    sent['dns-leak'].push(now())
    socket.send(question(i), 53, RESOLVER)
    await sleep(20 + Math.random() * 20)
  }
  await sleep(1000)
  tunnel.stdin.write('end\n')
  client.close()
  process.stdout.write(`${JSON.stringify({ sent, heard })}\n`, () => process.exit(0))
}

/** The first `count` of these have been told by now. */
function note(times, id, count) {
  const of = times[id]
  if (of === undefined) return
  const time = now()
  while (of.length < count) of.push(time)
}

/** An A question for nI.example. */
function question(i) {
  const label = Buffer.from(`n${i}`)
  const head = Buffer.from('000001000001000000000000', 'hex')
  head.writeUInt16BE(i)
  const tail = Buffer.from('\x07example\x00\x00\x01\x00\x01', 'latin1')
  return Buffer.concat([head, Buffer.from([label.length]), label, tail])
}

async function main(pps) {
  if (process.getuid() !== 0) fail('this bench makes network namespaces: run it as root')
  if (!existsSync(new URL('../dist/daemon/daemon.js', import.meta.url))) fail('nothing is built: npm run build')
  const missing = ['ip', 'python3'].filter((name) => spawnSync('which', [name]).status !== 0)
  if (missing.length > 0) fail(`missing here: ${missing.join(', ')}`)
  const folder = mkdtempSync(join(tmpdir(), 'tunnelscope-latency-'))
  const sender = packetSender(folder)
  const { near, far, remove } = layCable('tslat')
  const children = []
  const start = (space, words) => {
    const child = spawn('ip', ['netns', 'exec', space, ...words], { stdio: ['pipe', 'pipe', 'inherit'] })
    children.push(child)
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    return { child, line: async () => (await lines.next()).value }
  }
  try {
    ip('-n', near, 'addr', 'add', '10.9.0.2/24', 'dev', 'v0')
    ip('-n', far, 'addr', 'add', `${RESOLVER}/24`, 'dev', 'v1')
    ip('-n', far, 'addr', 'add', `${SILENT}/24`, 'dev', 'v1')
    const file = join(folder, 'traffic.pcap')
    writeFileSync(file, traffic())
    start(far, ['python3', fileURLToPath(new URL('../test/daemon/programs/answer.py', import.meta.url)), RESOLVER])
    const paths = [join(folder, 'api.sock'), join(folder, 'store.db')]
    const self = fileURLToPath(import.meta.url)
    const watching = start(near, [process.execPath, self, 'daemon', ...paths])
    await watching.line()
    const from = now()
    start(far, sender.command('v1', file, { pps }))
    const probing = start(near, [process.execPath, self, 'probe', ...paths])
    const { sent, heard } = JSON.parse(await probing.line())
    const seconds = (now() - from) / 1000
    watching.child.stdin.write('end\n')
    const { lines, packets, dropped } = JSON.parse(await watching.line())
    console.log(`${packets} packets, ${Math.round(packets / seconds / 1000)} kpps, ${dropped} dropped\n`)
    console.log('                               of    p50     p99  slowest, ms')
    for (const id of Object.keys(sent)) {
      print(`${id}, to the line`, sent[id], lines[id])
      print(`${id}, to a client`, sent[id], heard[id])
    }
  } finally {
    for (const child of children) child.kill('SIGKILL')
    await sleep(100)
    remove()
    rmSync(folder, { recursive: true })
  }
}

function print(what, sent, told) {
  const millis = told.slice(0, sent.length).map((time, index) => time - sent[index])
  millis.sort((a, b) => a - b)
  const at = (share) => (millis[Math.floor((millis.length - 1) * share)] ?? Number.NaN).toFixed(1)
  const counts = `${millis.length}/${sent.length}`
  console.log(
    `${what.padEnd(30)} ${counts.padStart(9)} ${at(0.5).padStart(6)} ${at(0.99).padStart(7)} ${at(1).padStart(8)}`,
  )
}

/** 10,000 small UDP packets of as many flows. */
function traffic() {
  const head = Buffer.alloc(24)
  head.writeUInt32LE(0xa1b2c3d4, 0)
  head.writeUInt16LE(2, 4)
  head.writeUInt16LE(4, 6)
  head.writeUInt32LE(65535, 16)
  head.writeUInt32LE(1, 20)
  const records = Array.from({ length: 10_000 }, (_, i) => {
    const record = Buffer.alloc(16 + 106)
    record.writeUInt32LE(106, 8)
    record.writeUInt32LE(106, 12)
    record.write('ffffffffffff0200000000010800', 16, 'hex')
    record[30] = 0x45
    record.writeUInt16BE(92, 32)
    record[38] = 64
    record[39] = 17
    record.set([10, 9, 0, 1, 10, 9, 0, 2], 42)
    record.writeUInt16BE(1024 + i, 50)
    record.writeUInt16BE(4000, 52)
    record.writeUInt16BE(72, 54)
    return record
  })
  return Buffer.concat([head, ...records])
}
