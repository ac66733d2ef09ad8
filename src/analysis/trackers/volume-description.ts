// A tunnel and its outer flow as their volume shows them, in words and numbers.
import { protocolName } from './join-description.ts'
import type { VolumeInside } from './volume-inside.ts'
import type { VolumeStream } from './volume-stream.ts'

/** A tunnel and the outer flow that carries as much as it at the same moments. */
export interface VolumeJoin {
  readonly innerInterfaceId: number
  readonly outerInterfaceId: number
  readonly endpointId: number
  readonly endpointPort: number
  readonly clientId: number
  readonly ipProtocol: number
  readonly outerFamily: 4 | 6
  /** In words. */
  readonly transport: string
  /** The lower one of both directions, 0 … 1, and over how many moments with traffic inside. */
  readonly correlation: number
  readonly moments: number
  /** Bytes outside beyond those inside, as a share of those. */
  readonly growth: number
  readonly packets: number
  readonly firstMicros: number
  readonly lastMicros: number
}

/** The streams that carry one of these tunnels, most packets first. */
export function describeVolumes(
  tunnelIds: readonly number[],
  insides: readonly VolumeInside[],
  streams: readonly VolumeStream[],
): VolumeJoin[] {
  return tunnelIds.flatMap((id) => joinsOf(id, insides, streams)).sort((one, other) => other.packets - one.packets)
}

function joinsOf(id: number, insides: readonly VolumeInside[], streams: readonly VolumeStream[]): VolumeJoin[] {
  const index = insides.findIndex((one) => one.interfaceId === id)
  if (index < 0) return []
  return streams
    .filter((one) => one.pairs[index]!.isProven)
    .map((one) => {
      const { correlation, moments, growth, machineIsLower } = one.pairs[index]!
      return {
        innerInterfaceId: id,
        outerInterfaceId: one.interfaceId,
        endpointId: machineIsLower ? one.higherId : one.lowerId,
        endpointPort: machineIsLower ? one.ports & 0xffff : one.ports >>> 16,
        clientId: machineIsLower ? one.lowerId : one.higherId,
        ipProtocol: one.ipProtocol,
        transport: protocolName(one.ipProtocol),
        outerFamily: one.outerFamily === 6 ? 6 : 4,
        correlation,
        moments,
        growth,
        packets: one.packets,
        firstMicros: one.firstMicros,
        lastMicros: one.lastMicros,
      }
    })
}
