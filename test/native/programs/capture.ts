// Captures until SIGTERM and prints what it saw. Arguments as JSON: RingSource's options and `file` to write.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { ContextWatch } from '../../../src/capture/context-watch.ts'
import { PcapngWriter } from '../../../src/capture/pcapng-writer.ts'
import { RingSource } from '../../../src/capture/ring-source.ts'

const options = JSON.parse(process.argv[2] ?? '{}')
const links = new ContextWatch()
// Leaves this process so much more address space, so that a large ring cannot be mapped.
if (options.addressSpaceLeft !== undefined) {
  const now = Number(/VmSize:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]) * 1024
  execFileSync('prlimit', [`--pid=${process.pid}`, `--as=${now + options.addressSpaceLeft}:unlimited`])
}
const source = new RingSource({ links, ...options })
const writer = options.file && new PcapngWriter(options.file, { application: 'test', context: links.takeChanges()[0]! })
process.on('SIGTERM', () => source.stop())
if (options.addressSpaceLeft !== undefined) execFileSync('prlimit', [`--pid=${process.pid}`, '--as=unlimited'])
console.log('ready')

const rows: Record<string, number>[] = []
const perInterface: Record<string, number> = {}
let count = 0
let ticks = 0
let backwards = 0
let outgoing = 0
let last = 0
for (;;) {
  const batch = await source.next()
  if (batch === undefined) break
  for (const context of links.takeChanges()) writer?.noteContext(context)
  writer?.write(batch, source.interfaces)
  if (batch.count === 0) ticks++
  for (let row = 0; row < batch.count; row++) {
    count++
    if (batch.direction[row] === 2) outgoing++
    if (batch.timeMicros[row]! < last) backwards++
    last = batch.timeMicros[row]!
    const name = source.interfaces[batch.interfaceId[row]!]!.name!
    perInterface[name] = (perInterface[name] ?? 0) + 1
    if (rows.length < 100) {
      rows.push({
        version: batch.bytes[batch.startAt[row]!]! >> 4,
        protocol: batch.bytes[batch.startAt[row]! + 9]!,
        capturedLen: batch.capturedLen[row]!,
        wireLen: batch.wireLen[row]!,
        frameNumber: batch.frameNumber[row]!,
      })
    }
  }
  batch.release()
}
const statistics = source.statistics()
writer?.close(source.interfaces, Date.now() * 1000, statistics.dropped)
await source.close()
const { user, system } = process.cpuUsage()
console.log(
  JSON.stringify({
    count,
    ticks,
    backwards,
    outgoing,
    perInterface,
    interfaces: source.interfaces.map(({ name }) => name),
    statistics,
    ringLen: source.ringLen,
    shortage: source.shortage,
    input: source.inputs[0],
    rows,
    cpuSeconds: (user + system) / 1e6,
    afterClose: (await source.next()) === undefined,
  }),
)
links.close()
