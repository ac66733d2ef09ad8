// Packets from memory as a capture source, for tests of everything behind the readers.

import type { CaptureSource } from '../src/capture/source.ts'
import { BATCH_ROWS } from '../src/constants/limits.ts'
import { LINKTYPE_ETHERNET } from '../src/constants/wire.ts'
import type { CaptureInterface, InputSummary } from '../src/model/capture-interface.ts'
import { createPacketBatch, DIRECTION_UNKNOWN } from '../src/model/packet-batch.ts'

export interface MemoryPacket {
  bytes: Uint8Array
  /** 0 when absent. */
  timeMicros?: number
  /** The interface's when absent. */
  linkType?: number
  /** The length of `bytes` when absent. */
  wireLen?: number
  /** 0 when absent. */
  interfaceId?: number
  direction?: number
}

/**
 * Hands the packets on in the order given, BATCH_ROWS at a time, from memory that ends exactly behind each batch.
 * Without `interfaces` there is one Ethernet interface for every id that the packets name.
 */
export function memorySource(
  packets: readonly MemoryPacket[],
  interfaces: readonly (Partial<CaptureInterface> & { name?: string })[] = [],
): CaptureSource {
  const highestId = packets.reduce((most, packet) => Math.max(most, packet.interfaceId ?? 0), 0)
  const declared = Array.from({ length: Math.max(interfaces.length, highestId + 1) }, (_, id) => ({
    id,
    inputIndex: 0,
    inputName: 'memory',
    linkType: LINKTYPE_ETHERNET,
    snapLen: 0,
    addresses: [],
    ...interfaces[id],
  }))
  const summary: InputSummary = { name: 'memory', format: 'memory', packets: 0, bytes: 0, late: 0 }
  let sent = 0
  return {
    interfaces: declared,
    inputs: [summary],
    annex: { tlsKeyLogs: [], names: [] },
    async next() {
      const rows = packets.slice(sent, sent + BATCH_ROWS)
      if (rows.length === 0) return undefined
      const batch = createPacketBatch(rows.length)
      batch.bytes = new Uint8Array(rows.reduce((sum, { bytes }) => sum + bytes.length, 0))
      batch.count = rows.length
      let at = 0
      for (const [row, packet] of rows.entries()) {
        const interfaceId = packet.interfaceId ?? 0
        const timeMicros = packet.timeMicros ?? 0
        const wireLen = packet.wireLen ?? packet.bytes.length
        batch.bytes.set(packet.bytes, at)
        batch.timeMicros[row] = timeMicros
        batch.startAt[row] = at
        batch.capturedLen[row] = packet.bytes.length
        batch.wireLen[row] = wireLen
        batch.linkType[row] = packet.linkType ?? declared[interfaceId]!.linkType
        batch.interfaceId[row] = interfaceId
        batch.direction[row] = packet.direction ?? DIRECTION_UNKNOWN
        batch.frameNumber[row] = sent + row + 1
        at += packet.bytes.length
        summary.packets++
        summary.bytes += wireLen
        summary.firstMicros = Math.min(summary.firstMicros ?? timeMicros, timeMicros)
        summary.lastMicros = Math.max(summary.lastMicros ?? timeMicros, timeMicros)
      }
      sent += rows.length
      return batch
    },
    async close() {},
  }
}
