// The hot path allocates nothing per packet: decoding a million packets triggers no garbage collection. Collections are
// counted, not heap growth, which hides what is allocated and freed in between.
import { PerformanceObserver } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { decodeBatch } from '../src/decoders/decode-batch.ts'
import { createQuotedPacket, readQuoted } from '../src/decoders/quoted.ts'
import { createDecodedBatch } from '../src/model/decoded-batch.ts'
import { batchOf } from './decoders/build-packet.ts'
import { samplePackets } from './decoders/sample-packets.ts'

const PACKETS = 1_000_000
/** Long enough for the compiler to have done its work. */
const WARM_UP_PACKETS = 300_000

const packets = Array.from({ length: 4096 }, (_, row) => samplePackets[row % samplePackets.length]!)
const batch = batchOf(packets)
const out = createDecodedBatch()
const quoted = createQuotedPacket()
let kept: unknown

function decode(count: number): void {
  for (let done = 0; done < count; done += batch.count) {
    decodeBatch(batch, out)
    for (let row = 0; row < batch.count; row++) {
      const at = out.quotedAt[row]!
      if (at !== 0) readQuoted(batch.bytes, at, at + out.payloadLen[row]!, quoted)
    }
  }
}

/** Collections while `work` runs; it must be synchronous, so that nothing else can allocate. */
async function collectionsDuring(work: () => void): Promise<number> {
  const starts: number[] = []
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) starts.push(entry.startTime)
  })
  observer.observe({ entryTypes: ['gc'] })
  const from = performance.now()
  work()
  const to = performance.now()
  await sleep(50)
  observer.disconnect()
  return starts.filter((start) => start >= from && start <= to).length
}

test('decoding a million packets triggers no garbage collection', async () => {
  decode(WARM_UP_PACKETS)
  expect(await collectionsDuring(() => decode(PACKETS))).toBe(0)
})

test('the measure notices one small object per packet', async () => {
  const collections = await collectionsDuring(() => {
    for (let i = 0; i < PACKETS; i++) kept = { row: i }
  })
  expect(kept).toEqual({ row: PACKETS - 1 })
  expect(collections).toBeGreaterThan(0)
})
