// capture-loss: the capturing system says it lost packets. Whatever they held we did not see.
import type { Detector, DetectorMeta } from '../detector.ts'

const meta: DetectorMeta = {
  id: 'capture-loss',
  title: 'Packets lost before we saw them',
  severity: 'warning',
  basis: 'capture statistics',
  message: 'The capture lost {dropped} of {total} packets on {interface} ({percent} %): what was in them is not known.',
  advice: 'Capture with a larger buffer or a narrower filter; the verdict of this run is not complete.',
}

export const captureLoss: Detector = {
  meta,
  create(context) {
    /** What was told before, by interface: live the figures grow. */
    const told = new Map<string, number>()
    return {
      captureStatistics(statistics) {
        const before = told.get(`${statistics.inputName} ${statistics.interfaceName}`) ?? 0
        if (statistics.dropped <= before) return
        told.set(`${statistics.inputName} ${statistics.interfaceName}`, statistics.dropped)
        const total = statistics.packets + statistics.dropped
        context.raise(meta, {
          key: statistics.interfaceName,
          timeMicros: statistics.timeMicros,
          confidence: 'proven',
          interface: statistics.interfaceName,
          count: statistics.dropped - before,
          data: {
            dropped: statistics.dropped,
            total,
            percent: Number(((statistics.dropped * 100) / total).toPrecision(2)),
          },
        })
      },
    }
  },
}
