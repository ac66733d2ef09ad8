// A process to be killed: a service that publishes findings as fast as the store takes them. Arguments: folder, seed.
import { join } from 'node:path'
import { startService } from '../../src/daemon/service.ts'
import { makeEpoch, makeFinding } from './findings.ts'

const [folder, seed] = process.argv.slice(2) as [string, string]
const service = await startService({
  version: 'test',
  storePath: join(folder, 'data', 'store.db'),
  socketPath: join(folder, 'api.sock'),
  interfaces: () => [],
  tell: () => {},
  onFatal: (error) => {
    throw error
  },
})
service.publishEpoch(makeEpoch())
process.stdout.write('ready\n')

let random = Number(seed)
function next(bound: number): number {
  random = (random * 1_103_515_245 + 12_345) % 2_147_483_648
  return random % bound
}

const counts = new Map<string, number>()
function publishSome(): void {
  // Some 4,000 a second: half of them new, half of them repeats.
  for (let burst = 0; burst < 20; burst++) {
    const key = `${seed} ${next(2) === 0 ? counts.size : next(counts.size + 1)}`
    const count = (counts.get(key) ?? 0) + 1
    counts.set(key, count)
    service.publish(makeFinding({ key, count, summary: `${key}: seen ${count} times` }))
  }
}
setInterval(publishSome, 5)
