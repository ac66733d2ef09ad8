// mtu-df-fragment: IPv4 fragments that forbid further fragmentation. Legal, but they die where the path gets narrower.
import { type DecodedBatch, ROW_DF } from '../../model/decoded-batch.ts'
import type { PacketBatch } from '../../model/packet-batch.ts'
import { addressText } from '../../text/address.ts'
import type { Detector, DetectorMeta } from '../detector.ts'
import { fragmentFilter } from '../display-filter.ts'

const meta: DetectorMeta = {
  id: 'mtu-df-fragment',
  title: 'Fragments with "don’t fragment"',
  severity: 'info',
  basis: 'RFC 6864 4.3',
  message:
    '{source} sends {destination} fragments of up to {fragmentLen} bytes on {interface} that no router may fragment further.',
  advice: 'Nothing as long as they arrive; on a path narrower than {fragmentLen} bytes they are dropped.',
}

export const mtuDfFragment: Detector = {
  meta,
  create(context) {
    const largest = new Map<string, number>()

    function fragment(batch: PacketBatch, out: DecodedBatch, row: number): void {
      if (out.ipVersion[row] !== 4 || (out.flags[row]! & ROW_DF) === 0) return
      const { name, inputName } = context.interfaceOf(batch.interfaceId[row]!)
      const source = addressText(out.addresses, row << 3)
      const destination = addressText(out.addresses, (row << 3) + 4)
      const key = `${name} ${source} ${destination}`
      const fragmentLen = Math.max(out.ipLen[row]!, largest.get(key) ?? 0)
      if (largest.size < MAX_PAIRS) largest.set(key, fragmentLen)
      context.raise(meta, {
        key,
        timeMicros: batch.timeMicros[row]!,
        confidence: 'proven',
        interface: name,
        data: { source, destination, fragmentLen },
        evidence: { source: inputName, frame: batch.frameNumber[row]! },
        filter: `${fragmentFilter(name, source, destination, 4)} && ip.flags.df == 1`,
      })
    }

    return { fragment }
  },
}

/** Pairs whose largest fragment is remembered. */
const MAX_PAIRS = 1024
