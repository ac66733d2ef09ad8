// Captures as analysis wants them: merged by time, and those of all interfaces at once taken apart.
import { splitCooked } from './cooked-interfaces.ts'
import { openMerged } from './merge.ts'
import type { PacketFilter } from './packet-filter.ts'
import type { CaptureSource } from './source.ts'

/** @throws OperatorError when one cannot be opened or is no capture. */
export async function openCaptures(paths: readonly string[], filter?: PacketFilter): Promise<CaptureSource> {
  return splitCooked(await openMerged(paths, filter))
}
