// The leak service level in the store: by day and program. Names are held only as long as their day may still be added
// to, so that a name of two runs counts once; what is kept is how many they were.
import type { Database } from 'better-sqlite3'
import type { ReportLeakService } from '../model/report.ts'
import { utcTime } from '../text/timestamp.ts'
import type { LeakServiceRecord } from './records.ts'

const DAY_MICROS = 86_400_000_000
/** Rows one answer holds. */
const MAX_ROWS = 1000

/** Adds a record to its (day, program). */
export function createLeakServiceWriter(db: Database): (record: LeakServiceRecord) => void {
  const name = db.prepare('INSERT INTO leak_names (day_micros, app, name) VALUES (?, ?, ?) ON CONFLICT DO NOTHING')
  const row = db.prepare(`
    INSERT INTO leak_service (day_micros, app, questions, names, outside_micros) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (day_micros, app) DO UPDATE SET questions = questions + excluded.questions,
      names = names + excluded.names, outside_micros = outside_micros + excluded.outside_micros`)
  return ({ dayMicros, app, questions, names, outsideMicros }) => {
    const added = names.reduce((sum, one) => sum + name.run(dayMicros, app, one).changes, 0)
    row.run(dayMicros, app, questions, added, outsideMicros)
  }
}

/** The days that begin at `sinceMicros` or later, or are not over then; newest first, then most names first. */
export function selectLeakService(db: Database, sinceMicros: number): ReportLeakService[] {
  const rows = db
    .prepare(
      `SELECT day_micros, app, questions, names, outside_micros FROM leak_service WHERE day_micros > ?
         ORDER BY day_micros DESC, names DESC, app LIMIT ?`,
    )
    .all(sinceMicros - DAY_MICROS, MAX_ROWS) as {
    day_micros: number
    app: string
    questions: number
    names: number
    outside_micros: number
  }[]
  return rows.map(({ day_micros, app, questions, names, outside_micros }) => ({
    day: utcTime(day_micros).slice(0, 10),
    app,
    questions,
    names,
    outsideMs: outside_micros / 1000,
  }))
}

/** Days that were over before the cutoff go, and the names of days that were over a day ago; gives rows deleted. */
export function forgetLeakService(db: Database, cutoffMicros: number, nowMicros: number, limit: number): number {
  const names = db
    .prepare(
      `DELETE FROM leak_names WHERE (day_micros, app, name) IN
         (SELECT day_micros, app, name FROM leak_names WHERE day_micros < ? LIMIT ?)`,
    )
    .run(Math.max(cutoffMicros - DAY_MICROS, nowMicros - 2 * DAY_MICROS), limit)
  const days = db.prepare('DELETE FROM leak_service WHERE day_micros < ?').run(cutoffMicros - DAY_MICROS)
  return names.changes + days.changes
}
