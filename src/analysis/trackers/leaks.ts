// The list of what counts for the verdict: every different question that leaked, folded.
import { MAX_LEAKS } from '../../constants/limits.ts'
import type { DnsExchange, EncryptedDnsFact } from '../../model/dns-facts.ts'
import type { ReportLeak } from '../../model/report.ts'
import { utcTime } from '../../text/timestamp.ts'

export interface LeakList {
  add(exchange: DnsExchange): void
  /** A connection whose questions are hidden. */
  addEncrypted(fact: EncryptedDnsFact, interfaceName: string): void
  all(): ReportLeak[]
  /** What is new or was counted again since the last call, at most `limit` of them, each as it now stands. */
  takeChanged(limit: number): ReportLeak[]
  /** Leaks that were counted but are not in the list because it is full. */
  readonly unlisted: number
}

export function createLeakList(): LeakList {
  const byKey = new Map<string, ReportLeak>()
  const changed = new Set<ReportLeak>()
  let unlisted = 0

  /** Counts the leak of that key once more; true also when it was not known and there is no room for it. */
  function isMore(key: string, timeMicros: number, count: number): boolean {
    const known = byKey.get(key)
    if (known === undefined) {
      if (byKey.size < MAX_LEAKS) return false
      unlisted++
      return true
    }
    known.count += count
    known.last = utcTime(timeMicros)
    changed.add(known)
    return true
  }

  function list(key: string, leak: ReportLeak): void {
    byKey.set(key, leak)
    changed.add(leak)
  }

  return {
    add(exchange) {
      const { nameId, type, serverId, serverPort, transport, interfaceName, epoch } = exchange
      const key = `${nameId} ${type} ${serverId} ${serverPort} ${transport} ${interfaceName} ${epoch} ${exchange.cause}`
      if (isMore(key, exchange.queryMicros, exchange.questions)) return
      const time = utcTime(exchange.queryMicros)
      list(key, {
        name: exchange.name,
        type: exchange.typeName,
        server: exchange.serverAddress,
        port: serverPort,
        transport: exchange.protocol === 'dns' || exchange.cause === 'odd-port' ? transport : exchange.protocol,
        interface: interfaceName,
        count: exchange.questions,
        first: time,
        last: time,
        cause: exchange.cause,
        epoch,
        ...(exchange.process === undefined ? {} : { process: { ...exchange.process } }),
      })
    },
    addEncrypted(fact, interfaceName) {
      const { serverAddress, serverPort, transport, epoch, cause, timeMicros } = fact
      const key = `${serverAddress} ${serverPort} ${transport} ${interfaceName} ${epoch} ${cause}`
      if (isMore(key, timeMicros, fact.questions)) return
      const time = utcTime(timeMicros)
      list(key, {
        name: null,
        type: null,
        server: serverAddress,
        port: serverPort,
        transport,
        interface: interfaceName,
        count: fact.questions,
        first: time,
        last: time,
        cause,
        epoch,
      })
    },
    all: () => [...byKey.values()],
    takeChanged(limit) {
      const taken: ReportLeak[] = []
      for (const leak of changed) {
        if (taken.length === limit) break
        changed.delete(leak)
        taken.push({ ...leak })
      }
      return taken
    },
    get unlisted() {
      return unlisted
    },
  }
}
