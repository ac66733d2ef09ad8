// The whole road on one screen: bytes to columns, columns to facts, facts to findings. A file and the live ring take it alike.
import { createAnalyzer } from '../analysis/analyzer.ts'
import type { Analyzer, AnalyzerOptions } from '../analysis/analyzer-interface.ts'
import { createNetworkHistory, type NetworkHistory } from '../analysis/trackers/network-history.ts'
import type { CaptureSource } from '../capture/source.ts'
import { decodeBatch } from '../decoders/decode-batch.ts'
import { createDecodedBatch, type DecodedBatch } from '../model/decoded-batch.ts'
import type { PacketBatch } from '../model/packet-batch.ts'
import { createYoungGenerationBound } from './engine-bounds.ts'
import { createSecretsFeed } from './key-log-files.ts'
import { PLATFORM } from './platform.ts'

/** Called with every decoded batch; what it wants to keep it copies, for the memory is used again. */
export type BatchConsumer = (batch: PacketBatch, out: DecodedBatch) => void

/**
 * Reads `source` to its end: each batch is decoded, consumed and given back. `between` runs after every batch, may make
 * us wait by a promise (a slow reader), and ends the reading when it gives false.
 * @throws OperatorError when an input is no capture; damage does not throw, it stands in the source's inputs.
 */
export async function drain(source: CaptureSource, consume: BatchConsumer, between?: () => unknown): Promise<void> {
  let out: DecodedBatch | undefined
  for (;;) {
    const batch = await source.next()
    if (batch === undefined) return
    const rows = batch.timeMicros.length
    if (out === undefined || out.capacity < rows) out = createDecodedBatch(rows)
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
  const network = createNetworkHistory(false)
  const analyzer = createAnalyzer(source.interfaces, source.inputs, { ...PLATFORM, ...options, network })
  const feed = contextFeed(source, network)
  const feedSecrets = createSecretsFeed(source.annex, options.keyLog)
  const boundYoungGeneration = createYoungGenerationBound()
  await drain(
    source,
    (batch, out) => {
      feed()
      feedSecrets()
      analyzer.consume(batch, out)
      boundYoungGeneration()
    },
    progress,
  )
  feed()
  // A capture of ours says until when it watched; what waited for an answer until then waited in vain.
  if (network.isKnown) analyzer.tick(Math.max(...source.interfaces.map((one) => one.statistics?.endMicros ?? 0)))
  analyzer.end()
  return analyzer
}

/** Hands on the contexts that a capture carries as they are met. */
function contextFeed(source: CaptureSource, network: NetworkHistory): () => void {
  let fed = 0
  return () => {
    const contexts = source.annex.contexts
    if (contexts === undefined) return
    for (; fed < contexts.length; fed++) network.add(contexts[fed]!)
  }
}
