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

/** The words for one fault of one layer on one interface; a damaged capture has thousands of packets for each. */
interface Words {
  key: string
  fault: string
  layer: string
  interfaceName: string
  inputName: string
}

export const trafficMalformed: Detector = {
  meta,
  create(context) {
    /** By interface, layer and fault. */
    const wordsOf = new Map<number, Words>()

    function makeWords(interfaceId: number, faultLayer: number, faultCode: number): Words {
      const fault = FAULT_NAMES[faultCode] ?? 'unknown'
      const layer = LAYER_NAMES[faultLayer] ?? 'unknown'
      const { name, inputName } = context.interfaceOf(interfaceId)
      return { key: `${name} ${layer} ${fault}`, fault, layer, interfaceName: name, inputName }
    }

    return {
      malformed(batch, out, row) {
        const interfaceId = batch.interfaceId[row]!
        const number = (interfaceId << 16) | (out.faultLayer[row]! << 8) | out.fault[row]!
        let words = wordsOf.get(number)
        if (words === undefined) {
          words = makeWords(interfaceId, out.faultLayer[row]!, out.fault[row]!)
          wordsOf.set(number, words)
        }
        context.raise(meta, {
          key: words.key,
          timeMicros: batch.timeMicros[row]!,
          confidence: 'proven',
          interface: words.interfaceName,
          data: { fault: words.fault, layer: words.layer, offset: out.faultAt[row]! },
          evidence: { source: words.inputName, frame: batch.frameNumber[row]! },
        })
      },
    }
  },
}
