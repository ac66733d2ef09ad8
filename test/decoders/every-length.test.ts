// Every sample packet at every length, in memory that ends exactly there: no byte beyond the end is read, nothing
// throws, a packet cut by the capture is never called malformed and a truncated one never passes for whole.
import { describe, expect, test } from '@jest/globals'
import { decodeBatch } from '../../src/decoders/decode-batch.ts'
import { createQuotedPacket, readQuoted } from '../../src/decoders/quoted.ts'
import { createDecodedBatch, type DecodedBatch, ROW_CUT } from '../../src/model/decoded-batch.ts'
import { createPacketBatch } from '../../src/model/packet-batch.ts'
import { type Bytes, concat, decodeOne, ipv4, ipv6, rowOf, tcp } from './build-packet.ts'
import { samplePackets } from './sample-packets.ts'

const BEFORE = 3

/** Decodes with a memory that reports each read outside of the packet. */
function decodeGuarded(bytes: Bytes, linkType: number, wireLen: number): { out: DecodedBatch; stray: string[] } {
  const stray: string[] = []
  const memory = concat(new Uint8Array(BEFORE), bytes)
  const batch = createPacketBatch(1)
  batch.bytes = guard(memory, BEFORE, memory.length, stray)
  batch.count = 1
  batch.startAt[0] = BEFORE
  batch.capturedLen[0] = bytes.length
  batch.wireLen[0] = wireLen
  batch.linkType[0] = linkType
  const out = createDecodedBatch(1)
  decodeBatch(batch, out)
  return { out, stray }
}

function guard(memory: Bytes, startAt: number, endAt: number, stray: string[]): Bytes {
  return new Proxy(memory, {
    get(target, property) {
      if (typeof property === 'string' && !(Number(property) >= startAt && Number(property) < endAt))
        stray.push(property)
      return Reflect.get(target, property, target)
    },
  })
}

describe.each(samplePackets)('$name', ({ bytes, linkType }) => {
  test('is sound when whole', () => {
    const { out, stray } = decodeGuarded(bytes, linkType, bytes.length)
    expect([out.fault[0], out.flags[0]! & ROW_CUT, stray]).toEqual([0, 0, []])
  })

  test('cut by the capture at every length', () => {
    for (let len = 0; len < bytes.length; len++) {
      const { out, stray } = decodeGuarded(bytes.slice(0, len), linkType, bytes.length)
      expect({ len, fault: out.fault[0], stray }).toEqual({ len, fault: 0, stray: [] })
      expect(out.payloadLen[0]).toBeLessThanOrEqual(out.payloadWireLen[0]!)
      expect(out.payloadAt[0]! + out.payloadLen[0]!).toBeLessThanOrEqual(BEFORE + len)
    }
  })

  test('truncated at every length', () => {
    for (let len = 0; len < bytes.length; len++) {
      const { out, stray } = decodeGuarded(bytes.slice(0, len), linkType, len)
      // PPP's first address byte alone is a protocol number, of which nothing more can be said.
      const isNamed = out.fault[0] !== 0 || (linkType === 9 && len === 1 && out.unknown[0] === 1)
      expect({ len, isNamed, cut: out.flags[0]! & ROW_CUT, stray }).toEqual({ len, isNamed: true, cut: 0, stray: [] })
      expect(out.faultAt[0]).toBeLessThanOrEqual(len)
    }
  })

  test('what follows the packet in memory changes nothing', () => {
    const whole = rowOf(decodeOne(bytes, linkType))
    const out = createDecodedBatch(1)
    const batch = createPacketBatch(1)
    for (const poison of [0x00, 0x45, 0xff]) {
      batch.bytes = concat(bytes, new Uint8Array(64).fill(poison))
      batch.count = 1
      batch.capturedLen[0] = bytes.length
      batch.wireLen[0] = bytes.length
      batch.linkType[0] = linkType
      decodeBatch(batch, out)
      expect(rowOf(out)).toEqual(whole)
    }
  })
})

test('a shorter packet shows nothing of an older one in the same row', () => {
  const out = createDecodedBatch(1)
  const batch = createPacketBatch(1)
  const decode = (bytes: Bytes, linkType: number) => {
    batch.bytes = bytes
    batch.count = 1
    batch.capturedLen[0] = bytes.length
    batch.wireLen[0] = bytes.length
    batch.linkType[0] = linkType
    decodeBatch(batch, out)
    return rowOf(out)
  }
  for (const older of samplePackets) {
    for (const newer of samplePackets) {
      decode(older.bytes, older.linkType)
      expect(decode(newer.bytes, newer.linkType)).toEqual(rowOf(decodeOne(newer.bytes, newer.linkType)))
    }
  }
})

test.each([
  ipv4(6, tcp(1, 2, new Uint8Array(4))),
  ipv6(60, concat(6, 0, new Uint8Array(6), tcp(1, 2, new Uint8Array(4)))),
])('a quoted packet at every length', (packet) => {
  for (let len = 0; len <= packet.length; len++) {
    const stray: string[] = []
    readQuoted(guard(packet, 0, len, stray), 0, len, createQuotedPacket())
    expect({ len, stray }).toEqual({ len, stray: [] })
  }
})
