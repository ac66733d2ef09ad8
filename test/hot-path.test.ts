// The hot path allocates nothing per packet: neither decoding a million packets nor analysing a million of established
// flows triggers a garbage collection. Collections are counted, not heap growth, which hides what is freed in between.
import { PerformanceObserver } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { createAnalyzer } from '../src/analysis/analyzer.ts'
import { createAddressTable } from '../src/analysis/trackers/addresses.ts'
import { createVolumeJoin } from '../src/analysis/trackers/volume-join.ts'
import { decodeBatch } from '../src/decoders/decode-batch.ts'
import { createQuotedPacket, readQuoted } from '../src/decoders/quoted.ts'
import { createDecodedBatch } from '../src/model/decoded-batch.ts'
import { LAYER_TCP, LAYER_UDP } from '../src/model/layer.ts'
import { batchOf, ethernet, ipv4, ipv6, tcp, udp } from './decoders/build-packet.ts'
import { samplePackets } from './decoders/sample-packets.ts'

const PACKETS = 1_000_000
/** Long enough for the compiler to have done its work, where it gets its turn; on a busy machine see fewestCollections. */
const WARM_UP_PACKETS = 300_000
const MAX_ROUNDS = 6

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

const FLOWS = 64
const DATA_LEN = 64
/** From the Ethernet header on, without options. */
const SEQ_AT_V4 = 14 + 20 + 4
const SEQ_AT_V6 = 14 + 40 + 4
const MILLISECOND = 1000
/** Above 2^31, where the engine makes an object of a number that it hands on. */
const FIRST_SEQ = 0x9000_0000
const START_MICROS = 1_700_000_000_000_000

/** One row a flow and direction: three of four TCP, a quarter UDP; every fourth flow is IPv6. */
const flowPackets = Array.from({ length: FLOWS * 2 }, (_, n) => {
  const flow = n >> 1
  const port = 40_000 + flow
  const toServer = (n & 1) === 0
  const data = new Uint8Array(DATA_LEN).fill(0xee)
  const src = toServer ? port : 4433
  const dst = toServer ? 4433 : port
  const isTcp = flow % 4 !== 3
  const transport = isTcp ? tcp(src, dst, data, { flags: 0x10 }) : udp(src, dst, data)
  if (flow % 4 === 1) {
    const [client, server] = ['2001:db8::1', '2001:db8::2']
    const [from, to] = toServer ? [client, server] : [server, client]
    return { seqAt: SEQ_AT_V6, isTcp, bytes: ethernet(0x86dd, ipv6(6, transport, { src: from, dst: to })) }
  }
  const [from, to] = toServer ? ['192.0.2.1', '198.51.100.1'] : ['198.51.100.1', '192.0.2.1']
  const bytes = ethernet(0x0800, ipv4(isTcp ? 6 : 17, transport, { src: from, dst: to }))
  return { seqAt: SEQ_AT_V4, isTcp, bytes }
})
const established = batchOf(flowPackets.map(({ bytes }) => ({ bytes, linkType: 1 })))
const decoded = createDecodedBatch()
const analyzer = createAnalyzer(
  [{ id: 0, inputIndex: 0, inputName: 'memory', name: 'eth0', linkType: 1, snapLen: 0, addresses: [] }],
  [{ name: 'memory', format: 'memory', packets: 0, bytes: 0, late: 0 }],
  { version: '0', tunnels: [], physicals: [], vpnResolvers: [] },
)
let round = 0

/** Each round every flow sends its next segment each way: nothing is lost, repeated or new. */
function analyze(count: number): void {
  for (let done = 0; done < count; done += established.count) {
    for (let row = 0; row < established.count; row++) {
      established.timeMicros[row] = START_MICROS + round * MILLISECOND + row
      if (flowPackets[row]!.isTcp) {
        writeWord(established.bytes, established.startAt[row]! + flowPackets[row]!.seqAt, FIRST_SEQ + round * DATA_LEN)
        // What the other side has sent: the row before, or the round before.
        const seen = (row & 1) === 0 ? round : round + 1
        writeWord(
          established.bytes,
          established.startAt[row]! + flowPackets[row]!.seqAt + 4,
          FIRST_SEQ + seen * DATA_LEN,
        )
      }
    }
    decodeBatch(established, decoded)
    analyzer.consume(established, decoded)
    round++
  }
}

function writeWord(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
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

/**
 * Of several rounds, as many as it takes until one has none: code that is not compiled yet makes objects of its numbers,
 * and the compiler's thread may have to wait for its turn. What allocates for each packet never gets there.
 */
async function fewestCollections(work: () => void): Promise<number> {
  let fewest = Number.POSITIVE_INFINITY
  for (let round = 0; round < MAX_ROUNDS && fewest > 0; round++) {
    fewest = Math.min(fewest, await collectionsDuring(work))
  }
  return fewest
}

test('decoding a million packets triggers no garbage collection', async () => {
  decode(WARM_UP_PACKETS)
  expect(await fewestCollections(() => decode(PACKETS))).toBe(0)
})

test('analysing a million packets of established flows triggers no garbage collection', async () => {
  analyze(WARM_UP_PACKETS)
  expect(await fewestCollections(() => analyze(PACKETS))).toBe(0)
  // The rows were what they should be, and nothing about them was out of the ordinary.
  expect(new Set(decoded.layer.subarray(0, established.count))).toEqual(new Set([LAYER_TCP, LAYER_UDP]))
  expect(analyzer.report().findings).toEqual([])
})

const TUNNEL_IDS = [1]
const volume = createVolumeJoin(createAddressTable(), () => TUNNEL_IDS)
let volumeRound = 0

/** The first flows are inside a tunnel that nothing explains, the others outside: a moment is over every 12 rounds. */
function followVolume(count: number): void {
  for (let done = 0; done < count; done += established.count) {
    for (let row = 0; row < established.count; row++) {
      established.timeMicros[row] = START_MICROS + volumeRound * MILLISECOND * 8 + row
      established.interfaceId[row] = row < FLOWS / 2 ? 1 : 0
      volume.packet(established, decoded, row)
    }
    volumeRound++
  }
}

test('following the volume of a tunnel over a million packets triggers no garbage collection', async () => {
  decodeBatch(established, decoded)
  followVolume(WARM_UP_PACKETS)
  expect(await fewestCollections(() => followVolume(PACKETS))).toBe(0)
  established.interfaceId.fill(0)
  expect(volume.joins()).toEqual([])
})

/** What a browser downloads over QUIC from one server, while another one never answers its Initial packet. */
const unanswered = udp(50_000, 443, new Uint8Array(1200).fill(0xc3))
const initial = batchOf([
  { bytes: ethernet(0x0800, ipv4(17, unanswered, { src: '192.0.2.1', dst: '203.0.113.9' })), linkType: 1 },
])
const quicData = udp(443, 50_001, new Uint8Array(DATA_LEN).fill(0x40))
const download = batchOf(
  Array.from({ length: FLOWS }, () => ({
    bytes: ethernet(0x0800, ipv4(17, quicData, { src: '198.51.100.1', dst: '192.0.2.1' })),
    linkType: 1,
  })),
)
let downloadRound = 0

function follow(count: number): void {
  for (let done = 0; done < count; done += download.count) {
    for (let row = 0; row < download.count; row++) {
      download.timeMicros[row] = START_MICROS + round * MILLISECOND + downloadRound * MILLISECOND + row
    }
    decodeBatch(download, decoded)
    analyzer.consume(download, decoded)
    downloadRound++
  }
}

test('a million packets of QUIC while a server owes its answer trigger no garbage collection', async () => {
  initial.timeMicros[0] = START_MICROS + round * MILLISECOND
  decodeBatch(initial, decoded)
  analyzer.consume(initial, decoded)
  follow(WARM_UP_PACKETS)
  expect(await fewestCollections(() => follow(PACKETS))).toBe(0)
})

test('the measure notices one small object per packet', async () => {
  const collections = await fewestCollections(() => {
    for (let i = 0; i < PACKETS; i++) kept = { row: i }
  })
  expect(kept).toEqual({ row: PACKETS - 1 })
  expect(collections).toBeGreaterThan(0)
})
