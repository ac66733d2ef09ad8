// `node bench/live-latency.mjs`, as root: how long from the wire to a finding, at 50,000 packets a second, in namespaces of our
// own. Damaged DNS messages are sent one by one; each makes a finding grow. Prints p50, p99 and the slowest, milliseconds.
import { spawn, spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const SAMPLES = 500
const PPS = Number(process.argv[3] ?? 50_000)

if (process.argv[2] === 'inside') await inside()
else outside()

/** In the namespace: the daemon in this process, and who sends the damaged messages. */
async function inside() {
  const { startDaemon } = await import('../dist/daemon/daemon.js')
  const waiting = []
  const millis = []
  let count = 0
  const daemon = await startDaemon({
    capture: { version: 'bench', tunnels: [], physicals: [], vpnResolvers: [] },
    onFinding(finding) {
      if (finding.id !== 'traffic-malformed') return
      for (; count < finding.count; count++) millis.push(performance.now() - waiting.shift())
    },
    tell() {},
  })
  const socket = createSocket('udp4')
  const damaged = Buffer.from('000101000001000000000000ffff', 'hex')
  await sleep(2000)
  for (let i = 0; i < SAMPLES; i++) {
    waiting.push(performance.now())
    socket.send(damaged, 53, '10.9.0.1')
    await sleep(10 + Math.random() * 10)
  }
  await sleep(500)
  socket.close()
  daemon.stop()
  const { packets, dropped } = await daemon.ended
  millis.sort((a, b) => a - b)
  const at = (share) => millis[Math.floor((millis.length - 1) * share)]?.toFixed(1)
  console.log(`${millis.length} of ${SAMPLES}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, slowest ${at(1)} ms`)
  console.log(`${packets} packets, ${dropped} dropped`)
}

function outside() {
  if (process.getuid() !== 0) {
    console.error('this bench makes network namespaces: run it as root')
    process.exit(2)
  }
  const folder = mkdtempSync(join(tmpdir(), 'tunnelscope-latency-'))
  const [near, far] = ['a', 'b'].map((end) => `tslat${process.pid}${end}`)
  const ip = (...words) => spawnSync('ip', words, { stdio: 'inherit' })
  let replay
  try {
    for (const name of [near, far]) ip('netns', 'add', name)
    ip('-n', near, 'link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v1', 'netns', far)
    ip('-n', near, 'addr', 'add', '10.9.0.2/24', 'dev', 'v0')
    ip('-n', far, 'addr', 'add', '10.9.0.1/24', 'dev', 'v1')
    ip('-n', near, 'link', 'set', 'v0', 'up')
    ip('-n', far, 'link', 'set', 'v1', 'up')
    const file = join(folder, 'traffic.pcap')
    writeFileSync(file, traffic())
    replay = spawn('ip', ['netns', 'exec', far, 'tcpreplay', '-q', '-i', 'v1', `--pps=${PPS}`, '--loop=0', file])
    const self = fileURLToPath(import.meta.url)
    spawnSync('ip', ['netns', 'exec', near, process.execPath, self, 'inside'], { stdio: 'inherit' })
  } finally {
    replay?.kill('SIGTERM')
    for (const name of [near, far]) ip('netns', 'del', name)
    rmSync(folder, { recursive: true })
  }
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
