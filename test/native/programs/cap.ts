// Captures with the cap backend until SIGTERM; prints how many echo packets came by which interface, and what broke.

import { CapSource } from '../../../src/capture/cap-source.ts'
import { ContextWatch } from '../../../src/capture/context-watch.ts'

const restarts: string[] = []
const watch = new ContextWatch()
const source = new CapSource({ links: watch }, (sentence) => restarts.push(sentence))
await source.opened()
process.on('SIGTERM', () => source.stop())
console.log('ready')
const echoes: Record<string, number> = {}
let wrongTimes = 0
for (;;) {
  const batch = await source.next()
  if (batch === undefined) break
  for (let row = 0; row < batch.count; row++) {
    const name = source.interfaces[batch.interfaceId[row]!]!.name!
    const at = batch.startAt[row]!
    // Ethernet, IPv4, ICMP echo or its reply.
    const isIpv4 = batch.bytes[at + 12] === 8 && batch.bytes[at + 13] === 0
    if (isIpv4 && batch.bytes[at + 23] === 1 && batch.wireLen[row] === 98) echoes[name] = (echoes[name] ?? 0) + 1
    if (Math.abs(batch.timeMicros[row]! - Date.now() * 1000) > 2e6) wrongTimes++
  }
  batch.release()
}
await source.close()
watch.close()
const linkTypes = Object.fromEntries(source.interfaces.map(({ name, linkType }) => [name, linkType]))
console.log(JSON.stringify({ echoes, restarts, wrongTimes, linkTypes, lossUnknown: source.inputs[0]!.lossUnknown }))
