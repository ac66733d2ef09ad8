// What a flood may make grow has its bound: a million flows, connections that never get anywhere, fragments without end.
import { FLOW_ID_AT, FLOW_SHIFT } from '../../src/analysis/trackers/flow-record.ts'
import { createFlowTable } from '../../src/analysis/trackers/flows.ts'
import { createFragmentTracker } from '../../src/analysis/trackers/fragments.ts'
import { createStreamTracker } from '../../src/analysis/trackers/streams.ts'
import { MAX_FLOWS, MAX_FRAGMENT_BYTES, MAX_STREAM_HELD_TOTAL, MAX_STREAMS } from '../../src/constants/limits.ts'
import { decodeBatch } from '../../src/decoders/decode-batch.ts'
import { createDecodedBatch, type DecodedBatch, ROW_FRAGMENT } from '../../src/model/decoded-batch.ts'
import type { PacketBatch } from '../../src/model/packet-batch.ts'
import { ascii, batchOf, ipv4, tcp } from '../decoders/build-packet.ts'

const SYN = 2
const ACK = 0x10
/** What the design allows for one flow, cells included. */
const MAX_FLOW_BYTES = 140
/** A piece may be the last one let in before room is made. */
const ONE_PIECE = 66_000

/** One decoded TCP row from 192.0.2.1 to 198.51.100.2. */
function oneRow(flags: number, text: string): { batch: PacketBatch; out: DecodedBatch } {
  const bytes = ipv4(6, tcp(1, 443, ascii(text), { flags }), { src: '192.0.2.1', dst: '198.51.100.2' })
  const batch = batchOf([{ bytes, linkType: 101 }])
  const out = createDecodedBatch(1)
  decodeBatch(batch, out)
  return { batch, out }
}

/** Makes the row the n-th connection's: the server's address and the client's port vary. */
function connection(out: DecodedBatch, n: number): void {
  out.addresses[7] = 0x0b00_0000 + (n >>> 15)
  out.srcPort[0] = 1024 + (n & 0x7fff)
}

describe('the flow table', () => {
  test('grows with its flows: each stays in its slot with what is known of it', () => {
    const { batch, out } = oneRow(SYN, '')
    const table = createFlowTable({ ended() {} })
    const startLen = table.words.byteLength
    const ids: number[] = []
    const slots: number[] = []
    for (let n = 0; n < 20_000; n++) {
      connection(out, n)
      slots.push(table.lookup(batch, out, 0))
      ids.push(table.words[(slots[n]! << FLOW_SHIFT) + FLOW_ID_AT]!)
    }
    expect(table.words.byteLength).toBeGreaterThan(startLen)
    for (let n = 0; n < 20_000; n++) {
      connection(out, n)
      const slot = table.lookup(batch, out, 0)
      if (slot !== slots[n] || table.words[(slot << FLOW_SHIFT) + FLOW_ID_AT] !== ids[n]) {
        throw new Error(`flow ${n} moved from slot ${slots[n]} to ${slot}`)
      }
    }
    expect(table.count).toBe(20_000)
  })

  test('holds a million flows and no more, at the bytes it promises', () => {
    const { batch, out } = oneRow(SYN, '')
    let ended = 0
    const table = createFlowTable({ ended: () => ended++ })
    const total = MAX_FLOWS + 100_000
    for (let n = 0; n < total; n++) {
      connection(out, n)
      batch.timeMicros[0] = n
      table.record(table.lookup(batch, out, 0), batch, out, 0)
    }
    expect(table.count).toBe(MAX_FLOWS)
    expect(ended).toBe(total - MAX_FLOWS)
    // Two cells of four bytes stand beside each record.
    expect(table.words.byteLength / MAX_FLOWS + 8).toBeLessThanOrEqual(MAX_FLOW_BYTES)
  })
})

describe('100,000 connections', () => {
  /** Each gets one segment of `text`, `skippedLen` bytes after what is in order. */
  function flood(flags: number, text: string, skippedLen: number): { count: number; heldLen: number } {
    const { batch, out } = oneRow(flags, text)
    const opening = oneRow(SYN, '')
    const most = { count: 0, heldLen: 0 }
    const flows = createFlowTable({ ended: (slot) => streams.ended(slot) })
    const streams = createStreamTracker(flows, () => undefined)
    const take = (row: { batch: PacketBatch; out: DecodedBatch }, n: number) => {
      connection(row.out, n)
      const slot = flows.lookup(row.batch, row.out, 0)
      streams.segment(slot, row.batch, row.out, 0)
      flows.record(slot, row.batch, row.out, 0)
    }
    const firstSeq = opening.out.tcpSeq[0]!
    for (let n = 0; n < 100_000; n++) {
      take(opening, n)
      if (text !== '') {
        out.tcpSeq[0] = firstSeq + 1 + skippedLen
        take({ batch, out }, n)
      }
      most.count = Math.max(most.count, streams.count)
      most.heldLen = Math.max(most.heldLen, streams.heldLen)
    }
    expect(flows.count).toBe(100_000)
    return most
  }

  test('that are only half open keep nothing but their flows', () => {
    expect(flood(SYN, '', 0)).toEqual({ count: 0, heldLen: 0 })
  })

  test('whose data waits for what never comes are bounded in number and bytes', () => {
    const most = flood(ACK, 'x'.repeat(1400), 10)
    expect(most.count).toBe(MAX_STREAMS)
    expect(most.heldLen).toBeGreaterThan(1_000_000)
    expect(most.heldLen).toBeLessThanOrEqual(MAX_STREAM_HELD_TOTAL + ONE_PIECE)
  })
})

test('fragments without end, small and large, hold no more memory than is counted', () => {
  const tracker = createFragmentTracker({ completed() {} })
  const { batch, out } = oneRow(ACK, 'x'.repeat(2000))
  out.flags[0] = ROW_FRAGMENT | 2
  const before = process.memoryUsage().arrayBuffers
  let most = 0
  for (let n = 0; n < 200_000; n++) {
    out.ipId[0] = n % 50_000
    out.fragmentOffset[0] = (n % 97) * 2048
    out.payloadLen[0] = n % 3 === 0 ? 8 : 1480
    out.payloadWireLen[0] = out.payloadLen[0]!
    tracker.fragment(batch, out, 0)
    most = Math.max(most, tracker.heldLen)
  }
  expect(most).toBeGreaterThan(MAX_FRAGMENT_BYTES / 2)
  expect(most).toBeLessThanOrEqual(MAX_FRAGMENT_BYTES)
  // What is held, and as much again for what waits to be used again.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 * MAX_FRAGMENT_BYTES)
})
