// The network context as it changes: netlink events and resolver files in, one NetworkContext per change out, each with
// the time at which it came to be, so that packets can be judged in the context of their moment.
import type { LinkState, NetworkContext } from '../model/network-context.ts'
import { interfaceStates } from './interface-roles.ts'
import { type NativeNetWatch, type NetMessages, openNetWatch } from './native-addon.ts'
import { parseNetworkEvents } from './netlink-messages.ts'
import { NetworkState } from './network-state.ts'
import { describeChanges, egressStates, endpointHints, tunnelStates } from './network-view.ts'
import { readTcpMtuProbing } from './os-settings.ts'
import { type ResolverFileState, ResolverFiles } from './resolver-files.ts'
import type { LinkNames } from './ring-source.ts'

/** Events this close together are one change: a VPN client makes a dozen at once. */
const TOGETHER_MICROS = 1000

/**
 * Building contexts may take this share of the time, after a first credit: a client that adds 10,000 routes one by one
 * is not followed step by step, one that makes and deletes its device a hundred times is.
 */
const BUILD_SHARE = 0.1
const BUILD_CREDIT_MILLIS = 2000

export interface ContextWatchOptions {
  /** Called from the event loop when a change waits for takeChanges(). */
  onChange?: () => void
  /** Where /etc and /run are looked for; '' but in tests. */
  root?: string
}

/** Who follows the network of this machine: netlink on Linux, asking again and again elsewhere. */
export interface NetworkWatch extends LinkNames {
  /** The context now, as far as it has been taken in. */
  readonly current: NetworkContext
  /** Contexts since the last call, oldest first, times ascending; the first call gives the one at the start. */
  takeChanges(): NetworkContext[]
  /** The clock was set, as `words` say: the context of now bears the new time, and what is told from here on comes after it. */
  startAnew(timeMicros: number, words: string): void
  close(): void
}

export class ContextWatch implements NetworkWatch {
  readonly #watch: NativeNetWatch
  readonly #files: ResolverFiles
  readonly #state = new NetworkState()
  readonly #root: string
  #resolvers: ResolverFileState
  #current: NetworkContext
  #changes: NetworkContext[] = []
  #linksChanged = true
  /** Time of the last event that no context shows yet. */
  #pendingMicros: number | undefined
  #creditMillis = BUILD_CREDIT_MILLIS
  #creditedMillis = performance.now()

  /** Knows everything when it returns. @throws OperatorError `network-watch`, `addon-missing` */
  constructor(options: ContextWatchOptions = {}) {
    const wake = () => options.onChange?.()
    this.#root = options.root ?? ''
    this.#watch = openNetWatch(wake)
    this.#files = new ResolverFiles(this.#root, wake)
    const messages = this.#watch.take(true)
    for (const item of messages) this.#apply(item)
    this.#resolvers = this.#files.read(Date.now())
    this.#current = this.#build(messages[0]?.[0] ?? Date.now() * 1000)
    this.#changes.push(this.#current)
  }

  /** The context now, as far as refresh() has taken it in. */
  get current(): NetworkContext {
    return this.#current
  }

  /** Takes in what the kernel and the files have told since the last call, `wait`: also of a dump under way. Cheap. */
  refresh(wait = false): void {
    const messages = this.#watch.take(wait)
    for (let i = 0; i < messages.length; i++) {
      this.#apply(messages[i]!)
      this.#pendingMicros = messages[i]![0]
      const next = messages[i + 1]
      if (next === undefined || next[0] - messages[i]![0] > TOGETHER_MICROS) this.#note()
    }
    const resolvers = this.#files.read(Date.now())
    if (resolvers !== this.#resolvers) {
      this.#resolvers = resolvers
      // The file's own time, but never before what is already known.
      this.#pendingMicros = Math.max(resolvers.changedMicros, this.#pendingMicros ?? this.#current.timeMicros)
    }
    this.#note()
  }

  /** Contexts since the last call, oldest first, times ascending; the first call gives the one at the start. */
  takeChanges(): NetworkContext[] {
    const changes = this.#changes
    this.#changes = []
    return changes
  }

  /** The clock was set, as `words` say: the context of now bears the new time, and what is told from here on comes after it. */
  startAnew(timeMicros: number, words: string): void {
    this.#current = { ...this.#current, timeMicros, changes: [words] }
    this.#changes = [this.#current]
    if (this.#pendingMicros !== undefined) this.#pendingMicros = timeMicros
  }

  refreshLinks(wait = false): boolean {
    this.refresh(wait)
    const changed = this.#linksChanged
    this.#linksChanged = false
    return changed
  }

  linkName(interfaceIndex: number): string | undefined {
    return this.#state.links.get(interfaceIndex)?.name ?? this.#state.goneNames.get(interfaceIndex)
  }

  linkIndices(): Iterable<number> {
    return this.#state.links.keys()
  }

  /** Has the kernel's tables dumped again; the snapshot comes with one of the next refresh(). */
  requestDump(): void {
    this.#watch.requestDump()
  }

  close(): void {
    this.#watch.close()
    this.#files.close()
  }

  #apply([, snapshot, data]: NetMessages): void {
    if (snapshot) {
      this.#state.clear()
      this.#linksChanged = true
    }
    let dumpAgain = false
    for (const event of parseNetworkEvents(data)) {
      if (event.what === 'link') this.#linksChanged ||= isOtherLink(this.#state.links.get(event.value.index), event)
      if (this.#state.apply(event)) dumpAgain = true
    }
    if (dumpAgain && !snapshot) this.#watch.requestDump()
  }

  /** A new context when something a person cares for has changed. */
  #note(): void {
    const started = performance.now()
    if (this.#pendingMicros === undefined) return
    const earned = (started - this.#creditedMillis) * BUILD_SHARE
    this.#creditMillis = Math.min(BUILD_CREDIT_MILLIS, this.#creditMillis + earned)
    this.#creditedMillis = started
    if (this.#creditMillis < 0) return
    const next = this.#build(this.#pendingMicros)
    this.#pendingMicros = undefined
    const changes = describeChanges(this.#current, next)
    this.#creditMillis -= performance.now() - started
    if (changes.length === 0) return
    this.#current = { ...next, changes }
    this.#changes.push(this.#current)
  }

  #build(timeMicros: number): NetworkContext {
    const routes = this.#state.routes()
    const rules = [...this.#state.rules.values()].sort((a, b) => a.priority - b.priority)
    const interfaces = interfaceStates([...this.#state.links.values()], [...this.#state.addresses.values()], routes)
    const egress = egressStates(interfaces, routes, rules)
    const tcpMtuProbing = readTcpMtuProbing(this.#root)
    return {
      timeMicros,
      changes: ['start'],
      interfaces,
      routes,
      rules,
      dnsServers: this.#resolvers.dnsServers,
      searchDomains: this.#resolvers.searchDomains,
      egress,
      tunnels: tunnelStates(interfaces),
      endpoints: endpointHints(interfaces, routes, egress),
      routesCut: this.#state.routesCut,
      ...(tcpMtuProbing === undefined ? {} : { tcpMtuProbing }),
    }
  }
}

function isOtherLink(before: LinkState | undefined, event: { gone: boolean; value: LinkState }): boolean {
  return event.gone || before?.name !== event.value.name
}
