// When the tunnel was up. Offline the times come from the capture's own statistics or from the tunnel's packets; live
// they come from the network context. Either way the rest of the analysis asks the same questions (rules.md 1.2).
import type { InterfaceStatistics } from '../../model/capture-interface.ts'
import type { EndpointSpan, EpochSpan, TunnelState } from './epoch-span.ts'
import { cutAtSwitches, inOrder } from './server-switches.ts'

export interface Timeline {
  stateAt(timeMicros: number): TunnelState
  /** Id of the epoch, from 1. */
  epochAt(timeMicros: number): number
  readonly epochs: readonly EpochSpan[]
  /** A tunnel was up at any time. */
  readonly hasTunnel: boolean
  /** How the times are known, one sentence each. */
  readonly sources: readonly string[]
  /** Live: whether the routes send public addresses of that family through a tunnel; undefined = not known. */
  isFullTunnel?(timeMicros: number, ipVersion: number): boolean | undefined
}

/** A time during which one tunnel interface was there. */
export interface TunnelSpan {
  interfaceName: string
  startMicros: number
  endMicros: number
}

/** One tunnel interface as an offline capture shows it; times −1 when it carried nothing. */
export interface TunnelEvidence {
  interfaceName: string
  statistics: InterfaceStatistics | undefined
  firstMicros: number
  lastMicros: number
  /** Times in which it was gone although its interface stayed, from packet to packet (trackers/tunnel-losses). */
  losses?: readonly LostTime[]
  /** The capture holds only the outer packets of this tunnel; the name is its transport's. */
  isOuter?: boolean
}

/** A time between two packets of a tunnel. */
export interface LostTime {
  startMicros: number
  endMicros: number
}

/** A timeline from what a capture says of its tunnels; the first epoch begins with the capture. */
export function offlineTimeline(
  tunnels: readonly TunnelEvidence[],
  captureStartMicros: number,
  captureEndMicros: number,
  endpoints: readonly EndpointSpan[] = [],
): Timeline {
  const spans: TunnelSpan[] = []
  const sources: string[] = []
  for (const tunnel of tunnels) {
    const start = tunnel.statistics?.startMicros
    const end = tunnel.statistics?.endMicros
    // Statistics that do not cover the interface's own packets come from another clock and prove nothing.
    const covers = tunnel.firstMicros < 0 || (start! <= tunnel.firstMicros && end! >= tunnel.lastMicros)
    if (start !== undefined && end !== undefined && end > start && covers) {
      spans.push(...remaining(tunnel, start, end))
      sources.push(`${tunnel.interfaceName}: up from the start to the end of its capture statistics`)
    } else if (tunnel.firstMicros >= 0) {
      spans.push(...remaining(tunnel, tunnel.firstMicros, tunnel.lastMicros))
      sources.push(
        tunnel.isOuter === true
          ? `${tunnel.interfaceName}: up from the first to the last of its outer packets; its inside was not captured`
          : `${tunnel.interfaceName}: up from its first to its last packet, for want of capture statistics`,
      )
    }
  }
  return timelineOf(spans, captureStartMicros, captureEndMicros, sources, endpoints)
}

/** The span without the times in which the tunnel was lost. */
function remaining(tunnel: TunnelEvidence, startMicros: number, endMicros: number): TunnelSpan[] {
  const spans: TunnelSpan[] = []
  let from = startMicros
  for (const loss of tunnel.losses ?? []) {
    spans.push({ interfaceName: tunnel.interfaceName, startMicros: from, endMicros: loss.startMicros })
    from = loss.endMicros
  }
  spans.push({ interfaceName: tunnel.interfaceName, startMicros: from, endMicros })
  return spans
}

/**
 * Cuts the time of a capture into epochs at every start and end of a span. Time between two spans counts as lost
 * (rules.md 1.2); what comes before the first and after the last has no tunnel. Where one VPN server takes over from
 * another while the tunnel stays up, a new epoch begins too.
 */
export function timelineOf(
  spans: readonly TunnelSpan[],
  captureStartMicros: number,
  captureEndMicros: number,
  sources: readonly string[],
  endpoints: readonly EndpointSpan[] = [],
): Timeline {
  const edges = [...new Set(spans.flatMap((span) => [span.startMicros, span.endMicros]))].sort((a, b) => a - b)
  const connectedFrom = edges[0] ?? Number.POSITIVE_INFINITY
  const connectedTo = edges[edges.length - 1] ?? Number.NEGATIVE_INFINITY
  const within = edges.filter((edge) => edge > captureStartMicros && edge < captureEndMicros)
  const contexts: EpochSpan[] = []
  // Of a capture without a packet no time is known.
  for (const startMicros of captureStartMicros < 0 ? [] : [captureStartMicros, ...within]) {
    const here = spans.filter((span) => span.startMicros <= startMicros && span.endMicros > startMicros)
    const isLost = here.length === 0 && startMicros >= connectedFrom && startMicros < connectedTo
    const state: TunnelState = here.length > 0 ? 'up' : isLost ? 'lost' : 'none'
    const tunnelInterfaces = [...new Set(here.map((span) => span.interfaceName))]
    const before = contexts[contexts.length - 1]
    if (before !== undefined && sameContext(before, state, tunnelInterfaces)) continue
    if (before !== undefined) before.endMicros = startMicros
    const reason = reasonOf(before, state, tunnelInterfaces)
    contexts.push({ id: 0, startMicros, endMicros: captureEndMicros, reason, state, tunnelInterfaces })
  }
  const ordered = inOrder(endpoints)
  const epochs = contexts.flatMap((context) => cutAtSwitches(context, ordered).epochs)
  epochs.forEach((epoch, index) => {
    epoch.id = index + 1
  })

  /** The last epoch that had begun, or the first one. */
  const at = (timeMicros: number): EpochSpan | undefined => {
    let low = 0
    let high = epochs.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (epochs[middle]!.startMicros <= timeMicros) low = middle
      else high = middle - 1
    }
    return epochs[low]
  }
  return {
    stateAt: (timeMicros) => {
      if (timeMicros < connectedFrom || timeMicros > connectedTo) return 'none'
      return spans.some((span) => span.startMicros <= timeMicros && timeMicros <= span.endMicros) ? 'up' : 'lost'
    },
    epochAt: (timeMicros) => at(timeMicros)?.id ?? 1,
    epochs,
    hasTunnel: spans.length > 0,
    sources,
  }
}

function sameContext(before: EpochSpan, state: TunnelState, tunnelInterfaces: readonly string[]): boolean {
  return before.state === state && before.tunnelInterfaces.join() === tunnelInterfaces.join()
}

function reasonOf(before: EpochSpan | undefined, state: TunnelState, tunnelInterfaces: readonly string[]): string {
  if (before === undefined) return 'capture starts'
  if (state === 'up') return `tunnel up: ${tunnelInterfaces.join(', ')}`
  return `tunnel down: ${before.tunnelInterfaces.join(', ')}`
}
