// The capturer of live.mjs: our ring read until SIGINT, each packet's first byte touched.
import { ContextWatch } from '../dist/capture/context-watch.js'
import { RingSource } from '../dist/capture/ring-source.js'

const links = new ContextWatch()
const source = new RingSource({ links })
console.log('reading')
process.on('SIGINT', () => source.stop())
let packets = 0
let versions = 0
for (let batch = await source.next(); batch !== undefined; batch = await source.next()) {
  packets += batch.count
  for (let row = 0; row < batch.count; row++) versions += batch.bytes[batch.startAt[row]] >> 4
  batch.release()
}
console.log(`packets ${packets} dropped ${source.statistics().dropped} version sum ${versions}`)
await source.close()
links.close()
