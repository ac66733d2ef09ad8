// Many clients, some of which never read: memory bounded, readers lose nothing, the others are told exactly what they
// were not sent. LOAD=long (npm run test:load) is 100 clients at 10,000 findings a second (LOAD_RATE) for a minute.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { compiled } from '../support/compiled.ts'

const isLong = process.env.LOAD === 'long'
const SIZE = isLong
  ? { clients: 100, deaf: 10, perSecond: Number(process.env.LOAD_RATE ?? 10_000), seconds: 60, maxRss: 700 << 20 }
  : { clients: 12, deaf: 2, perSecond: 2_000, seconds: 3, maxRss: 400 << 20 }

function start(entry: string, args: string[]): { child: ChildProcess; line(): Promise<unknown> } {
  const child = spawn(process.execPath, [compiled(entry), ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  return {
    child,
    async line() {
      const { value, done } = await lines.next()
      if (done) throw new Error(`${entry} ended early`)
      return value === 'ready' ? value : JSON.parse(value)
    },
  }
}

test(`${SIZE.clients} clients, ${SIZE.deaf} of them deaf, ${SIZE.perSecond} findings a second, ${SIZE.seconds} s`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tunnelscope-load-'))
  const service = start('test/support/load-service.ts', [folder, `${SIZE.perSecond}`, `${SIZE.seconds}`])
  await service.line()
  const clients = start('test/support/load-client.ts', [join(folder, 'api.sock'), `${SIZE.clients}`, `${SIZE.deaf}`])
  await clients.line()
  await new Promise((resolve) => setTimeout(resolve, 1000))
  service.child.stdin!.write('go\n')
  const report = (await service.line()) as Record<string, number>
  await new Promise((resolve) => setTimeout(resolve, isLong ? 3000 : 1000))
  clients.child.stdin!.write('stop\n')
  const readers = (await clients.line()) as { received: number; twice: number; gapCount: number; closed: boolean }[]
  service.child.stdin!.end()
  rmSync(folder, { recursive: true, force: true })

  const fast = readers.slice(SIZE.deaf)
  const gapped = fast.filter((reader) => reader.gapCount > 0).length
  console.log(
    `${report.stored} stored in ${report.seconds!.toFixed(1)} s, peak RSS ${(report.peakRss! / 2 ** 20).toFixed(0)} MB, ` +
      `peak queue ${report.peakWaiting}, service CPU ${report.cpuSeconds!.toFixed(1)} s; ` +
      `${fast.length} readers, ${gapped} with a gap, ${readers.filter((reader) => reader.closed).length} clients ended`,
  )
  expect(report.stored).toBe(report.published)
  expect(report.lost).toBe(0)
  expect(report.peakRss).toBeLessThan(SIZE.maxRss)
  for (const reader of fast) {
    expect(reader.twice).toBe(0)
    // Received or told: exact in any case.
    expect(reader.received + reader.gapCount).toBe(report.stored)
  }
  // In the short form this machine keeps up with all who read.
  if (!isLong) expect(gapped).toBe(0)
  for (const reader of readers.slice(0, SIZE.deaf)) expect(reader.received).toBeLessThan(report.stored!)
}, 300_000)
