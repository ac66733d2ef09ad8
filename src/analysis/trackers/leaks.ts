// The list of what counts for the verdict: every different question that leaked, folded.
import { MAX_LEAKS } from '../../constants/limits.ts'
import type { DnsExchange } from '../../model/facts.ts'
import type { ReportLeak } from '../../model/report.ts'
import { utcTime } from '../../text/timestamp.ts'

export interface LeakList {
  add(exchange: DnsExchange): void
  all(): ReportLeak[]
  /** Leaks that were counted but are not in the list because it is full. */
  readonly unlisted: number
}

export function createLeakList(): LeakList {
  const byKey = new Map<string, ReportLeak>()
  let unlisted = 0
  return {
    add(exchange) {
      const { nameId, type, serverId, serverPort, transport, interfaceName, epoch } = exchange
      const key = `${nameId} ${type} ${serverId} ${serverPort} ${transport} ${interfaceName} ${epoch} ${exchange.cause}`
      const known = byKey.get(key)
      if (known !== undefined) {
        known.count += exchange.questions
        known.last = utcTime(exchange.queryMicros)
        return
      }
      if (byKey.size >= MAX_LEAKS) {
        unlisted++
        return
      }
      const time = utcTime(exchange.queryMicros)
      byKey.set(key, {
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
    all: () => [...byKey.values()],
    get unlisted() {
      return unlisted
    },
  }
}
