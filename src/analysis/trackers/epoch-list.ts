// Epochs as they come about while changes are told: what comes together is one, and a VPN server that takes over begins one.
import { MAX_EPOCHS } from '../../constants/limits.ts'
import type { NetworkEventFact } from '../../model/facts.ts'
import type { EndpointSpan, EpochDetails, EpochSpan, TunnelState } from './epoch-span.ts'
import { cutAtSwitches, inOrder, SWITCH_REASON } from './server-switches.ts'

/** The network from one moment on. */
export interface EpochChange {
  timeMicros: number
  state: TunnelState
  tunnelInterfaces: readonly string[]
  details: EpochDetails
  /** In words. */
  changes: readonly string[]
}

export interface EpochList {
  readonly epochs: EpochSpan[]
  /** Another epoch from here on, or more of the last one when that has just begun. */
  change(change: EpochChange): void
  /**
   * Cuts the last epoch, in which a tunnel is up, where a VPN server takes over, as far as `nowMicros` can tell; the
   * network is known up to `knownMicros`. True when something is another.
   */
  followServers(servers: readonly EndpointSpan[], nowMicros: number, knownMicros: number): boolean
  /** Everything is known: all epochs, cut where servers take over, numbered anew. */
  cutAll(servers: readonly EndpointSpan[]): void
  /** Since then a VPN server may be taking over. */
  switchMicros: number | undefined
  /** The last epoch that had begun, or the first one. */
  at(timeMicros: number): EpochSpan | undefined
}

/** Every new epoch is told in `events`. */
export function createEpochList(events: NetworkEventFact[]): EpochList {
  const epochs: EpochSpan[] = []
  /** What changed at the start of the last epoch, and soon after. */
  let changes: string[] = []

  /** A VPN program changes routes, rules and resolvers one after the other: together they are one change. */
  function isSettling({ state, tunnelInterfaces, timeMicros }: EpochChange): boolean {
    const last = epochs[epochs.length - 1]
    if (last === undefined || last.state !== state || timeMicros - last.startMicros >= SETTLE_MICROS) return false
    return last.tunnelInterfaces.every((name) => tunnelInterfaces.includes(name))
  }

  function settle(change: EpochChange): void {
    const last = epochs[epochs.length - 1]!
    changes.push(...change.changes)
    last.reason = reasonOf(changes)
    last.tunnelInterfaces = [...change.tunnelInterfaces]
    last.details = change.details
  }

  function open({ timeMicros, state, tunnelInterfaces, details, changes: told }: EpochChange): void {
    changes = [...told]
    dropPassing(state, timeMicros)
    const before = epochs[epochs.length - 1]
    if (before !== undefined) {
      before.endMicros = timeMicros
      delete before.isOpen
    }
    push({
      id: (before?.id ?? 0) + 1,
      startMicros: timeMicros,
      endMicros: timeMicros,
      isOpen: true,
      reason: reasonOf(changes),
      state,
      tunnelInterfaces: [...tunnelInterfaces],
      details,
    })
  }

  function push(epoch: EpochSpan): void {
    epochs.push(epoch)
    if (epochs.length > MAX_EPOCHS) epochs.shift()
    events.push({ kind: 'epoch', timeMicros: epoch.startMicros, epochId: epoch.id })
  }

  /** The last epoch was the first step of what now changes more than it did, and nothing in it was judged yet. */
  function dropPassing(state: TunnelState, timeMicros: number): void {
    const last = epochs[epochs.length - 1]
    const before = epochs[epochs.length - 2]
    if (last === undefined || before === undefined || last.state === state || last.state !== before.state) return
    if (timeMicros - last.startMicros > PASSING_MICROS || last.reason.startsWith(SWITCH_REASON)) return
    epochs.pop()
    const dropped = events.findIndex((event) => event.kind === 'epoch' && event.epochId === last.id)
    if (dropped >= 0) events.splice(dropped, 1)
  }

  return {
    epochs,
    switchMicros: undefined,
    change(change) {
      if (isSettling(change)) settle(change)
      else open(change)
    },
    followServers(servers, nowMicros, knownMicros) {
      const last = epochs[epochs.length - 1]!
      const { endpoint } = last
      last.endMicros = Math.max(last.endMicros, knownMicros)
      const found = cutAtSwitches(last, inOrder(servers), nowMicros, epochs[epochs.length - 2])
      this.switchMicros = found.pendingMicros
      for (const [index, epoch] of found.epochs.slice(1).entries()) {
        epoch.id = last.id + index + 1
        push(epoch)
        changes = [epoch.reason]
      }
      return found.epochs.length > 1 || last.endpoint?.server !== endpoint?.server
    },
    cutAll(servers) {
      const ordered = inOrder(servers)
      const cut: EpochSpan[] = []
      for (const epoch of epochs) {
        cut.push(...cutAtSwitches(epoch, ordered, Number.POSITIVE_INFINITY, cut[cut.length - 1]).epochs)
      }
      const firstId = epochs[0]?.id ?? 1
      for (const [index, epoch] of cut.entries()) epoch.id = firstId + index
      epochs.splice(0, epochs.length, ...cut.slice(-MAX_EPOCHS))
    },
    at(timeMicros) {
      let index = epochs.length - 1
      while (index > 0 && epochs[index]!.startMicros > timeMicros) index--
      return epochs[index]
    },
  }
}

/** Changes that come so soon after the start of an epoch, and leave the tunnel's state, belong to it. */
const SETTLE_MICROS = 1_000_000
/** What is younger was not judged yet: questions wait for as long, to see whether they are asked in parallel. */
const PASSING_MICROS = 100_000
const FIRST_CHANGE = 'start'
const FIRST_REASON = 'capture starts'
/** Changes named in an epoch's reason; a VPN client makes a dozen at once. */
const MAX_CHANGES_IN_REASON = 4

/** A history begins with the capture, or after the clock was set. */
function reasonOf(changes: readonly string[]): string {
  if ((changes[0] ?? FIRST_CHANGE) === FIRST_CHANGE) return FIRST_REASON
  const shown = changes.slice(0, MAX_CHANGES_IN_REASON).join('; ')
  const more = changes.length - MAX_CHANGES_IN_REASON
  return more > 0 ? `${shown}; and ${more} more` : shown
}
