// mtu-df-cleared: a packet that forbade fragmentation is seen on another interface without that bit, or in fragments.
import { type DecodedBatch, ROW_DF, ROW_FRAGMENT } from '../../model/decoded-batch.ts'
import type { PacketBatch } from '../../model/packet-batch.ts'
import { addressText } from '../../text/address.ts'
import type { Detector, DetectorMeta } from '../detector.ts'
import { hostFilter } from '../display-filter.ts'

const meta: DetectorMeta = {
  id: 'mtu-df-cleared',
  title: '"Don’t fragment" cleared on the way',
  severity: 'warning',
  basis: 'RFC 6864 4.3, RFC 791 2.3',
  message:
    'A packet from {source} to {destination} forbade fragmentation on {before} and came {how} on {interface}: whatever lies between changed it.',
  advice:
    'Switch off the clearing of DF on the device between {before} and {interface}: it hides the path’s MTU, and reassembly can mix up packets.',
}

/** Packets remembered, by hash; smaller packets are never fragmented. */
const REMEMBERED = 4096
const MIN_LEN = 577
const MAX_DELAY_MICROS = 2_000_000

export const mtuDfCleared: Detector = {
  meta,
  create(context) {
    const hashes = new Uint32Array(REMEMBERED)
    const ids = new Uint32Array(REMEMBERED)
    const interfaceIds = new Uint16Array(REMEMBERED)
    const times = new Float64Array(REMEMBERED)

    function packet(batch: PacketBatch, out: DecodedBatch, row: number): void {
      const id = out.ipId[row]!
      // An atomic datagram's identification may be anything, 0 above all (RFC 6864 4.1).
      if (out.ipVersion[row] !== 4 || id === 0 || out.ipLen[row]! < MIN_LEN || out.fragmentOffset[row] !== 0) return
      const at = row << 3
      let hash = Math.imul(out.addresses[at + 3]! ^ id, 0x9e3779b1)
      hash = Math.imul(hash ^ (hash >>> 15) ^ out.addresses[at + 7]!, 0x85ebca6b)
      hash = (hash ^ (hash >>> 13) ^ out.ipProtocol[row]!) >>> 0
      const place = hash & (REMEMBERED - 1)
      const interfaceId = batch.interfaceId[row]!
      if ((out.flags[row]! & ROW_DF) !== 0) {
        hashes[place] = hash
        ids[place] = id
        interfaceIds[place] = interfaceId
        times[place] = batch.timeMicros[row]!
      } else if (hashes[place] === hash && ids[place] === id && interfaceIds[place] !== interfaceId) {
        const delay = batch.timeMicros[row]! - times[place]!
        if (delay >= 0 && delay <= MAX_DELAY_MICROS) tell(batch, out, row, interfaceIds[place]!)
      }
    }

    function tell(batch: PacketBatch, out: DecodedBatch, row: number, beforeId: number): void {
      const { name, inputName } = context.interfaceOf(batch.interfaceId[row]!)
      const before = context.interfaceOf(beforeId).name
      const source = addressText(out.addresses, row << 3)
      const destination = addressText(out.addresses, (row << 3) + 4)
      context.raise(meta, {
        key: `${before} ${name} ${source} ${destination}`,
        timeMicros: batch.timeMicros[row]!,
        confidence: 'strong',
        interface: name,
        data: {
          source,
          destination,
          before,
          how: (out.flags[row]! & ROW_FRAGMENT) !== 0 ? 'in fragments' : 'without that bit',
        },
        evidence: { source: inputName, frame: batch.frameNumber[row]! },
        filter: `${hostFilter(name, source)} && ip.id == ${out.ipId[row]!}`,
      })
    }

    return { packet }
  },
}
