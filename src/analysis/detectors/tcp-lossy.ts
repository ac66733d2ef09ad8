// tcp-lossy: so many segments are sent again that the path loses packets of all sizes: radio, overload, a bad line.
import type { Detector, DetectorMeta } from '../detector.ts'
import { interfaceFilter } from '../display-filter.ts'
import { SIZE_CLASSES, sizeClassOf, sumOfClasses } from '../trackers/path-table.ts'

const meta: DetectorMeta = {
  id: 'tcp-lossy',
  title: 'Packets are lost on the way',
  severity: 'warning',
  basis: 'heuristic',
  message:
    'On {interface} {percent} % of the TCP segments with data were lost and sent again ({lost} of {segments}{worstWords}): the path loses packets whatever their size.',
  advice:
    'Not an MTU matter: try a cable instead of Wi-Fi, another VPN location or transport, and compare with the same download without the VPN.',
}

/** TCP slows down to a crawl from here on (RFC 5348 3.1: throughput falls with the root of loss). */
const LOSSY_SHARE = 0.02
const MIN_SEGMENTS = 100
const MIN_LOST = 5
/** A queue that overflows once, as every fast start makes it, is no lossy path (RFC 5348 5.2: loss events count). */
const MIN_EVENTS = 4
const CHECK_MICROS = 5_000_000
/** Wireshark calls some of them out of order; what had arrived already is not counted. */
const SENT_AGAIN =
  'tcp.len > 0 && (tcp.analysis.retransmission || tcp.analysis.out_of_order) && !tcp.analysis.spurious_retransmission'

interface Sum {
  segments: number
  lost: number
  events: number
  worst: number
  worstLost: number
}

export const tcpLossy: Detector = {
  meta,
  create(context) {
    const { paths, addresses } = context.network
    const toldLost = new Map<number, number>()
    let checkedMicros = 0
    let nowMicros = 0

    function check(): void {
      const sums = new Map<number, Sum>()
      for (let path = 1; path < paths.count; path++) {
        const sum = sums.get(paths.interfaceId[path]!) ?? { segments: 0, lost: 0, events: 0, worst: 0, worstLost: -1 }
        sums.set(paths.interfaceId[path]!, sum)
        sum.events += paths.lossEvents[path]!
        for (const direction of [path * 2, path * 2 + 1]) {
          // What is too large for the path is lost for that reason, and told elsewhere.
          const limit = paths.lost[direction]! || paths.told[path]!
          const upTo = limit === 0 ? SIZE_CLASSES : sizeClassOf(limit)
          const lost = sumOfClasses(paths.lostByClass, direction, 0, upTo)
          sum.segments += sumOfClasses(paths.sentByClass, direction, 0, upTo)
          sum.lost += lost
          if (lost > sum.worstLost) {
            sum.worst = path
            sum.worstLost = lost
          }
        }
      }
      for (const [interfaceId, sum] of sums) judge(interfaceId, sum)
    }

    function judge(interfaceId: number, sum: Sum): void {
      if (
        sum.segments < MIN_SEGMENTS ||
        sum.lost < MIN_LOST ||
        sum.events < MIN_EVENTS ||
        sum.lost < sum.segments * LOSSY_SHARE
      )
        return
      if (toldLost.get(interfaceId) === sum.lost) return
      const { name } = context.interfaceOf(interfaceId)
      const isFirst = !toldLost.has(interfaceId)
      toldLost.set(interfaceId, sum.lost)
      const server = addresses.text(paths.addressId[sum.worst]!)
      context.raise(meta, {
        key: name,
        timeMicros: nowMicros,
        confidence: 'probable',
        interface: name,
        count: isFirst ? 1 : 0,
        data: {
          percent: ((sum.lost / sum.segments) * 100).toFixed(1),
          lost: sum.lost,
          segments: sum.segments,
          server,
          worstWords: `, most of them with ${server}`,
        },
        filter: `${interfaceFilter(name)}${SENT_AGAIN}`,
      })
    }

    return {
      tick(timeMicros) {
        nowMicros = timeMicros
        if (timeMicros - checkedMicros < CHECK_MICROS) return
        checkedMicros = timeMicros
        check()
      },
      end: check,
    }
  },
}
