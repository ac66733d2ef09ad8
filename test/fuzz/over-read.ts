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
const COLUMNS = (Object.keys(loneOut) as (keyof DecodedBatch)[])
  .filter((name) => name !== 'capacity')
  .map((name) => ({ name, width: name === 'addresses' ? 8 : 1, isOffset: OFFSET_COLUMNS.has(name) }))
/** The lone packet lies at the end of a view on this memory, nothing but zeros before it. */
let memory = new ArrayBuffer(1 << 16)

/** The name and both values of the first column that differs, or undefined when the row is clean. */
export function overRead(batch: PacketBatch, out: DecodedBatch, row: number): string | undefined {
  const startAt = batch.startAt[row]!
  const capturedLen = batch.capturedLen[row]!
  if (memory.byteLength < LONE_START_AT + capturedLen) memory = new ArrayBuffer((LONE_START_AT + capturedLen) * 2)
  lone.bytes = new Uint8Array(memory, 0, LONE_START_AT + capturedLen)
  lone.bytes.set(batch.bytes.subarray(startAt, startAt + capturedLen), LONE_START_AT)
  lone.count = 1
  lone.startAt[0] = LONE_START_AT
  lone.capturedLen[0] = capturedLen
  lone.wireLen[0] = batch.wireLen[row]!
  lone.linkType[0] = batch.linkType[row]!
  decodeBatch(lone, loneOut)
  for (const { name, width, isOffset } of COLUMNS) {
    const column = out[name] as Uint32Array
    const loneColumn = loneOut[name] as Uint32Array
    for (let word = 0; word < width; word++) {
      const among = relative(column[row * width + word]!, isOffset ? startAt : 0)
      const alone = relative(loneColumn[word]!, isOffset ? LONE_START_AT : 0)
      if (among !== alone) return `${name} is ${among} among others and ${alone} alone`
    }
  }
  return undefined
}

/** An offset of 0 is none. */
function relative(value: number, startAt: number): number {
  return value === 0 ? 0 : value - startAt
}
