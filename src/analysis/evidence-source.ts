// Where a packet is found again: in which file of a ring, and which frame it is there.
import type { InputSummary } from '../model/capture-interface.ts'
import type { Evidence } from '../model/finding.ts'

/** Turns an interface's input and a frame number as batches give it into the file and the frame within it. */
export type EvidenceLocator = (source: string, frame: number) => Evidence

/** `inputs` is the source's own list, which grows while reading. */
export function createEvidenceLocator(inputs: readonly InputSummary[]): EvidenceLocator {
  /** The first of those that it goes on from. */
  function first(source: string): number {
    let index = inputs.findIndex((one) => one.name === source)
    for (let from = inputs[index]?.continues; from !== undefined; from = inputs[from]!.continues) index = from
    return index
  }

  return (source, frame) => {
    if (inputs.length < 2) return { source, frame }
    // Looked through once: a ring may have thousands of files.
    const next: number[] = []
    for (const [index, { continues }] of inputs.entries()) if (continues !== undefined) next[continues] = index
    let index = first(source)
    let within = frame
    while (index >= 0 && within > inputs[index]!.packets && next[index] !== undefined) {
      within -= inputs[index]!.packets
      index = next[index]!
    }
    return { source: inputs[index]?.name ?? source, frame: within }
  }
}
