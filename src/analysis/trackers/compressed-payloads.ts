// IP payloads that IPComp compressed (RFC 3173) with DEFLATE (RFC 2394): unpacked and decoded as if they had come so.
import { IPPROTO_IPCOMP } from '../../constants/wire.ts'
import { decodeFrom } from '../../decoders/decode-batch.ts'
import type { DecodedBatch } from '../../model/decoded-batch.ts'
import { LAYER_IP_PROTOCOL } from '../../model/layer.ts'
import type { PacketBatch } from '../../model/packet-batch.ts'
import { createScratchRow, fillScratchRow } from './scratch-row.ts'

const HEADER_LEN = 4
/** RFC 3173 3.3: numbers below 256 say the algorithm, others were agreed upon and may mean any. */
const CPI_DEFLATE = 2
const CPI_MIN_NEGOTIATED = 256

/**
 * Unpacks raw DEFLATE (RFC 1951), at most `maxLen` bytes; undefined when it is something else or longer. Handed in: the
 * platform has one.
 */
export type Inflate = (bytes: Uint8Array, maxLen: number) => Uint8Array | undefined

export interface CompressedPayloads {
  /** True when the row is an unpackable IPComp packet: its content was handed on as row 0 of a batch of its own. */
  unpack(batch: PacketBatch, out: DecodedBatch, row: number): boolean
}

export function createCompressedPayloads(
  inflate: Inflate,
  maxLen: number,
  unpacked: (batch: PacketBatch, out: DecodedBatch) => void,
): CompressedPayloads {
  const scratch = createScratchRow()
  /** What was unpacked is not unpacked again: no bomb within a bomb. */
  let isOpen = false

  return {
    unpack(batch, out, row) {
      const at = out.payloadAt[row]!
      const length = out.payloadLen[row]!
      if (isOpen || length <= HEADER_LEN || length < out.payloadWireLen[row]!) return false
      const { bytes } = batch
      const parameterIndex = (bytes[at + 2]! << 8) | bytes[at + 3]!
      if (parameterIndex !== CPI_DEFLATE && parameterIndex < CPI_MIN_NEGOTIATED) return false
      const content = inflate(bytes.subarray(at + HEADER_LEN, at + length), maxLen)
      if (content === undefined || bytes[at] === IPPROTO_IPCOMP) return false
      fillScratchRow(scratch, batch, out, row, content, 0, content.length, content.length)
      scratch.out.ipProtocol[0] = bytes[at]!
      scratch.out.ipLen[0] = out.ipLen[row]! - length + content.length
      scratch.cursor.next = bytes[at]!
      decodeFrom(LAYER_IP_PROTOCOL, scratch.cursor, scratch.out, 0)
      isOpen = true
      unpacked(scratch.batch, scratch.out)
      isOpen = false
      return true
    },
  }
}
