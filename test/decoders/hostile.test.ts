// Seeded nonsense: mutated packets and noise must neither throw, hang, nor point outside of themselves.
import { expect, test } from '@jest/globals'
import { decodeBatch } from '../../src/decoders/decode-batch.ts'
import { createDecodedBatch } from '../../src/model/decoded-batch.ts'
import { LAYER_NAMES } from '../../src/model/layer.ts'
import { FAULT_NAMES } from '../../src/model/malformed.ts'
import { type BatchPacket, type Bytes, batchOf } from './build-packet.ts'
import { samplePackets } from './sample-packets.ts'

/** Marsaglia's xorshift: the same numbers in every run. */
function randomSource(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

function mutate(bytes: Bytes, random: (below: number) => number): Bytes {
  const mutated = bytes.slice(0, random(4) === 0 ? random(bytes.length + 1) : bytes.length)
  for (let change = random(6); change >= 0; change--) {
    if (mutated.length > 0) mutated[random(mutated.length)] = random(3) === 0 ? 0xff * random(2) : random(256)
  }
  return mutated
}

function checkBatch(packets: BatchPacket[]): void {
  const batch = batchOf(packets)
  const out = createDecodedBatch(packets.length)
  decodeBatch(batch, out)
  for (let row = 0; row < batch.count; row++) {
    const startAt = batch.startAt[row]!
    const endAt = startAt + batch.capturedLen[row]!
    const isInside = (at: number) => at === 0 || (at >= startAt && at <= endAt)
    const places = [
      out.ipAt,
      out.transportAt,
      out.payloadAt,
      out.sackAt,
      out.quotedAt,
      out.outerIpAt,
      out.dnsAt,
      out.dnsEndAt,
    ]
    if (!places.every((column) => isInside(column[row]!))) throw new Error(`row ${row} points outside of its packet`)
    if (out.payloadAt[row]! + out.payloadLen[row]! > endAt && out.payloadLen[row] !== 0)
      throw new Error(`row ${row}: payload`)
    if (out.payloadLen[row]! > out.payloadWireLen[row]!) throw new Error(`row ${row}: more payload than on the wire`)
    if (out.sackAt[row]! + out.sackCount[row]! * 8 > endAt && out.sackCount[row] !== 0)
      throw new Error(`row ${row}: SACK`)
    if (LAYER_NAMES[out.layer[row]!] === undefined || FAULT_NAMES[out.fault[row]!] === undefined)
      throw new Error(`row ${row}`)
    if (out.faultAt[row]! > Math.max(batch.wireLen[row]!, batch.capturedLen[row]!))
      throw new Error(`row ${row}: faultAt`)
  }
}

test.each([1, 2, 3, 4])('mutated packets, seed %i', (seed) => {
  const random = randomSource(seed * 7919)
  let checked = 0
  for (let round = 0; round < 30; round++) {
    const packets = samplePackets.map(({ bytes, linkType }) => {
      const mutated = mutate(bytes, random)
      const wireLen = random(3) === 0 ? mutated.length + random(2000) : mutated.length
      return { bytes: mutated, linkType, wireLen }
    })
    checkBatch(packets)
    checked += packets.length
  }
  expect(checked).toBe(30 * samplePackets.length)
})

test('noise under every link type', () => {
  const random = randomSource(4711)
  for (let linkType = 0; linkType < 300; linkType++) {
    const bytes = Uint8Array.from({ length: random(200) }, () => random(256))
    checkBatch([{ bytes, linkType, wireLen: random(2) === 0 ? 0xffff_ffff : bytes.length }])
  }
})

test('one long hostile packet costs no more than a moment', () => {
  const patterns = [
    [0x81, 0x00],
    [0x00, 0x00],
    [0x45, 0x04],
    [0x60, 0x29],
    [0xff, 0x03],
    [0x3c, 0x00],
    [0xc0, 0x0c],
  ]
  const started = performance.now()
  for (const pattern of patterns) {
    const bytes = Uint8Array.from({ length: 262_144 }, (_, at) => pattern[at % pattern.length]!)
    for (const linkType of [0, 1, 9, 51, 101, 104, 113, 229, 258, 276])
      checkBatch([{ bytes: bytes.slice(0, 9000), linkType }])
  }
  expect(performance.now() - started).toBeLessThan(3000)
})
