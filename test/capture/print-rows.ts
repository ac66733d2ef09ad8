// A child of sources-agree: reads the captures it is given and prints what the source says, as JSON.
import { openCapture } from '../../src/capture/open-capture.ts'

const source = await openCapture(process.argv[2]!)
const rows: unknown[] = []
for (let batch = await source.next(); batch !== undefined; batch = await source.next()) {
  for (let i = 0; i < batch.count; i++) {
    const start = batch.startAt[i]!
    rows.push({
      micros: batch.timeMicros[i],
      hex: Buffer.from(batch.bytes.slice(start, start + batch.capturedLen[i]!)).toString('hex'),
      wireLen: batch.wireLen[i],
      linkType: batch.linkType[i],
      interfaceId: batch.interfaceId[i],
      direction: batch.direction[i],
      frame: batch.frameNumber[i],
    })
  }
}
await source.close()
console.log(JSON.stringify({ rows, inputs: source.inputs }))
