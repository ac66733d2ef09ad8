// The leak service level in the store: what is added, that a name counts once a day whoever tells it, and what is kept.
import { openReader } from '../../src/store/reader.ts'
import { leakServiceRecord } from '../../src/store/records.ts'
import { retainStep } from '../../src/store/retention.ts'
import { createWriter } from '../../src/store/writer.ts'
import { temporaryStore } from '../support/temporary-store.ts'

const DAY_MICROS = 86_400_000_000
const NOON_MICROS = Date.UTC(2026, 4, 10, 12) * 1000

const store = temporaryStore()

function leaked(day: string, app: string, questions: number, outsideMs: number, ...newNames: string[]) {
  return leakServiceRecord({ day, app, questions, outsideMs, newNames })
}

function stored(sinceMicros = 0) {
  const reader = openReader(store.path)
  try {
    return reader.leakService(sinceMicros)
  } finally {
    reader.close()
  }
}

test('numbers add up; a name of two runs of the same day counts once', () => {
  store.with((db) => {
    const places = createWriter(db).write([
      leaked('2026-05-10', 'curl', 2, 30.5, 'a.example', 'b.example'),
      leaked('2026-05-10', 'dig', 1, 5000, 'a.example'),
      leaked('2026-05-09', 'curl', 1, 4, 'a.example'),
    ])
    expect(places.every(({ seq }) => seq === 0)).toBe(true)
  })
  store.with((db) => createWriter(db).write([leaked('2026-05-10', 'curl', 3, 10.25, 'b.example', 'c.example')]))
  expect(stored()).toEqual([
    { day: '2026-05-10', app: 'curl', questions: 5, names: 3, outsideMs: 40.75 },
    { day: '2026-05-10', app: 'dig', questions: 1, names: 1, outsideMs: 5000 },
    { day: '2026-05-09', app: 'curl', questions: 1, names: 1, outsideMs: 4 },
  ])
  expect(stored(NOON_MICROS).map((one) => one.day)).toEqual(['2026-05-10', '2026-05-10'])
})

test('hostile words are data', () => {
  const hostile = `'); DROP TABLE leak_service; --\u001b[2J"`
  store.with((db) => createWriter(db).write([leaked('2026-05-10', hostile, 1, 1, hostile)]))
  expect(stored()).toEqual([{ day: '2026-05-10', app: hostile, questions: 1, names: 1, outsideMs: 1 }])
})

test('days are forgotten with everything else of their age, their names as soon as nobody can add to them', () => {
  store.with((db) => {
    createWriter(db).write([
      leaked('2026-05-02', 'curl', 1, 1, 'a.example'),
      leaked('2026-05-08', 'curl', 1, 1, 'a.example', 'b.example'),
      leaked('2026-05-09', 'curl', 1, 1, 'a.example'),
      leaked('2026-05-10', 'curl', 1, 1, 'a.example'),
    ])
    const limits = { maxAgeMicros: 7 * DAY_MICROS, maxBytes: 1e12 }
    while (!retainStep(db, limits, NOON_MICROS));
    expect(db.prepare('SELECT count(*) FROM leak_names').pluck().get()).toBe(2)
    // Noon of the 17th: the 9th was over more than seven days ago.
    while (!retainStep(db, limits, NOON_MICROS + 7 * DAY_MICROS));
  })
  expect(stored().map(({ day, names }) => [day, names])).toEqual([['2026-05-10', 1]])
})
