// The leak service level: by program and day, how many names left outside the tunnel and how long their questions were
// there. A number to watch: it should be zero, and stay so.
import { DNS_TIMEOUT_MICROS } from '../../constants/limits.ts'
import type { DnsExchange } from '../../model/facts.ts'
import type { ReportLeakService } from '../../model/report.ts'
import { utcTime } from '../../text/timestamp.ts'

export interface LeakServiceTracker {
  exchange(exchange: DnsExchange): void
  /** By day, then most names first. */
  all(): ReportLeakService[]
}

interface Row {
  day: string
  app: string
  questions: number
  names: Set<number>
  outsideMicros: number
}

/** Days times programs; and names told apart in each, beyond which they are only questions. */
const MAX_ROWS = 4096
const MAX_NAMES = 65_536
const UNKNOWN_APP = 'unknown'

export function createLeakServiceTracker(): LeakServiceTracker {
  const rows = new Map<string, Row>()
  return {
    exchange(exchange) {
      const { judgement, queryMicros, responseMicros } = exchange
      if (judgement !== 'leak' && judgement !== 'leak-window') return
      const day = utcTime(queryMicros).slice(0, 10)
      const app = exchange.process?.name ?? UNKNOWN_APP
      const key = `${day} ${app}`
      let row = rows.get(key)
      if (row === undefined) {
        if (rows.size >= MAX_ROWS) return
        row = { day, app, questions: 0, names: new Set(), outsideMicros: 0 }
        rows.set(key, row)
      }
      row.questions += exchange.questions
      if (row.names.size < MAX_NAMES) row.names.add(exchange.nameId)
      // A question without an answer was outside until its client gave up.
      row.outsideMicros += responseMicros < 0 ? DNS_TIMEOUT_MICROS : Math.max(0, responseMicros - queryMicros)
    },
    all: () =>
      [...rows.values()]
        .map(({ day, app, questions, names, outsideMicros }) => ({
          day,
          app,
          questions,
          names: names.size,
          outsideMs: Number((outsideMicros / 1000).toFixed(3)),
        }))
        .sort((a, b) => a.day.localeCompare(b.day) || b.names - a.names),
  }
}
