// The service of a load test in a process of its own. Arguments: folder, findings a second, seconds, bytes kept for clients
// that are behind (absent: the usual). Prints JSON lines: ready, then its memory and counters at the end.
import { join } from 'node:path'
import { startService } from '../../src/daemon/service.ts'
import { makeFinding } from './findings.ts'

const [folder, rateText, secondsText, logText] = process.argv.slice(2) as [string, string, string, string?]
const rate = Number(rateText)
const total = rate * Number(secondsText)
const service = await startService({
  version: 'test',
  storePath: join(folder, 'data', 'store.db'),
  socketPath: join(folder, 'api.sock'),
  // Nothing is forgotten: every finding is counted at the end.
  retention: { maxAgeMicros: Number.MAX_SAFE_INTEGER, maxBytes: Number.MAX_SAFE_INTEGER },
  ...(logText === undefined ? {} : { streamLimits: { logBytes: Number(logText) } }),
  interfaces: () => [],
  tell: (level, message) => process.stderr.write(`${level}: ${message}\n`),
  onFatal: (error) => {
    throw error
  },
})
let peakRss = 0
let peakWaiting = 0
let published = 0
process.stdout.write('"ready"\n')

process.stdin.once('data', () => {
  const start = performance.now()
  setInterval(() => {
    peakRss = Math.max(peakRss, process.memoryUsage.rss())
  }, 100)
  const timer = setInterval(() => {
    const due = Math.min(total, Math.floor(((performance.now() - start) / 1000) * rate))
    for (; published < due; published++) service.publish(makeFinding({ key: `load ${published}` }))
    peakWaiting = Math.max(peakWaiting, service.state.store().waiting)
    if (published === total && service.state.store().waiting === 0) {
      clearInterval(timer)
      const seconds = (performance.now() - start) / 1000
      const cpu = process.cpuUsage()
      const stored = service.state.reader().countFindings({})
      const lost = service.state.store().lost
      const report = {
        published,
        stored,
        lost,
        seconds,
        peakRss,
        peakWaiting,
        cpuSeconds: (cpu.user + cpu.system) / 1e6,
      }
      process.stdout.write(`${JSON.stringify(report)}\n`)
    }
  }, 5)
})
process.stdin.on('end', () => process.exit(0))
