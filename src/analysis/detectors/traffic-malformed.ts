// traffic-malformed: packets that break their own standard. The decoder names the oddity; this table judges it.

import { LAYER_NAMES } from '../../model/layer.ts'
import { FAULT_NAMES } from '../../model/malformed.ts'
import type { Detector, DetectorMeta } from '../detector.ts'

const meta: DetectorMeta = {
  id: 'traffic-malformed',
  title: 'Malformed packets',
  severity: 'info',
  basis: 'the standard of the layer named',
  message: '{count} {count|packet|packets} with a malformed {layer} part on {interface}: {fault}.',
  advice: 'Look at the first one in Wireshark; a few come from damaged captures, many from a broken or hostile sender.',
}

export const trafficMalformed: Detector = {
  meta,
  create(context) {
    return {
      malformed(batch, out, row) {
        const fault = FAULT_NAMES[out.fault[row]!] ?? 'unknown'
        const layer = LAYER_NAMES[out.faultLayer[row]!] ?? 'unknown'
        const source = context.interfaceOf(batch.interfaceId[row]!)
        context.raise(meta, {
          key: `${source.name} ${layer} ${fault}`,
          timeMicros: batch.timeMicros[row]!,
          confidence: 'proven',
          interface: source.name,
          data: { fault, layer, offset: out.faultAt[row]! },
          evidence: { source: source.inputName, frame: batch.frameNumber[row]! },
        })
      },
    }
  },
}
