// The leak service level: by program and day, how many names left outside the tunnel and how long their questions were
// there. A number to watch: it should be zero, and stay so.
import { DNS_TIMEOUT_MICROS } from '../../constants/limits.ts'
import type { DnsExchange } from '../../model/dns-facts.ts'
import type { LeakServiceChange, ReportLeakService } from '../../model/report.ts'
import { utcTime } from '../../text/timestamp.ts'

export interface LeakServiceTracker {
  exchange(exchange: DnsExchange): void
  /** By day, then most names first. */
  all(): ReportLeakService[]
  /** What is new since the last call. */
  takeChanges(): LeakServiceChange[]
}

interface Row {
  day: string
  app: string
  questions: number
  /** By id, in the order they were met; empty when `ended`. */
  names: Map<number, string>
  nameCount: number
  outsideMicros: number
  /** What takeChanges() has given out. */
  told: { questions: number; nameCount: number; outsideMicros: number }
}

/** Days times programs; when more come the oldest are let go. */
const MAX_ROWS = 4096
/** Names told apart, over all rows; beyond them there are only questions. */
const MAX_NAMES = 65_536
const UNKNOWN_APP = 'unknown'

export function createLeakServiceTracker(): LeakServiceTracker {
  const rows = new Map<string, Row>()
  const changed = new Set<Row>()
  let nameCount = 0

  function rowOf(day: string, app: string): Row {
    const key = `${day} ${app}`
    let row = rows.get(key)
    if (row !== undefined) return row
    if (rows.size >= MAX_ROWS) letGo(rows.keys().next().value!)
    const told = { questions: 0, nameCount: 0, outsideMicros: 0 }
    row = { day, app, questions: 0, names: new Map(), nameCount: 0, outsideMicros: 0, told }
    rows.set(key, row)
    return row
  }

  function letGo(key: string): void {
    const row = rows.get(key)!
    nameCount -= row.names.size
    rows.delete(key)
  }

  /** Names of the days before are needed no more to tell new ones apart, once somebody has taken them. */
  function forgetNames(before: string): void {
    for (const row of rows.values()) {
      if (row.day >= before || changed.has(row) || row.names.size === 0) continue
      nameCount -= row.names.size
      row.names = new Map()
    }
  }

  return {
    exchange(exchange) {
      const { judgement, queryMicros, responseMicros, nameId } = exchange
      if (judgement !== 'leak' && judgement !== 'leak-window') return
      const row = rowOf(utcTime(queryMicros).slice(0, 10), exchange.process?.name ?? UNKNOWN_APP)
      row.questions += exchange.questions
      if (nameCount < MAX_NAMES && !row.names.has(nameId)) {
        row.names.set(nameId, exchange.name)
        row.nameCount++
        nameCount++
      }
      // A question without an answer was outside until its client gave up.
      row.outsideMicros += responseMicros < 0 ? DNS_TIMEOUT_MICROS : Math.max(0, responseMicros - queryMicros)
      changed.add(row)
    },
    all: () =>
      [...rows.values()]
        .map((row) => ({
          day: row.day,
          app: row.app,
          questions: row.questions,
          names: row.nameCount,
          outsideMs: millis(row.outsideMicros),
        }))
        .sort((a, b) => a.day.localeCompare(b.day) || b.names - a.names),
    takeChanges() {
      if (changed.size === 0) return []
      const changes = [...changed].map((row) => {
        const { day, app, questions, outsideMicros, told } = row
        const change = {
          day,
          app,
          questions: questions - told.questions,
          outsideMs: millis(outsideMicros - told.outsideMicros),
          newNames: [...row.names.values()].slice(row.names.size - (row.nameCount - told.nameCount)),
        }
        row.told = { questions, nameCount: row.nameCount, outsideMicros }
        return change
      })
      changed.clear()
      const newest = changes
        .map((one) => one.day)
        .sort()
        .at(-1)!
      forgetNames(utcTime(Date.parse(newest) * 1000 - 86_400_000_000).slice(0, 10))
      return changes
    },
  }
}

function millis(micros: number): number {
  return Number((micros / 1000).toFixed(3))
}
