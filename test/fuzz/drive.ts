// One damaged capture through everything a file meets on its way: reader, decoders, over-read check.
import { openCapture } from '../../src/capture/open-capture.ts'
import { decodeBatch } from '../../src/decoders/decode-batch.ts'
import { createDecodedBatch } from '../../src/model/decoded-batch.ts'
import { OperatorError } from '../../src/model/operator-error.ts'
import { overRead } from './over-read.ts'

const out = createDecodedBatch()

/** Rows of each batch that are decoded a second time, alone. */
const OVER_READ_ROWS = 64

/**
 * Reads the whole capture and gives the number of packets; a file that is no capture has none.
 * @throws Error whatever the product lets escape, and when a decoder read beyond a packet.
 */
export async function drive(path: string): Promise<number> {
  const source = await openCapture(path).catch((error: unknown) => {
    if (error instanceof OperatorError) return undefined
    throw error
  })
  if (source === undefined) return 0
  let packets = 0
  try {
    for (let batch = await source.next(); batch !== undefined; batch = await source.next()) {
      decodeBatch(batch, out)
      packets += batch.count
      for (let row = 0; row < Math.min(batch.count, OVER_READ_ROWS); row++) {
        const problem = overRead(batch, out, row)
        if (problem !== undefined)
          throw new Error(`frame ${batch.frameNumber[row]}: read beyond the packet: ${problem}`)
      }
      batch.release()
    }
  } finally {
    await source.close()
  }
  return packets
}
