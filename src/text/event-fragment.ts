// Cold path. The `fragment` event: one IP fragment as it was captured.
import { type DecodedBatch, ROW_MF } from '../model/decoded-batch.ts'

/** `offset` and `length` are bytes of the fragment's data, on the wire. */
export function fragmentEvent(out: DecodedBatch, row: number): Record<string, unknown> {
  return {
    id: out.ipId[row]!,
    offset: out.fragmentOffset[row]!,
    more: (out.flags[row]! & ROW_MF) !== 0,
    length: out.payloadWireLen[row]!,
  }
}
