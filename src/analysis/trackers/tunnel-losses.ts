// When a tunnel was gone although its interface stayed (rules.md 1.2): it was silent, and meanwhile this machine reached
// over another interface what it reaches through the tunnel before and after. Heuristic; bounded by the tunnel's packets.
import type { NetworkEventFact } from '../../model/facts.ts'
import type { LostTime, Timeline } from './timeline.ts'

/** One thing the machine started outside: a DNS question or a connection. */
export interface OutsideEvent {
  timeMicros: number
  serverId: number
}

/** Nearer to a packet of the tunnel than this, both sides were in use at once: two sockets, not a lost tunnel. */
const APART_MICROS = 100_000

/**
 * The silences of one tunnel that were losses. `silences` are pairs of times in order; `carried(id)`: the tunnel had
 * packets for that address; `events` in order of time.
 */
export function tunnelLosses(
  silences: readonly number[],
  carried: (serverId: number) => boolean,
  events: readonly OutsideEvent[],
): LostTime[] {
  const moved = events.filter((event) => carried(event.serverId))
  const inSilence = moved.map((event) => silenceAt(silences, event.timeMicros))
  const usedBothWays = new Set(moved.filter((_, index) => inSilence[index] === undefined).map((one) => one.serverId))
  const losses = new Map<number, LostTime>()
  for (const [index, event] of moved.entries()) {
    const silence = inSilence[index]
    if (silence !== undefined && !usedBothWays.has(event.serverId)) losses.set(silence.startMicros, silence)
  }
  return [...losses.values()].sort((a, b) => a.startMicros - b.startMicros)
}

/** The losses of an offline timeline, as live they are told: what comes before the tunnel or after its end is none. */
export function tellLosses(timeline: Timeline, tell: (event: NetworkEventFact) => void): void {
  for (const [index, { state, startMicros, endMicros }] of timeline.epochs.entries()) {
    const before = timeline.epochs[index - 1]
    const after = timeline.epochs[index + 1]
    if (state !== 'lost' || before === undefined || after === undefined) continue
    const lost = { interfaceNames: before.tunnelInterfaces, how: `no packet on ${before.tunnelInterfaces.join(', ')}` }
    tell({ kind: 'tunnel-lost', timeMicros: startMicros, ...lost })
    const interfaceNames = after.tunnelInterfaces
    tell({ kind: 'tunnel-back', timeMicros: endMicros, interfaceNames, lostMicros: startMicros })
  }
}

/** The silence that the moment lies well within. */
function silenceAt(silences: readonly number[], timeMicros: number): LostTime | undefined {
  let low = 0
  let high = silences.length >> 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (silences[middle * 2 + 1]! < timeMicros) low = middle + 1
    else high = middle
  }
  const startMicros = silences[low * 2]
  const endMicros = silences[low * 2 + 1]
  if (startMicros === undefined || endMicros === undefined) return undefined
  const isWithin = timeMicros - startMicros >= APART_MICROS && endMicros - timeMicros >= APART_MICROS
  return isWithin ? { startMicros, endMicros } : undefined
}
