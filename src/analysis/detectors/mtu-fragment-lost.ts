// mtu-fragment-lost: datagrams of which some fragments never came: a middlebox drops fragments, or the path loses them.
import { ICMP_TIME_EXCEEDED, ICMPV6_TIME_EXCEEDED } from '../../constants/wire.ts'
import { LAYER_ICMPV4, LAYER_ICMPV6 } from '../../model/layer.ts'
import { addressText } from '../../text/address.ts'
import type { Detector, DetectorMeta } from '../detector.ts'
import { fragmentFilter, hostFilter } from '../display-filter.ts'
import { createLaterFragments, FILTERED_WORDS } from '../later-fragments.ts'

const meta: DetectorMeta = {
  id: 'mtu-fragment-lost',
  title: 'Fragments that never arrived',
  severity: 'warning',
  basis: 'RFC 8200 4.5, RFC 1122 3.3.2',
  message:
    '{lost} {lost|datagram|datagrams} from {source} to {destination} on {interface} stayed without {missing} for 60 seconds{filterWords}.',
  advice:
    'Let the sender send smaller packets; where only first fragments arrive, a firewall on the way drops the others: allow fragments or avoid them (RFC 8900 6).',
}

const MESSAGE_TOLD =
  '{source} reports on {interface} that it could not put a datagram together in time: fragments are lost on the way to it.'

/** RFC 792, RFC 4443 3.3: the time for reassembly ran out. */
const REASSEMBLY_TIME_EXCEEDED = 1
/** A single one may be chance, or have begun before the capture. */
const MIN_LOST = 2

export const mtuFragmentLost: Detector = {
  meta,
  create(context) {
    const pairs = new Map<string, { lost: number; withFirst: number }>()
    const later = createLaterFragments()
    return {
      fragment: later.note,
      fragmentSet(fact) {
        if (fact.kind !== 'lost') return
        const { name, inputName } = context.interfaceOf(fact.interfaceId)
        const key = `${name} ${fact.srcAddress} ${fact.dstAddress}`
        const pair = pairs.get(key) ?? { lost: 0, withFirst: 0 }
        if (pairs.size < MAX_PAIRS) pairs.set(key, pair)
        pair.lost++
        if (fact.hasFirst) pair.withFirst++
        const isSeen = later.wereSeen(fact.interfaceId)
        context.raise(meta, {
          key,
          timeMicros: fact.timeMicros,
          confidence: pair.lost < MIN_LOST ? 'weak' : isSeen ? 'strong' : 'probable',
          severity: pair.lost >= MIN_LOST ? 'warning' : 'info',
          interface: name,
          ...(pair.withFirst === pair.lost && pair.lost >= MIN_LOST ? { cause: 'later-fragments-dropped' } : {}),
          data: {
            source: fact.srcAddress,
            destination: fact.dstAddress,
            lost: pair.lost,
            missing: missingWords(pair),
            receivedLen: fact.receivedLen,
            filterWords: isSeen ? '' : FILTERED_WORDS,
          },
          evidence: { source: inputName, frame: fact.frameNumber },
          filter: fragmentFilter(name, fact.srcAddress, fact.dstAddress, fact.ipVersion),
        })
      },
      icmpError(batch, out, row) {
        const isV4 = out.layer[row] === LAYER_ICMPV4 && out.icmpType[row] === ICMP_TIME_EXCEEDED
        const isV6 = out.layer[row] === LAYER_ICMPV6 && out.icmpType[row] === ICMPV6_TIME_EXCEEDED
        if ((!isV4 && !isV6) || out.icmpCode[row] !== REASSEMBLY_TIME_EXCEEDED) return
        const { name, inputName } = context.interfaceOf(batch.interfaceId[row]!)
        const source = addressText(out.addresses, row << 3)
        context.raise(meta, {
          key: `${name} ${source} icmp`,
          timeMicros: batch.timeMicros[row]!,
          confidence: 'strong',
          interface: name,
          cause: 'reassembly-time-exceeded',
          basis: isV4 ? 'RFC 792' : 'RFC 4443 3.3',
          message: MESSAGE_TOLD,
          data: { source },
          evidence: { source: inputName, frame: batch.frameNumber[row]! },
          filter: `${hostFilter(name, source)} && ${isV4 ? 'icmp.type == 11 && icmp.code == 1' : 'icmpv6.type == 3 && icmpv6.code == 1'}`,
        })
      },
    }
  },
}

function missingWords({ lost, withFirst }: { lost: number; withFirst: number }): string {
  if (withFirst === lost) return 'a later fragment'
  return withFirst === 0 ? 'the first fragment' : 'one of the fragments'
}

/** Pairs whose losses are counted; more are told one by one. */
const MAX_PAIRS = 1024
