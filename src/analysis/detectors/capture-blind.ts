// capture-blind: an interface that packets may leave by is up and not captured. What goes there we do not see.
import type { Detector, DetectorMeta } from '../detector.ts'

const meta: DetectorMeta = {
  id: 'capture-blind',
  title: 'An interface that is not watched',
  severity: 'warning',
  basis: 'kernel events',
  message: 'The interface {interface} ({role}) is up and not captured: what leaves there is not seen.',
  advice: 'Capture on every interface (no -i), or name {interface} with -i as well.',
}

export const captureBlind: Detector = {
  meta,
  create(context) {
    return {
      networkEvent(event) {
        if (event.kind !== 'unwatched') return
        context.raise(meta, {
          key: event.interfaceName,
          timeMicros: event.timeMicros,
          confidence: 'proven',
          interface: event.interfaceName,
          data: { role: event.role },
        })
      },
    }
  },
}
