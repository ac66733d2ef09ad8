// Where one VPN server takes over from another while the tunnel stays up: a new network context begins there, though no
// link, address or route has changed.
import type { EndpointSpan, EpochSpan } from './epoch-span.ts'

/** Until one server is silent while another is talked to already. */
const SWITCH_OVERLAP_MICROS = 2_000_000
/** A server that was silent for so long has ended its stint (trackers/vpn-transport). */
const SILENT_MICROS = 1_000_000
/** Handshakes and keepalives to a second server carry nobody's traffic: fewer packets are no switch. */
const MIN_SWITCH_PACKETS = 8
/** A change of network and the first packet to the server it leads to belong together when they are so close. */
const SETTLE_MICROS = 1_000_000

/** How the reason of an epoch begins that a switch began. */
export const SWITCH_REASON = 'VPN server changes'

/** The epochs of one tunnel time, one for each VPN server. */
export interface Switches {
  epochs: EpochSpan[]
  /** Since then a server may be taking over; nobody can tell yet. */
  pendingMicros?: number
}

/**
 * Cuts `context` where a server takes over. Servers that are talked to side by side make no new epoch. `endpoints` in
 * order of their starts; `nowMicros`: what is known so far, everything unless given; `before`: the epoch before it.
 */
export function cutAtSwitches(
  context: EpochSpan,
  endpoints: readonly EndpointSpan[],
  nowMicros = Number.POSITIVE_INFINITY,
  before?: EpochSpan,
): Switches {
  if (context.state !== 'up') return { epochs: [context] }
  const epochs = [context]
  const { endMicros } = context
  for (const next of endpoints) {
    const current = epochs[epochs.length - 1]!
    if (next.startMicros >= endMicros || next.endMicros < context.startMicros) continue
    const { endpoint } = current
    if (endpoint === undefined || next.startMicros <= current.startMicros || endpoint.server === next.server) {
      current.endpoint = next
      continue
    }
    if (endpoint.endMicros > next.startMicros + SWITCH_OVERLAP_MICROS) continue
    if (nowMicros <= endpoint.endMicros + SILENT_MICROS) return { epochs, pendingMicros: next.startMicros }
    if (next.packets < MIN_SWITCH_PACKETS || next.endMicros <= endpoint.endMicros) {
      if (nowMicros <= next.startMicros + SWITCH_OVERLAP_MICROS) return { epochs, pendingMicros: next.startMicros }
      continue
    }
    if (isLeftOver(current, before) && next.startMicros - current.startMicros < SETTLE_MICROS) {
      current.endpoint = next
      continue
    }
    const reason = `${SWITCH_REASON} from ${endpoint.server} to ${next.server}`
    epochs.push({ ...current, startMicros: next.startMicros, reason, endpoint: next })
    current.endMicros = next.startMicros
    delete current.isOpen
  }
  return { epochs }
}

export function inOrder(endpoints: readonly EndpointSpan[]): EndpointSpan[] {
  return [...endpoints].sort((a, b) => a.startMicros - b.startMicros)
}

/** The epoch's server is still the one of the epoch before it. */
function isLeftOver(epoch: EpochSpan, before: EpochSpan | undefined): boolean {
  return before?.state === 'up' && before.endpoint?.server === epoch.endpoint?.server
}
