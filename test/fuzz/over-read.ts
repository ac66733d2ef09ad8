// Finds reads beyond a packet: a row decoded among its neighbours must equal the same packet decoded alone, in memory
// that ends with it. A decoder that looks further sees other bytes, or none.
import { decodeBatch } from '../../src/decoders/decode-batch.ts'
import { createDecodedBatch, type DecodedBatch } from '../../src/model/decoded-batch.ts'
import { createPacketBatch, type PacketBatch } from '../../src/model/packet-batch.ts'

/** Columns that hold an offset into the batch's bytes; `faultAt` counts from the packet's first byte. */
const OFFSET_COLUMNS = new Set([
  'ipAt',
  'transportAt',
  'payloadAt',
  'sackAt',
  'quotedAt',
  'outerIpAt',
  'dnsAt',
  'dnsEndAt',
])
/** Where the lone packet begins: an offset of 0 would read as "not there". */
const LONE_START_AT = 64

const lone = createPacketBatch(1)
const loneOut = createDecodedBatch(1)

/** The name and both values of the first column that differs, or undefined when the row is clean. */
export function overRead(batch: PacketBatch, out: DecodedBatch, row: number): string | undefined {
  const startAt = batch.startAt[row]!
  const capturedLen = batch.capturedLen[row]!
  lone.bytes = new Uint8Array(LONE_START_AT + capturedLen)
  lone.bytes.set(batch.bytes.subarray(startAt, startAt + capturedLen), LONE_START_AT)
  lone.count = 1
  lone.startAt[0] = LONE_START_AT
  lone.capturedLen[0] = capturedLen
  lone.wireLen[0] = batch.wireLen[row]!
  lone.linkType[0] = batch.linkType[row]!
  decodeBatch(lone, loneOut)
  for (const [name, column] of Object.entries(out) as [keyof DecodedBatch, DecodedBatch[keyof DecodedBatch]][]) {
    if (typeof column === 'number') continue
    const width = name === 'addresses' ? 8 : 1
    for (let word = 0; word < width; word++) {
      const among = relative(name, column[row * width + word]!, startAt)
      const alone = relative(name, (loneOut[name] as Uint32Array)[word]!, LONE_START_AT)
      if (among !== alone) return `${name} is ${among} among others and ${alone} alone`
    }
  }
  return undefined
}

function relative(name: string, value: number, startAt: number): number {
  return OFFSET_COLUMNS.has(name) && value !== 0 ? value - startAt : value
}
