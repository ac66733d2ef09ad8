import { createLeakServiceTracker } from '../../../src/analysis/trackers/leak-service.ts'
import type { DnsExchange } from '../../../src/model/dns-facts.ts'

const DAY_MICROS = 86_400_000_000
const NOON_MICROS = Date.UTC(2026, 4, 1, 12) * 1000

function leak(nameId: number, app: string, queryMicros: number, changes: Partial<DnsExchange> = {}): DnsExchange {
  const exchange: Partial<DnsExchange> & { nameId: number } = {
    judgement: 'leak',
    queryMicros,
    responseMicros: queryMicros + 20_000,
    questions: 1,
    nameId,
    name: `n${nameId}.example`,
    process: { pid: 7, name: app, uid: 1000 },
    ...changes,
  }
  return exchange as DnsExchange
}

test('changes are told once: numbers to be added, names that were not told before', () => {
  const tracker = createLeakServiceTracker()
  tracker.exchange(leak(1, 'curl', NOON_MICROS))
  tracker.exchange(leak(2, 'curl', NOON_MICROS, { questions: 3, judgement: 'leak-window' }))
  tracker.exchange(leak(1, 'dig', NOON_MICROS))
  tracker.exchange(leak(9, 'dig', NOON_MICROS, { judgement: 'expected' }))
  expect(tracker.takeChanges()).toEqual([
    { day: '2026-05-01', app: 'curl', questions: 4, outsideMs: 40, newNames: ['n1.example', 'n2.example'] },
    { day: '2026-05-01', app: 'dig', questions: 1, outsideMs: 20, newNames: ['n1.example'] },
  ])
  expect(tracker.takeChanges()).toEqual([])
  tracker.exchange(leak(2, 'curl', NOON_MICROS))
  tracker.exchange(leak(3, 'curl', NOON_MICROS, { responseMicros: -1 }))
  expect(tracker.takeChanges()).toEqual([
    { day: '2026-05-01', app: 'curl', questions: 2, outsideMs: 5020, newNames: ['n3.example'] },
  ])
  expect(tracker.all()).toEqual([
    { day: '2026-05-01', app: 'curl', questions: 6, names: 3, outsideMs: 5060 },
    { day: '2026-05-01', app: 'dig', questions: 1, names: 1, outsideMs: 20 },
  ])
})

test('in a year of days and many programs what is told adds up to what was', () => {
  const tracker = createLeakServiceTracker()
  let questions = 0
  let names = 0
  for (let day = 0; day < 365; day++) {
    for (let app = 0; app < 20; app++) tracker.exchange(leak(app % 5, `app${app}`, NOON_MICROS + day * DAY_MICROS))
    for (const change of tracker.takeChanges()) {
      questions += change.questions
      names += change.newNames.length
    }
  }
  expect([questions, names]).toEqual([7300, 7300])
  const days = tracker.all()
  expect(days.length).toBe(4096)
  // The oldest were let go, and counts stay when the names themselves are needed no more.
  expect(days.at(-1)).toMatchObject({ day: '2027-04-30', names: 1 })
  expect(days.every((one) => one.names === 1)).toBe(true)
})
