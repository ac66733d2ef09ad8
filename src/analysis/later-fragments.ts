// Whether fragments behind a first one were captured at all: a capture filter by port leaves them out, for they have none.
import type { DecodedBatch } from '../model/decoded-batch.ts'
import type { PacketBatch } from '../model/packet-batch.ts'

export interface LaterFragments {
  /** An IP fragment, as captured. */
  note(batch: PacketBatch, out: DecodedBatch, row: number): void
  /** Where none was, a lost one cannot be told from one that was filtered out of the capture. */
  wereSeen(interfaceId: number): boolean
}

/** Half a sentence for what is said without having seen any. */
export const FILTERED_WORDS =
  '; no later fragment of anybody was captured there, so that a capture filter may have left them out'

export function createLaterFragments(): LaterFragments {
  const interfaceIds = new Set<number>()
  return {
    note(batch, out, row) {
      if (out.fragmentOffset[row] !== 0) interfaceIds.add(batch.interfaceId[row]!)
    },
    wereSeen: (interfaceId) => interfaceIds.has(interfaceId),
  }
}
