// One damaged capture through everything a file meets on its way: reader, decoders, trackers, detectors, report.
import { createKeyLog } from '../../src/analysis/key-log.ts'
import { openCapture } from '../../src/capture/open-capture.ts'
import { analyze } from '../../src/daemon/pipeline.ts'
import { platformCrypto } from '../../src/daemon/platform-crypto.ts'
import type { FactHandlers } from '../../src/model/facts.ts'
import { OperatorError } from '../../src/model/operator-error.ts'
import { overRead } from './over-read.ts'

/** Rows of each batch that are decoded a second time, alone. */
const OVER_READ_ROWS = 64

const OPTIONS = { version: '0', tunnels: [], physicals: [], vpnResolvers: [], crypto: platformCrypto }

/** Secrets that a damaged capture carries are used too. */
const USES_CAPTURES = true

/**
 * Analyses the whole capture and gives the number of packets; a file that is no capture has none.
 * @throws Error whatever the product lets escape, and when a decoder read beyond a packet.
 */
export async function drive(path: string): Promise<number> {
  const source = await openCapture(path).catch((error: unknown) => {
    if (error instanceof OperatorError) return undefined
    throw error
  })
  if (source === undefined) return 0
  let packets = 0
  const listener: FactHandlers = {
    packet(batch, out, row) {
      packets++
      if (row >= OVER_READ_ROWS) return
      const problem = overRead(batch, out, row)
      if (problem !== undefined) throw new Error(`frame ${batch.frameNumber[row]}: read beyond the packet: ${problem}`)
    },
  }
  try {
    const keyLog = createKeyLog(USES_CAPTURES)
    const analyzer = await analyze(source, { ...OPTIONS, keyLog, listeners: [listener] })
    JSON.stringify(analyzer.report())
  } finally {
    await source.close()
  }
  return packets
}
