// tunnel-down: the tunnel was lost and came back (rules.md 1.2): live as the kernel tells, offline as the packets show.
import type { Detector, DetectorMeta } from '../detector.ts'

const meta: DetectorMeta = {
  id: 'tunnel-down',
  title: 'The tunnel was lost',
  severity: 'warning',
  basis: 'heuristic',
  message: 'The tunnel {tunnel} was lost for {lostMs} ms ({how}).',
  advice: 'Look into the VPN’s log for that moment, and switch on its kill switch if anything left meanwhile.',
}

const OPEN_MESSAGE = 'The tunnel {tunnel} is lost ({how}).'
const STOPPED_MESSAGE =
  'The tunnel {tunnel} went down and did not come back ({how}): somebody switched it off, or it failed.'

export const tunnelDown: Detector = {
  meta,
  create(context) {
    let tunnel = ''
    let how = ''
    return {
      networkEvent(event) {
        if (event.kind !== 'tunnel-lost' && event.kind !== 'tunnel-back' && event.kind !== 'tunnel-stopped') return
        const isLost = event.kind === 'tunnel-lost'
        const lostMicros = isLost ? event.timeMicros : event.lostMicros
        if (isLost) {
          tunnel = event.interfaceNames.join(', ')
          how = event.how
        }
        const lostMs = Math.round((event.timeMicros - lostMicros) / 1000)
        context.raise(meta, {
          key: `${tunnel} ${lostMicros}`,
          timeMicros: event.timeMicros,
          confidence: how.startsWith('no packet') ? 'probable' : 'proven',
          basis: how.startsWith('no packet') ? 'heuristic' : 'kernel events',
          severity: event.kind === 'tunnel-stopped' ? 'info' : 'warning',
          interface: tunnel,
          message: isLost ? OPEN_MESSAGE : event.kind === 'tunnel-back' ? meta.message : STOPPED_MESSAGE,
          count: isLost ? 1 : 0,
          data: { tunnel, how, ...(isLost ? {} : { lostMs }) },
        })
      },
    }
  },
}
