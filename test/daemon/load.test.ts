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
  ? {
      clients: 100,
      deaf: 10,
      slow: 10,
      perSecond: Number(process.env.LOAD_RATE ?? 10_000),
      seconds: Number(process.env.LOAD_SECONDS ?? 60),
      maxRss: 600 << 20,
      log: [],
    }
  : { clients: 14, deaf: 2, slow: 2, perSecond: 2_000, seconds: 5, maxRss: 400 << 20, log: [`${2 << 20}`] }

interface Reader {
  received: number
  twice: number
  gaps: { from: number; to: number; count: number }[]
  refetched: number
  closed: boolean
}

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

const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))
const gapCount = ({ gaps }: Reader) => gaps.reduce((sum, gap) => sum + gap.count, 0)

test(`${SIZE.clients} clients, ${SIZE.deaf} deaf and ${SIZE.slow} slow ones, ${SIZE.perSecond} findings a second, ${SIZE.seconds} s`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tunnelscope-load-'))
  const service = start('test/support/load-service.ts', [folder, `${SIZE.perSecond}`, `${SIZE.seconds}`, ...SIZE.log])
  await service.line()
  const counts = [SIZE.clients, SIZE.deaf, SIZE.slow].map(String)
  const clients = start('test/support/load-client.ts', [join(folder, 'api.sock'), ...counts])
  const tell = (word: string) => clients.child.stdin!.write(`${word}\n`)
  await clients.line()
  await pause(1000)
  service.child.stdin!.write('go\n')
  // The slow ones sleep in the middle, too long for the log and not long enough to be taken for dead.
  await pause(SIZE.seconds * 250)
  tell('pause')
  await pause(Math.min(SIZE.seconds * 500, 12_000))
  tell('go on')
  const report = (await service.line()) as Record<string, number>
  await pause(2000)
  tell('refetch')
  await pause(isLong ? 20_000 : 3000)
  tell('report')
  const readers = (await clients.line()) as Reader[]
  tell('end')
  service.child.stdin!.end()
  rmSync(folder, { recursive: true, force: true })

  const slow = readers.slice(SIZE.deaf, SIZE.deaf + SIZE.slow)
  const fast = readers.slice(SIZE.deaf + SIZE.slow)
  const gapped = fast.filter(({ gaps }) => gaps.length > 0).length
  console.log(
    `${report.stored} stored in ${report.seconds!.toFixed(1)} s, peak RSS ${(report.peakRss! / 2 ** 20).toFixed(0)} MB, ` +
      `peak queue ${report.peakWaiting}, service CPU ${report.cpuSeconds!.toFixed(1)} s; ${gapped} of ${fast.length} readers ` +
      `with a gap, the slow ones missed ${slow.map(gapCount).join(', ')}; ${readers.filter(({ closed }) => closed).length} clients ended`,
  )
  expect(report.stored).toBe(report.published)
  expect(report.lost).toBe(0)
  expect(report.peakRss).toBeLessThan(SIZE.maxRss)
  for (const reader of [...fast, ...slow]) {
    // Received or told, nothing twice, and what was told is to be had.
    expect(reader.twice).toBe(0)
    expect(reader.received + gapCount(reader)).toBe(report.stored)
    expect(reader.refetched).toBe(gapCount(reader))
  }
  expect(gapped).toBe(0)
  for (const reader of slow) expect(reader.gaps.length).toBeGreaterThan(0)
  for (const reader of readers.slice(0, SIZE.deaf)) expect(reader.received).toBeLessThan(report.stored!)
}, 300_000)
