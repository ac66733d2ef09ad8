// The whole road on one screen: bytes to columns, columns to facts, facts to findings.
import { type Analyzer, type AnalyzerOptions, createAnalyzer } from '../analysis/analyzer.ts'
import type { CaptureSource } from '../capture/source.ts'
import { decodeBatch } from '../decoders/decode-batch.ts'
import { createDecodedBatch, type DecodedBatch } from '../model/decoded-batch.ts'
import type { PacketBatch } from '../model/packet-batch.ts'

/** Called with every decoded batch; what it wants to keep it copies, for the memory is used again. */
export type BatchConsumer = (batch: PacketBatch, out: DecodedBatch) => void

/**
 * Reads `source` to its end: each batch is decoded, consumed and given back. `between` runs after every batch, may make
 * us wait by a promise (a slow reader), and ends the reading when it gives false.
 * @throws OperatorError when an input is no capture; damage does not throw, it stands in the source's inputs.
 */
export async function drain(source: CaptureSource, consume: BatchConsumer, between?: () => unknown): Promise<void> {
  const out = createDecodedBatch()
  for (;;) {
    const batch = await source.next()
    if (batch === undefined) return
    decodeBatch(batch, out)
    consume(batch, out)
    batch.release()
    if (between !== undefined && (await between()) === false) return
  }
}

/** Analyses everything `source` has; the report is the analyzer's. */
export async function analyze(
  source: CaptureSource,
  options: AnalyzerOptions,
  progress?: () => void,
): Promise<Analyzer> {
  const analyzer = createAnalyzer(source.interfaces, source.inputs, options)
  await drain(source, analyzer.consume, progress)
  analyzer.end()
  return analyzer
}
